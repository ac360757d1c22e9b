"""What schemathesis loads: each call gets a good token of the role, and what was answered is counted.

A token of its own for each, because calls that revoke tokens and end sessions are among them.
"""

import atexit
import contextlib
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis

from lighthouse.bridge.console_door import COOKIE
from lighthouse.keys import KeyRing, load_secret
from lighthouse.sessions import Role, mint_agent_token

URL = os.environ["CALLER_URL"]
ROLE = Role(os.environ["CALLER_ROLE"])
KEYRING = KeyRing(load_secret({}, create_at=Path(os.environ["CALLER_SECRET"])))
ANSWERED: Counter[str] = Counter()
atexit.register(lambda: Path(os.environ["CALLER_ANSWERED"]).write_text(json.dumps(ANSWERED)))


def token() -> str:
    return mint_agent_token(KEYRING, f"the-{ROLE}", ROLE, 3600)


class Session:
    """A session of the console, begun anew once it was ended."""

    def __init__(self) -> None:
        self.cookie = self.seal = ""

    def begin(self) -> None:
        origin = {"Origin": URL}
        entered = requests.post(
            f"{URL}/console/login", {"token": token()}, headers=origin, allow_redirects=False, timeout=30
        )
        self.cookie = entered.cookies.get(COOKIE, "")
        page = requests.get(f"{URL}/", cookies={COOKIE: self.cookie}, timeout=30).text
        if found := re.search(r'name="seal" value="(\w+)"', page):
            self.seal = found[1]


SESSION = Session()


def of_console(path: str) -> bool:
    return path == "/" or path.startswith("/console/")


@schemathesis.auth(refresh_interval=None)
class Caller:
    def get(self, case: schemathesis.Case, _: Any) -> str:
        if of_console(case.operation.path):
            if ROLE in (Role.OPERATOR, Role.ADMIN) and not SESSION.cookie:
                SESSION.begin()
            return SESSION.cookie
        return token()

    def set(self, case: schemathesis.Case, data: str, _: Any) -> None:
        if of_console(case.operation.path):
            case.cookies[COOKIE] = data
        else:
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Nobody waits for long, and a form comes from a page of the console, as a browser sends it."""
    for given in (case.body, case.query):
        if isinstance(given, dict) and "wait_seconds" in given:
            with contextlib.suppress(TypeError, ValueError):
                given["wait_seconds"] = min(float(given["wait_seconds"]), 0.05)
    if of_console(case.operation.path) and case.method == "POST" and isinstance(case.body, dict):
        case.headers["Origin"] = URL
        case.body["seal"] = SESSION.seal


@schemathesis.hook
def after_call(_: Any, case: schemathesis.Case, response: Any) -> None:
    operation = case.operation
    name = operation.definition.raw.get("operationId", operation.label)
    lacking = f"the role {ROLE} lacks {operation.definition.raw.get('x-permission')}:"
    told = "lacking" if lacking in response.text else response.status_code
    ANSWERED[f"{name} {told}"] += 1
    if name == "console_logout":
        SESSION.cookie = ""
