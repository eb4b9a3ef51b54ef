"""The pages of the validation, and its report to download."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from bilbaokg.model import SEVERITIES
from bilbaokg.server import finding_list, findings, history, html
from bilbaokg.server.paging import page_number
from bilbaokg.server.reading import Reader
from bilbaokg.server.sections.page import Page

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["pages"]

# How the report is downloaded: by format, which is its extension, too.
_REPORTS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def pages(context: Context) -> list[Page]:
    """The validation, its findings as one list, and the report in each format."""
    report = partial(_report, context)
    return [
        Page("/validation", "validation", partial(_validation, context)),
        Page("/validation/findings", "validation", _findings),
        *(Page(f"/validation.{extension}", "validation", report) for extension in _REPORTS),
    ]


def _validation(context: Context, request: Request, reader: Reader) -> Response:
    """The validation of the release."""
    severity = request.query_params.get("severity", "")
    chosen = severity if severity in SEVERITIES else ""
    number = page_number(request.query_params.get("page"))
    before = history.previous(context, reader.opened.release)
    return html.answer(findings.page(reader, chosen, number, before), reader.site)


def _findings(request: Request, reader: Reader) -> Response:
    """What it found, as one list."""
    return html.answer(
        finding_list.page(reader, finding_list.Asked(request.query_params)), reader.site
    )


def _report(context: Context, request: Request, reader: Reader) -> Response:
    """The same to download."""
    format = request.url.path.rpartition(".")[2]
    released = context.releases.report(reader.opened.release)
    if released is None:
        return html.missing(reader, "validation", "")
    name = f"validation-{reader.opened.release.id}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    asked = finding_list.Asked(request.query_params)
    text = finding_list.report(reader, released, format, asked)
    return Response(text, media_type=_REPORTS[format], headers=headers)
