"""The description of the API for programs (OpenAPI 3.1), at `/api/openapi.json`.

Routes of FastAPI describe themselves, the others in `paths` functions beside their code. What is
true of every operation is added here: who may call it, and that whatever goes wrong is told as a
problem document (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bilbaokg.server.auth import ACTIONS, action_of

__all__ = ["parameter", "problems", "route"]

_ADDRESS: Final = "/api/openapi.json"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_TOKEN: Final = "token"  # noqa: S105  the name of a scheme
_SCHEMAS: Final = {
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457). There may be more members, by type.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "description": "urn:bilbaokg:problem:..."},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "what is wrong"},
            "where": {"type": "string", "description": "in which input"},
            "hint": {"type": "string", "description": "how to mend it"},
            "line": {"type": "integer"},
            "column": {"type": "integer"},
            "request_id": {"type": "string", "description": "as in the header X-Request-Id"},
        },
    }
}
_SECURITY: Final = {
    _TOKEN: {"type": "http", "scheme": "bearer", "description": "made with `bilbaokg token create`"}
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of an operation that goes wrong with these statuses."""
    return {status: _problem(HTTPStatus(status).phrase) for status in statuses}


def parameter(
    name: str, schema: Mapping[str, Any], default: Any = None, *, required: bool = False
) -> dict[str, Any]:
    """A parameter of the address; default: what stands where it is left out."""
    told = dict(schema) if default is None else {**schema, "default": default}
    return {"name": name, "in": "query", "required": required, "schema": told}


def route(app: FastAPI, further: Callable[[], Mapping[str, Any]]) -> BaseRoute:
    """The address of the description; further: paths that may be others each time."""

    def openapi(request: Request) -> Response:
        document = app.openapi()
        paths = {**document["paths"], **further(), _ADDRESS: _OWN}
        components = {
            "schemas": {**_own_schemas(document), **_SCHEMAS},
            "securitySchemes": _SECURITY,
        }
        complete = {
            path: {
                method: _complete(told, _scope(app.routes, path, method))
                for method, told in item.items()
            }
            for path, item in paths.items()
        }
        return JSONResponse({**document, "paths": complete, "components": components})

    return Route(_ADDRESS, openapi, name="openapi")


_OWN: Final = {
    "get": {
        "tags": ["status"],
        "summary": "This description",
        "description": "What can be asked, who may, and what comes back (OpenAPI).",
        "responses": {"200": {"description": "it", "content": {"application/json": {}}}},
    }
}


def _own_schemas(document: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas of a document, without those of answers that FastAPI would give."""
    schemas = document.get("components", {}).get("schemas", {})
    return {name: schema for name, schema in schemas.items() if "ValidationError" not in name}


def _scope(routes: Iterable[BaseRoute], path: str, method: str) -> str | None:
    """The scope that a token needs for an operation; None where none is needed."""
    found = next(
        r for r in routes
        if isinstance(r, Route) and method.upper() in (r.methods or ())
        and (r.path == path or r.path_regex.match(path))
    )  # fmt: skip
    return ACTIONS[action_of(found) or ""]


def _complete(operation: Mapping[str, Any], scope: str | None) -> dict[str, Any]:
    """An operation with its credentials and with all that may go wrong."""
    responses = {str(status): told for status, told in operation["responses"].items()}
    if "422" in responses:  # FastAPI's own text; we answer otherwise
        responses["422"] = _problem("Unprocessable Content")
    denied = problems(401) | (problems(403) if scope else {})
    responses |= {str(status): told for status, told in denied.items()}
    responses["default"] = _problem("any other problem")
    token: dict[str, list[str]] = {_TOKEN: []}
    needed = [token] if scope else [{}, token]
    note = [f"Needs a token with the scope `{scope}`."] if scope else []
    description = "\n\n".join(filter(None, [operation.get("description", ""), *note]))
    return {**operation, "description": description, "security": needed, "responses": responses}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _PROBLEM}}
    return {"description": description, "content": content}
