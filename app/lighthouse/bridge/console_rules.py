"""The console's page of remembered rules, and the form that ends one."""

import time
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import Form, page, redirect
from lighthouse.bridge.console_waiting import Id
from lighthouse.bridge.validation import validations

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

RULES = "/console/rules"


class ConsoleRevoke(Form):
    """The rule `id` ends."""

    id: Id
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


async def rules(bridge: "Bridge", call: Call) -> web.Response:
    """The rules in force, the newest first."""
    found = validations(bridge).rules()
    values = {"title": "Rules", "here": "rules", "rules": found[::-1], "now": time.time()}
    return await page(bridge, call.caller, "rules.html", values)


async def revoke(bridge: "Bridge", call: Call) -> web.Response:
    """End a rule."""
    form: ConsoleRevoke = call.body
    await validations(bridge).revoke_rule(form.id, call.caller, form.reason.strip())
    return redirect(RULES)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        RULES,
        "console_rules",
        "The remembered rules in force",
        rules,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        face="console",
    ),
    Route(
        "POST",
        "/console/rules/revoke",
        "console_rule_revoke",
        "End a remembered rule",
        revoke,
        {303: Answer("It is ended; to the list", media_type="", headers={"Location": "the list"})},
        permission="console.use",
        body=ConsoleRevoke,
        errors=(404, 507),
        face="console",
    ),
)
