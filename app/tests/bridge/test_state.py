"""/status, /metrics and /openapi.json; the description is true to the router and to what comes back."""

import json
import os
from typing import Any

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import validate

from lighthouse import __version__
from lighthouse.bridge.app import make_app
from lighthouse.bridge.routes import ROUTES
from lighthouse.bridge.schemas import Health, Status
from lighthouse.sessions import Role
from tests.bridge.conftest import Api
from tests.conftest import WaitFor


async def described(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = (await api.get("/openapi.json", token=None)).json()
    return document


async def test_status_tells_all(api: Api) -> None:
    status = msgspec.json.decode((await api.get("/status")).body, type=Status)
    assert status.status == "ok"
    assert (status.pid, status.version) == (os.getpid(), __version__)
    assert status.head is not None
    assert status.head.seq == api.bridge.store.head.seq
    assert status.shadow["files"] == 2
    assert (status.mount.enabled, status.mount.alive, status.components.mount.status) == (
        False,
        False,
        "disabled",
    )
    assert status.rss_bytes > 10_000_000
    assert {"python", "sqlite", "aiohttp", "pyfuse3"} <= status.versions.keys()
    assert status.summary.startswith("serving 2 files of /")
    assert status.summary.endswith("0 sessions, 0 problems")


async def test_one_of_a_kind_is_told_in_the_singular(api: Api) -> None:
    await api.post("/session/create", {})
    assert ", 1 session, " in (await api.get("/status")).json()["summary"]


async def test_metrics_are_prometheus_text_and_move(api: Api, wait_for: WaitFor) -> None:
    async def read() -> dict[str, float]:
        text = (await api.get("/metrics")).body.decode()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    async def counted() -> bool:
        return (await read())["lighthouse_events_total"] == api.bridge.store.head.seq

    async def figures() -> dict[str, float]:
        # What is stored is counted after it was answered.
        await wait_for(counted)
        return await read()

    before = await figures()
    await api.post("/event/store", {"type": "note.added", "data": {}})
    await api.get("/nowhere")
    after = await figures()
    assert after["lighthouse_events_total"] == before["lighthouse_events_total"] + 1
    assert (
        after["lighthouse_event_append_seconds_count"] == before["lighthouse_event_append_seconds_count"] + 1
    )
    stored = 'lighthouse_http_requests_total{method="POST",route="/event/store",status="200"}'
    assert after[stored] == 1
    assert after['lighthouse_http_requests_total{method="unknown",route="unknown",status="404"}'] == 1
    assert after[f'lighthouse_build_info{{version="{__version__}"}}'] == 1
    assert after["lighthouse_shadow_files"] == 2
    assert after["lighthouse_shadow_version"] > 0
    assert after['lighthouse_health_component{component="event_store"}'] == 1
    assert after["lighthouse_subscribers"] == 0


async def test_metrics_want_a_token(api: Api) -> None:
    (await api.get("/metrics", token=None)).problem(401)
    assert (await api.get("/metrics", token=api.token("otto", Role.OBSERVER))).status == 200


async def test_the_description_is_valid_openapi(api: Api) -> None:
    validate(await described(api))


async def test_the_description_and_the_router_name_the_same_routes(api: Api) -> None:
    routed = {
        (route.method.lower(), route.resource.canonical)
        for route in make_app(api.bridge).router.routes()
        if route.resource is not None
    }
    told = {(method, path) for path, methods in (await described(api))["paths"].items() for method in methods}
    assert routed == told == {(route.method.lower(), route.path) for route in ROUTES}


async def test_operations_have_names_of_their_own(api: Api) -> None:
    document = await described(api)
    names = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names)) == len(ROUTES)


async def test_every_route_tells_of_its_token_and_its_refusals(api: Api) -> None:
    for path, methods in (await described(api))["paths"].items():
        for operation in methods.values():
            opened = path in ("/health", "/openapi.json", "/console/login", "/console/static/{name}")
            console = path == "/" or path.startswith("/console/")
            assert (operation["security"] == []) == opened
            assert operation["security"] in ([], [{"session" if console else "token": []}])
            assert ("401" in operation["responses"]) == (not opened and not console)
            assert ("421" in operation["responses"]) == console
            # A hook is told of these in the client's own form.
            if "requestBody" in operation and operation["operationId"] != "claude_code_hook":
                assert {"403", "413", "422"} <= operation["responses"].keys()


@pytest.mark.parametrize("path", ["/health", "/status", "/event/query", "/shadow/read/", "/openapi.json"])
async def test_what_comes_back_is_as_described(api: Api, path: str) -> None:
    document = await described(api)
    declared = "/shadow/read/{path}" if path.startswith("/shadow") else path
    schema = document["paths"][declared]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    body = (await api.get(path)).json()
    jsonschema.validate(body, schema | {"components": document["components"]})


async def test_refusals_come_back_as_described(api: Api) -> None:
    document = await described(api)
    responses = document["paths"]["/event/store"]["post"]["responses"]
    for status, body in ((400, b"{"), (422, b"{}"), (403, b'{"type": "bridge.x", "data": {}}')):
        answer = await api.call("POST", "/event/store", data=body)
        schema = responses[str(status)]["content"]["application/problem+json"]["schema"]
        jsonschema.validate(answer.json(), schema | {"components": document["components"]})
        answer.problem(status)


async def test_health_is_open_and_complete(api: Api) -> None:
    answer = await api.get("/health", token=None)
    health = msgspec.json.decode(answer.body, type=Health)
    assert (answer.status, health.status, health.version) == (200, "ok", __version__)
    assert json.loads(answer.body)["components"].keys() == {
        "event_store",
        "mount",
        "policy",
        "watcher",
        "confinement",
    }
    assert health.components.policy.status == "ok"
