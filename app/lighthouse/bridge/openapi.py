"""openapi.json, made from the table of routes and the structs of schemas.py, so that it cannot differ."""

from collections.abc import Sequence
from http import HTTPStatus
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from lighthouse.bridge.call import Answer, Route
from lighthouse.bridge.console_door import COOKIE
from lighthouse.bridge.problems import CONTENT_TYPE
from lighthouse.bridge.schemas import Problem

_REF = "#/components/schemas/{name}"
_SCHEMES = {"api": "token", "console": "session"}
_BODIES = {"api": "application/json", "console": "application/x-www-form-urlencoded"}
# What is answered to whatever the server itself does not take for HTTP, before any route sees it.
_NOT_HTTP = "text/plain"
_ANYWHERE = {
    400: "Not HTTP, or an address or a header over 16 KiB",
    405: "The path has no such method",
    500: "The bridge failed; its log tells why",
}
_MEANING = {
    303: "There is no session: on to the log-in",
    400: "Malformed: not JSON, or a path that leaves the project",
    401: "No token, or a bad one",
    403: "The role may not do this, the body names another agent, or the form is not of this session",
    404: "There is no such thing",
    406: "None of the forms that the route answers in was asked for",
    408: "The body did not arrive in time",
    409: "The stream has moved on, or the idempotency key was used for something else",
    413: "The body is larger than 1 MiB",
    416: "The range lies outside the file",
    421: "The `Host` is none of this bridge's",
    422: "Of the wrong shape",
    426: "Only a WebSocket serves here",
    429: "Too many requests; `Retry-After` says when to go on",
    503: "The bridge cannot keep its promises now",
    507: "No room on the disk",
}


def describe(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of `routes`."""
    kinds = {one for route in routes for kind in _kinds(route) for one in _each(kind)} | {Problem}
    ordered = sorted(kinds, key=str)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    found = dict(zip(ordered, schemas, strict=True))
    described: dict[str, dict[str, Any]] = {}
    for route in routes:
        described.setdefault(route.path, {})[route.method.lower()] = _operation(route, found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lighthouse", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "paths": described,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _each(kind: Any) -> tuple[Any, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _schema(kind: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    described = [schemas[one] for one in _each(kind)]
    return {"oneOf": described} if len(described) > 1 else described[0]


def _kinds(route: Route) -> list[Any]:
    kinds = [route.body, route.query, *(answer.body for answer in route.answers.values())]
    return [kind for kind in kinds if kind is not None]


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {
            str(status): _response(route, status, schemas) for status in sorted({*route.statuses, *_ANYWHERE})
        },
        "security": [] if route.permission is None else [{_SCHEMES[route.face]: []}],
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route.query)]:
        operation["parameters"] = parameters
    if route.permission:
        operation["x-permission"] = route.permission
    if route.body is not None:
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {_BODIES[route.face]: {"schema": _schema(route.body, schemas)}},
        }
    return operation


def _response(route: Route, status: int, schemas: dict[Any, Any]) -> dict[str, Any]:
    answer = route.answers.get(status)
    if answer is None:
        return _refusal(route, status)
    response: dict[str, Any] = {"description": answer.text}
    if content := _content(answer, schemas):
        response["content"] = content
    if answer.headers:
        response["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    return response


def _refusal(route: Route, status: int) -> dict[str, Any]:
    own = status in route.statuses
    text = _MEANING[status] if own else _ANYWHERE[status]
    content: dict[str, Any] = {}
    if own and route.face == "console":
        content |= {"text/html": {"schema": {"type": "string"}}} if status >= 400 else {}
    elif own or status != 400:
        content |= {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    if status == 400:
        content |= {_NOT_HTTP: {"schema": {"type": "string"}}}
    return {"description": f"{HTTPStatus(status).phrase}: {text}", "content": content}


def _content(answer: Answer, schemas: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if answer.body is not None:
        content["application/json"] = {"schema": _schema(answer.body, schemas)}
    if answer.media_type not in ("", "application/json"):
        content[answer.media_type] = {"schema": {"type": "string"}}
    return content


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in route.path_parameters.items()
    ]


def _query_parameters(kind: Any) -> list[dict[str, Any]]:
    if kind is None:
        return []
    parameters = []
    for field in msgspec.structs.fields(kind):
        # Left out is how null is said in a query.
        union = get_origin(field.type) in (Union, UnionType)
        present = [one for one in get_args(field.type) if one is not type(None)] if union else [field.type]
        parameters.append(
            {
                "name": field.encode_name,
                "in": "query",
                "required": field.required,
                "schema": msgspec.json.schema(present[0]),
            }
        )
    return parameters
