"""The findings of a release as one list: narrowed, sorted, in pages, and likewise to download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from bilbaokg import reports
from bilbaokg.index import Text, find
from bilbaokg.model import SEVERITIES, Report
from bilbaokg.render import DEFAULT_LANGUAGE, Site
from bilbaokg.server.cards import names, text
from bilbaokg.server.findings import Findings, Result, downloads, subject_of
from bilbaokg.server.paging import page_number, pager
from bilbaokg.server.reading import Opened, Reader
from bilbaokg.server.views import Choice, FacetGroup, FindingRow, FindingsPage

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["Asked", "page", "report", "warm"]

_SIZE: Final = 50
_LONGEST: Final = 200
_SEARCHED: Final = ("message", "title", "dataset", "focus", "value", "hint")
SORTS: Final = ("severity", "resource", "property")


class Asked:
    """What the address of the list asks for."""

    def __init__(self, given: QueryParams) -> None:
        self.q = given.get("q", "").strip()[:_LONGEST]
        self.severity = given.get("severity", "")
        self.path, self.area = given.get("path", ""), given.get("area", "")
        sort = given.get("sort", "")
        self.sort = sort if sort in SORTS else SORTS[0]
        self.page = page_number(given.get("page"))

    def link(self, **other: object) -> str:
        """The query string of this list, with something else asked."""
        held = {
            "q": self.q, "severity": self.severity, "path": self.path, "area": self.area,
            "sort": "" if self.sort == SORTS[0] else self.sort, **other,
        }  # fmt: skip
        return urlencode({name: value for name, value in held.items() if value})


def page(reader: Reader, asked: Asked) -> FindingsPage:
    """The findings that are asked for."""
    known, site = Findings(reader), reader.site
    found = _found(known, asked)
    place = pager(
        asked.page, _SIZE, len(found),
        lambda n: site.url(f"/validation/findings?{asked.link(page=n)}"),
    )  # fmt: skip
    shown = found[max(0, place.first - 1) : place.last]
    reader.load(map(subject_of, shown))
    return FindingsPage(
        release=reader.opened.release.id,
        q=asked.q,
        filters=_filters(known, asked),
        sorts=[_choice(reader, f"findings.sort.{s}", s, s == asked.sort) for s in SORTS],
        clear=site.url("/validation/findings") if asked.link(sort="") else "",
        rows=[_row(known, each) for each in shown],
        pager=place,
        downloads=downloads(reader, asked.link()),
    )


def warm(_: Context, opened: Opened) -> None:
    """Sort and count beforehand what every page of the list shows."""
    page(Reader(opened, Site(DEFAULT_LANGUAGE)), Asked(QueryParams()))


def report(reader: Reader, released: Report, format: str, asked: Asked) -> str:
    """The report of the release to download, one of reports.FORMATS, with what is asked for.

    Who answers is named as the pages name it, and where things stood on our disk is left out.
    """
    known = Findings(reader)
    fits = _fits(known, asked)
    results = [
        replace(problem, steward=known.steward(told), owner=None, source=None)
        for problem in released.results
        if fits(told := problem.as_dict())
    ]
    return reports.render(replace(released, results=tuple(results)), format, reader.lang)


def _fits(known: Findings, asked: Asked) -> Callable[[Result], bool]:
    """Tells whether a finding is asked for."""
    words = asked.q.casefold().split()
    within = (
        find(known.reader.opened.index, filters={"area": [asked.area]}).iris()
        if asked.area
        else None
    )

    def fits(result: Result) -> bool:
        if asked.severity and asked.severity != result["severity"]:
            return False
        if asked.path and asked.path != (result["path"] or ""):
            return False
        if within is not None and result["dataset"] not in within:
            return False
        said = [str(result[name] or "") for name in _SEARCHED] if words else []
        # Also as the page shows it, in the language of the reader.
        said += [known.text(result, kind) or "" for kind in ("message", "hint") if words]
        whole = "\n".join(said).casefold()
        return all(word in whole for word in words)

    return fits


def _found(known: Findings, asked: Asked) -> Sequence[Result]:
    narrowed = asked.q or asked.severity or asked.path or asked.area
    ordered = _ordered(known, asked.sort)
    return list(filter(_fits(known, asked), ordered)) if narrowed else ordered


def _ordered(known: Findings, sort: str) -> Sequence[Result]:
    """All findings in an order: one for each language where titles are what they are sorted by."""
    places = known.places if sort == "resource" else {}
    orders: dict[str, Callable[[Result], Any]] = {
        "severity": lambda r: SEVERITIES.index(r["severity"]),
        "resource": lambda r: places[subject_of(r)],
        "property": lambda r: str(r["path"] or ""),
    }
    name = "findings by", sort, known.reader.lang if places else ""
    return known.reader.opened.once(name, lambda: sorted(known.results, key=orders[sort]))


def _filters(known: Findings, asked: Asked) -> list[FacetGroup]:
    reader, results = known.reader, known.results
    severities, paths = reader.opened.once("counts of findings", lambda: _counts(results))
    areas = find(reader.opened.index).facets(("area",))["area"]
    called = names(reader, "area", [value for value, _ in areas])
    reader.load(paths)
    return [
        _group(reader, "severity", asked.severity, [
            _choice(reader, f"severity.{name}", name, name == asked.severity, severities[name])
            for name in SEVERITIES if severities[name]
        ]),
        _group(reader, "path", asked.path, [
            Choice(iri, reader.name(iri), count, iri == asked.path)
            for iri, count in paths.most_common()
        ]),
        _group(reader, "area", asked.area, [
            Choice(iri, called[iri], count, iri == asked.area) for iri, count in areas
        ]),
    ]  # fmt: skip


def _counts(results: Sequence[Result]) -> tuple[Counter[str], Counter[str]]:
    """How many findings there are of each severity, and of each property."""
    return (
        Counter(result["severity"] for result in results),
        Counter(result["path"] for result in results if result["path"]),
    )


def _group(reader: Reader, name: str, chosen: str, choices: Sequence[Choice]) -> FacetGroup:
    """A filter; what was asked for and nothing has stays in it."""
    held = list(choices)
    if chosen and not any(choice.chosen for choice in held):
        held.append(Choice(chosen, reader.name(chosen), 0, True))
    return FacetGroup(name, text(reader, f"findings.filter.{name}"), held)


def _choice(reader: Reader, key: str, value: str, chosen: bool, count: int = 0) -> Choice:
    return Choice(value, Text(text(reader, key), ""), count, chosen)


def _row(known: Findings, result: Result) -> FindingRow:
    return FindingRow(known.title(subject_of(result), [result]), known.finding(result))
