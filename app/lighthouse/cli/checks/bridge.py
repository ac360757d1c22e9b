"""The bridge as it is reached from here: its address, its health, our token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lighthouse.cli.checks.finding import Finding
from lighthouse.errors import LighthouseError

if TYPE_CHECKING:
    from lighthouse.client.answers import Health, Identity, Status

SOON_SECONDS = 3 * 86400


@dataclass
class Reached:
    """What the bridge told: None for each answer that it did not give."""

    url: str = ""
    health: "Health | None" = None
    status: "Status | None" = None


async def check(env: Mapping[str, str], url: str | None) -> tuple[Reached, list[Finding]]:
    """Ask the bridge for all that the checks need, once."""
    from lighthouse.client.client import Client
    from lighthouse.client.environment import bridge_url, token_from

    reached = Reached()
    try:
        reached.url = bridge_url(env, url)
    except LighthouseError as error:
        return reached, [_failed("bridge", error), _not_asked("the bridge's address is wrong")]
    token: str | None = None
    token_fault: LighthouseError | None = None
    try:
        token = token_from(env)
    except LighthouseError as error:
        token_fault = error
    async with Client(reached.url, token, session_seconds=None, timeout_seconds=10.0) as bridge:
        try:
            reached.health = await bridge.health()
        except LighthouseError as error:
            findings = [_failed("bridge", error)]
            last = _failed("token", token_fault) if token_fault else _not_asked("no bridge answers")
            return reached, [*findings, last]
        findings = [_health(reached.url, reached.health)]
        if token_fault is not None:
            return reached, [*findings, _failed("token", token_fault)]
        if token is None:
            return reached, [
                *findings,
                Finding(
                    "token",
                    "warn",
                    "there is no token: only the bridge's health can be asked for",
                    "mint one with `lighthouse token create` and set LIGHTHOUSE_TOKEN_FILE",
                ),
            ]
        try:
            identity = await bridge.validate_session()
            findings.append(judge_token(identity))
            reached.status = await bridge.status()
        except LighthouseError as error:
            findings.append(_failed("token", error))
    return reached, findings


def _health(url: str, health: "Health") -> Finding:
    bad = [
        f"{name} is {component.status} ({component.detail})"
        for name, component in health.components.items()
        if component.status not in ("ok", "absent", "disabled")
    ]
    if health.status == "ok":
        return Finding("bridge", "ok", f"version {health.version} answers at {url} and is healthy")
    told = "; ".join(bad) or "no component says why"
    if health.status == "starting":
        return Finding("bridge", "warn", f"still starting: {told}", "wait, and ask again")
    return Finding("bridge", "fail", f"it does not keep its promises: {told}", "mend what its text names")


def judge_token(identity: "Identity") -> Finding:
    """What an answer of /session/validate means for the one who holds the token."""
    if not identity.valid:
        return Finding(
            "token", "fail", "the bridge does not accept it", "mint one with `lighthouse token create`"
        )
    left = identity.expires_in or 0.0
    detail = f"speaks for {identity.agent_id} as {identity.role} until {identity.expires_at}"
    if identity.kind == "agent" and left < SOON_SECONDS:
        return Finding("token", "warn", f"{detail}, which is soon", "mint one with `lighthouse token create`")
    return Finding("token", "ok", detail)


def _failed(check: str, error: LighthouseError) -> Finding:
    return Finding(check, "fail", error.message, error.hint or "")


def _not_asked(why: str) -> Finding:
    return Finding("token", "not applicable", f"cannot be judged: {why}")
