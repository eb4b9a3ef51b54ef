"""Search for programs: `/api/search` and, to complete what is typed, `/api/suggest`.

What is found, and in which order, is as on the pages. What matches is told by places in a text, so
that whoever shows it escapes it in their own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bilbaokg.index import FACETS, KINDS, find, suggest
from bilbaokg.index.answers import answer
from bilbaokg.model import Release
from bilbaokg.server import negotiate
from bilbaokg.server.api import head
from bilbaokg.server.context import Context
from bilbaokg.server.lists import Form
from bilbaokg.server.openapi import parameter, problems
from bilbaokg.server.validators import is_known, validators

__all__ = ["routes"]

_VALUES: Final = {"type": "array", "items": {"type": "string"}}
_FILTERS: Final = {
    "parameters": [
        parameter(name, _VALUES) | {"description": "values of which one must fit"}
        for name in FACETS
    ]
}
_EMPTY: Final = {"total": 0, "page": 1, "pages": 1, "kinds": {}, "facets": {}, "results": []}
_UNKEPT: Final = {"Cache-Control": "no-store"}
Language = Annotated[
    Literal["es", "eu", "en"] | None, Query(description="of texts [by Accept-Language]")
]
Words = Annotated[str, Query(description="words that must all be there")]


def routes(context: Context) -> list[BaseRoute]:
    """Search and suggestions; HEAD as GET."""
    router = APIRouter(tags=["search"])

    @router.get("/api/search", openapi_extra=_FILTERS, responses=problems(422))
    def search(
        request: Request,
        q: Words = "",
        kind: Annotated[
            str | None, Query(pattern=f"^({'|'.join(KINDS)})$", description="[every kind]")
        ] = None,
        lang: Language = None,
        sort: Annotated[
            Literal["relevance", "modified", "issued", "title"] | None,
            Query(description="[relevance where there are words, else modified]"),
        ] = None,
        page: Annotated[int, Query(ge=1, le=100_000_000)] = 1,
        size: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """What fits all words and filters, a page of it, with counts by kind and facet.

        `marks` are places in a text (from, to) in characters; `corrected` are words to try where
        nothing was found; `synonyms` were looked for too.
        """
        opened, language = context.catalogue.current(), _language(request, lang)
        if opened is None:
            return JSONResponse({"release": None, "q": q, **_EMPTY}, headers=_UNKEPT)

        def made() -> Mapping[str, Any]:
            filters = Form(request.query_params).filters
            found = find(opened.index, q, filters, kind)
            order = sort or ("relevance" if found.words else "modified")
            told = answer(found, language, order, page, size, base=opened.base)
            root = str(request.scope.get("root_path", "")).rstrip("/")
            for result in told["results"]:
                result["href"] = f"{root}/{language}/{quote(result['id'])}"
            return {"release": opened.release.id, "q": q, "kind": kind, "sort": order, **told}

        return _answer(request, opened.release, language, made)

    @router.get("/api/suggest", responses=problems(422))
    def suggestions(
        request: Request,
        q: Words = "",
        lang: Language = None,
        limit: Annotated[int, Query(ge=1, le=50)] = 10,
    ) -> Response:
        """Keywords and names of the release that hold the words begun in `q`, those of the
        language first. `iri` is of what is called so, null for a keyword."""
        opened, language = context.catalogue.current(), _language(request, lang)
        if opened is None:
            return JSONResponse({"release": None, "q": q, "suggestions": []}, headers=_UNKEPT)

        def made() -> Mapping[str, Any]:
            found = [
                {"text": s.text, "language": s.lang or None, "iri": s.iri or None,
                 "entries": s.entries}
                for s in suggest(opened.index, q, language, limit)
            ]  # fmt: skip
            return {"release": opened.release.id, "q": q, "suggestions": found}

        return _answer(request, opened.release, language, made)

    return [*router.routes, *map(head, router.routes)]


def _language(request: Request, asked: str | None) -> str:
    return asked or negotiate.language(request.headers.get("accept-language"))


def _answer(
    request: Request, release: Release, language: str, made: Callable[[], Mapping[str, Any]]
) -> Response:
    """The answer, unless the client has it."""
    root = request.scope.get("root_path", "")
    asked = f"{root} {request.url.path}?{request.url.query} {language}"
    headers = validators(release, asked) | {"Vary": "Accept-Language"}
    if is_known(request.headers, headers):
        return Response(status_code=304, headers=headers)
    return JSONResponse(made(), headers=headers)
