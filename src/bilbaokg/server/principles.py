"""The pages of principles: what each asks, how it is tested, who meets it, and the scoreboard."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from bilbaokg.index import Text, Where, choose, find
from bilbaokg.server import standing
from bilbaokg.server.cards import text
from bilbaokg.server.compliance import Verdict
from bilbaokg.server.described import SUMMARIES, TITLES, Described, Writer, formats, open_in_sparql
from bilbaokg.server.paging import page_number, pager
from bilbaokg.server.pointing import PARAMETER, incoming
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Action,
    BoardRow,
    Judged,
    PrinciplePage,
    PrinciplesPage,
    Score,
    ScoreRow,
    Standing,
    Tile,
    Value,
)
from bilbaokg.terms import SH, SKOS, language_of, plain, ref

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = ["is_tested", "page", "scoreboard", "scores_of"]

_OUTCOMES: Final = ("failed", "passed", "unclear")
_SIZE: Final = 50
_AREAS: Final = 60
_SHOWN_ELSEWHERE: Final = frozenset({SKOS.notation, SKOS.inScheme, SKOS.topConceptOf})


def _group(verdict: Verdict) -> str:
    return verdict.outcome if verdict.outcome in ("passed", "failed") else "unclear"


def is_tested(reader: Reader, iri: str) -> bool:
    """Whether datasets are held against it: one of our principles, not a standard of others."""
    return iri in reader.opened.compliance or bool(_tests_of(reader, iri))


def _tests_of(reader: Reader, iri: str) -> list[str]:
    """The shapes that test a principle, as terms."""
    found = reader.opened.store.match(ref(iri), ref(f"{reader.opened.base}/ns#verifiedBy"))
    return [o for _, _, o, *_ in found]


def score(reader: Reader, iri: str, verdicts: Iterable[Verdict], area: str = "") -> Score:
    """How many of these meet a principle, where it can be told."""
    counts = Counter(map(_group, verdicts))
    return Score(
        counts["passed"], counts["passed"] + counts["failed"], _list(reader, iri, "failed", area)
    )


def _list(reader: Reader, iri: str, outcome: str, area: str = "", page: int = 1) -> str:
    """The datasets with an outcome, on the page of the principle."""
    place = reader.place(iri)
    asked = {"outcome": outcome, "area": area, "page": page if page > 1 else ""}
    held = urlencode({name: value for name, value in asked.items() if value})
    return reader.site.url(f"/{quote(place.page if place else '')}?{held}#datasets")


# ---- one principle


def page(context: Context, reader: Reader, place: Where, asked: QueryParams) -> PrinciplePage:
    """The page of a principle; `asked` may hold outcome, area and page."""
    record = Described(reader.opened.index.text(place.record))
    writer, term, iri = Writer(record, reader), ref(place.iri), place.iri
    verdicts = reader.opened.compliance.get(iri, ())
    area = asked.get("area", "")
    held = [v for v in verdicts if not area or area in v.areas]
    counts = Counter(map(_group, held))
    chosen = _chosen(asked.get("outcome", ""), counts)
    listed = [v for v in held if _group(v) == chosen]
    place_in = pager(
        page_number(asked.get("page")), _SIZE, len(listed),
        lambda number: _list(reader, iri, chosen, area, number),
    )  # fmt: skip
    skip = [next((p for p in some if p in record.of(term)), "") for some in (TITLES, SUMMARIES)]
    groups = writer.groups(term, skip=(*skip, *map(ref, _SHOWN_ELSEWHERE)))
    return PrinciplePage(
        id=place.record,
        iri=iri,
        title=reader.name(iri),
        notation=_notation(record, term),
        summary=writer.text(term, SUMMARIES),
        tests=_messages(reader, record, _tests_of(reader, iri)),
        score=score(reader, iri, verdicts),
        untested=max(0, reader.opened.index.counts().get("dataset", 0) - len(verdicts)),
        tabs=[
            Tile(
                counts[name], text(reader, f"principle.tab.{name}"),
                _list(reader, iri, name, area), name == chosen,
            )
            for name in _OUTCOMES
            if counts[name] or name != "unclear"
        ],
        chosen=chosen,
        area=Action(reader.name(area).text, _list(reader, iri, chosen)) if area else None,
        rows=_judged(reader, listed[max(0, place_in.first - 1) : place_in.last]),
        pager=place_in,
        areas=_by_area(reader, iri, verdicts),
        trend=_trend(context, reader, iri),
        groups=groups,
        incoming=incoming(reader, iri, True, page_number(asked.get(PARAMETER))),
        formats=formats(reader, place.record),
        sparql=open_in_sparql(reader, iri),
        nodes=writer.nodes(term),
    )  # fmt: skip


def _chosen(wanted: str, counts: Counter[str]) -> str:
    """The outcome that is listed: the one asked for, else the worst that is there."""
    if wanted in _OUTCOMES:
        return wanted
    return next((name for name in _OUTCOMES if counts[name]), _OUTCOMES[0])


def _notation(record: Described, term: str) -> str:
    return record.first(term, SKOS.notation) or ""


def _messages(reader: Reader, record: Described, shapes: Sequence[str]) -> list[Text]:
    """What the test says where it fails, in the reader's language, and nothing twice."""
    seen, queue = set(shapes), list(shapes)
    found: dict[Text, None] = {}
    while queue:
        said = record.of(queue.pop(0))
        messages = said.get(ref(SH.message), ())
        if messages:
            texts = {language_of(o) or "": plain(o) for o in messages}
            found[choose(texts, reader.lang)] = None
        fresh = [o for os in said.values() for o in os if o in record.subjects and o not in seen]
        seen.update(fresh)
        queue += sorted(fresh)
    return list(found)


def _judged(reader: Reader, verdicts: Sequence[Verdict]) -> list[Judged]:
    reader.load(iri for v in verdicts for iri in (v.dataset, *v.areas))
    return [
        Judged(reader.iri(v.dataset), v.outcome, v.date, v.automatic, [*map(reader.iri, v.areas)])
        for v in verdicts
    ]


def _areas(reader: Reader, verdicts: Iterable[Verdict]) -> list[str]:
    """The areas of the datasets, by name."""
    found = {area for verdict in verdicts for area in verdict.areas}
    reader.load(found)
    return sorted(found, key=lambda iri: reader.name(iri).text.casefold())


def _by_area(reader: Reader, iri: str, verdicts: Sequence[Verdict]) -> list[ScoreRow]:
    rows = [
        ScoreRow(
            reader.iri(area), score(reader, iri, [v for v in verdicts if area in v.areas], area)
        )
        for area in _areas(reader, verdicts)
    ]
    # Where most is to be done comes first.
    return sorted(rows, key=lambda row: row.score.met - row.score.tested)[:_AREAS]


def _in(verdicts: Iterable[Verdict], area: str) -> list[Verdict]:
    return [verdict for verdict in verdicts if area in verdict.areas]


def _trend(context: Context, reader: Reader, iri: str) -> list[Standing]:
    shown = reader.opened.release.number
    return [
        Standing(
            Value(Text(point.id, ""), reader.site.url(f"/releases/{point.id}")),
            point.created,
            Score(point.met, point.tested, ""),
        )
        for point in standing.trend(context, iri)
        if int(point.id[1:]) <= shown
    ]


# ---- all of them


def _natural(notation: str) -> list[tuple[int, str]]:
    """P2 before P10."""
    return [
        (int(part), "") if part.isdecimal() else (0, part)
        for part in re.findall(r"\d+|\D+", notation)
    ]


def scoreboard(reader: Reader) -> PrinciplesPage | None:
    """All principles that are tested, and how the areas stand; None where none is."""
    index, found = reader.opened.index, reader.opened.compliance
    total = find(index, kind="principle").total
    rows = [_row(reader, iri) for iri in _tested(reader)]
    if not rows:
        return None
    rows.sort(key=lambda row: (_natural(row.notation), row.subject.text.text))
    areas = _areas(reader, (v for verdicts in found.values() for v in verdicts))
    return PrinciplesPage(
        rows=rows,
        board=[BoardRow(reader.iri(area), _scores(reader, rows, area)) for area in areas[:_AREAS]],
        more=max(0, len(areas) - _AREAS),
        datasets=index.counts().get("dataset", 0),
        others=Tile(
            total, text(reader, "principles.all", total), reader.site.url("/principle?page=1")
        ),
    )


def _tested(reader: Reader) -> list[str]:
    """The principles of the release that have a test or a verdict."""
    verified = reader.opened.store.match(predicate=ref(f"{reader.opened.base}/ns#verifiedBy"))
    iris = {plain(s) for s, *_ in verified} | set(reader.opened.compliance)
    places = reader.opened.index.resources(iris)
    return sorted(iri for iri in iris if (place := places.get(iri)) and place.whole)


def _row(reader: Reader, iri: str) -> ScoreRow:
    place = reader.place(iri)
    record = Described(reader.opened.index.text(place.record) if place else "")
    return ScoreRow(
        subject=reader.iri(iri),
        notation=_notation(record, ref(iri)),
        summary=Writer(record, reader).text(ref(iri), SUMMARIES),
        score=score(reader, iri, reader.opened.compliance.get(iri, ())),
    )


def _scores(reader: Reader, rows: Sequence[ScoreRow], area: str) -> list[Score]:
    found = reader.opened.compliance
    return [
        score(reader, iri, _in(found.get(iri, ()), area), area)
        for iri in (row.subject.term for row in rows)
    ]


def scores_of(reader: Reader, area: str) -> list[ScoreRow]:
    """How the datasets of an area stand against each principle, the worst first."""
    found = []
    for iri in _tested(reader):
        held = _in(reader.opened.compliance.get(iri, ()), area)
        if held:
            found.append(ScoreRow(reader.iri(iri), score(reader, iri, held, area)))
    return sorted(found, key=lambda row: (row.score.met - row.score.tested, row.subject.text.text))
