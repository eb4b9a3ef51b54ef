"""The API for jobs: what is published, loading, building and publishing releases.

Each write calls the same operation as the command line, in the name of the token that asks for it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, cast

import anyio
import anyio.to_thread
from fastapi import APIRouter, Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bilbaokg.errors import NotFound, SyntaxFault
from bilbaokg.formats import FORMATS
from bilbaokg.model import Release
from bilbaokg.operations import OPERATIONS
from bilbaokg.operations.loading import load_content
from bilbaokg.server import bodies
from bilbaokg.server.context import Context
from bilbaokg.server.openapi import problems
from bilbaokg.terms import DCAT
from bilbaokg.workspace import Workspace

__all__ = ["build_routes", "head", "load_routes", "public_routes", "publish_routes"]

_LOADS_AT_ONCE: Final = 2
_RELEASE: Final = r"^r[1-9][0-9]{0,8}$"
# The body is read as it is: FastAPI does not know of it.
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            f.media_type: {"schema": {"type": "string", "format": "binary"}}
            for f in FORMATS.values()
        },
    }
}


class Build(BaseModel):
    """What to build a release with; all of it may be left out."""

    model_config = ConfigDict(extra="forbid")
    profile: str | None = Field(None, description="name/version; default: the setting `profile`")
    hold_back: bool = Field(False, description="leave out the records that fail the gate")
    waive: str | None = Field(
        None, max_length=1000, description="take failing records in, for this reason"
    )
    accept_removals: str | None = Field(
        None, max_length=1000, description="let portals delete what would be gone, for this reason"
    )
    note: str = Field("", max_length=1000)


def public_routes(context: Context) -> list[BaseRoute]:
    """What everyone may know: the current release and the list of releases; HEAD as GET."""
    router = APIRouter(tags=["releases"])

    @router.get("/api/status")
    def status() -> dict[str, Any]:
        """The published release and how much it holds."""
        release = context.current()
        counts = release.manifest["content"]["counts"] if release else {}
        return {
            "base": context.settings.base,
            "release": release.id if release else None,
            "created_at": release.created_at if release else None,
            "records": len(list(release.entries)) if release else 0,
            "datasets": counts.get(DCAT.Dataset, 0),
            "counts": counts,
        }

    @router.get("/api/releases")
    def releases(request: Request) -> dict[str, Any]:
        """The releases, newest first; what is not published yet for a token with `publish`."""
        current = context.current()
        known = context.releases.list() if _publishes(request) else context.public_releases()
        found = [_summary(r, current) for r in reversed(known)]
        return {"current": current.id if current else None, "releases": found}

    @router.get("/api/releases/{id}", responses=problems(404))
    def release(request: Request, id: Annotated[str, Path(pattern=_RELEASE)]) -> dict[str, Any]:
        """One release; one that is not published yet for a token with `publish`."""
        found = next((r for r in context.public_releases() if r.id == id), None)
        if found is None and not _publishes(request):
            raise NotFound(f"no release {id!r}")
        return _summary(found or context.releases.get(id), context.current())

    return [*router.routes, *map(head, router.routes)]


def _publishes(request: Request) -> bool:
    """Whether the client may know what is not published yet."""
    return "publish" in request.scope["bilbaokg.actor"].scopes


def head(route: BaseRoute) -> BaseRoute:
    """The same route for HEAD (RFC 9110, section 9.1), which FastAPI leaves out."""
    twin = copy.copy(cast(APIRoute, route))
    twin.methods, twin.include_in_schema = {"HEAD"}, False
    return twin


def _summary(release: Release, current: Release | None) -> dict[str, Any]:
    content = release.manifest["content"]
    return {
        "id": release.id,
        "created_at": release.created_at,
        "previous": release.previous,
        "sha256": release.sha256,
        "records": len(content["entries"]),
        "datasets": content["counts"].get(DCAT.Dataset, 0),
        "held_back": release.held_back,
        "profile": content["profile"],
        "current": current is not None and release.id == current.id,
    }


def load_routes(context: Context) -> list[BaseRoute]:
    """Loading RDF, as `bilbaokg load` does."""
    if context.workspace is None:
        return []
    workspace, limit = context.workspace, context.settings.body_limit
    places = anyio.CapacityLimiter(_LOADS_AT_ONCE)
    router = APIRouter(tags=["catalogue"])

    @router.post(
        "/api/load", openapi_extra=_BODY, responses=problems(400, 409, 413, 415, 422, 503, 507)
    )
    async def load(
        request: Request,
        source: Annotated[str, Query(min_length=1, max_length=500)],
        base: str | None = None,
        dry_run: bool = False,
        why: Annotated[str, Query(max_length=1000)] = "",
    ) -> dict[str, Any]:
        """Import the RDF of the body. `source` names who says it: later loads replace what the same
        source said before."""
        media_type = bodies.media_type(request.headers.get("content-type", ""))
        content = await bodies.read(request, limit)
        params = {
            "source": source, "media_type": media_type, "base": base, "dry_run": dry_run,
            "why": why, "actor": _actor(request),
        }  # fmt: skip
        try:
            return await anyio.to_thread.run_sync(
                load_content, workspace, params, content, limiter=places
            )
        except SyntaxFault as error:
            error.where = source
            raise

    return list(router.routes)


def build_routes(context: Context) -> list[BaseRoute]:
    """Building a release from what is in the working store."""
    if context.workspace is None:
        return []
    operate, shelf = _operator(context.workspace), context.workspace.shelf
    router = APIRouter(tags=["releases"])

    @router.post("/api/releases", status_code=201, responses=problems(400, 404, 409, 503, 507))
    def build(request: Request, wanted: Build | None = None) -> Response:
        """Build a release; it is not published yet. 409 with the report when the gate refuses, with
        `removals` when portals would delete too much."""
        if wanted and wanted.profile:
            shelf.named(wanted.profile)
        built = operate("release.build", request, (wanted or Build.model_validate({})).model_dump())
        root = request.scope.get("root_path", "")
        return JSONResponse(built, 201, {"Location": f"{root}/api/releases/{built['id']}"})

    return list(router.routes)


def publish_routes(context: Context) -> list[BaseRoute]:
    """Making a release the public one: forward, or back."""
    if context.workspace is None:
        return []
    operate = _operator(context.workspace)
    router = APIRouter(tags=["releases"])

    @router.post("/api/releases/{id}/publish", responses=problems(404, 409, 500, 507))
    def publish(
        request: Request,
        id: Annotated[str, Path(pattern=_RELEASE)],
        why: Annotated[str, Query(max_length=1000)] = "",
        accept_removals: Annotated[str | None, Query(max_length=1000)] = None,
    ) -> dict[str, Any]:
        """Make a release current. 409 with `removals` when portals would delete too much."""
        params = {"id": id, "why": why, "accept_removals": accept_removals}
        return operate("release.publish", request, params)

    return list(router.routes)


def _operator(workspace: Workspace) -> Callable[[str, Request, Mapping[str, Any]], dict[str, Any]]:
    def operate(name: str, request: Request, params: Mapping[str, Any]) -> dict[str, Any]:
        named = {**params, "actor": _actor(request)}
        return OPERATIONS[name](workspace, named, lambda *_: None)

    return operate


def _actor(request: Request) -> str:
    return str(request.scope["bilbaokg.actor"].name)
