"""Pages that list: home, datasets with their facets, records of a kind, the table as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from bilbaokg import render
from bilbaokg.index import FACETS, SORTS, Listing, Row, Text, find
from bilbaokg.reports.tables import as_csv
from bilbaokg.server.cards import cards, hints, names, text
from bilbaokg.server.guides import has_tour
from bilbaokg.server.paging import page_number, pager
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import (
    Action,
    Choice,
    DatasetRow,
    DatasetsPage,
    FacetGroup,
    Heading,
    HomePage,
    KindPage,
    Listed,
    Pager,
    Tile,
)

__all__ = ["Form", "datasets", "home", "kind", "table", "where_used"]

_SIZE: Final = 20
_TABLE_SIZE: Final = 50
_LONGEST: Final = 200
_SHOWN_CHOICES: Final = 40
# The facets that the list of datasets offers; the others filter too, but only links choose them.
_OFFERED: Final = (
    "theme", "area", "format", "owner", "steward", "custodian", "status", "quality", "validity",
    "freshness", "lineage", "principles", "access", "licence", "hvd", "publisher", "gap",
)  # fmt: skip
_OPEN: Final = ("theme", "area", "format")
_COLUMNS: Final = (
    "area", "owner", "steward", "custodian", "publisher", "theme", "format", "licence", "access",
    "status", "quality", "validity", "freshness", "lineage", "principles", "gap",
)  # fmt: skip
# What the table shows between title and date.
_TABLE: Final = ("owner", "steward", "quality", "validity", "freshness")
_TILES: Final = ("dataset", "series", "service", "unit", "principle", "concept")
# Kinds that the home page offers below, in this order.
_KINDS: Final = (
    "series", "service", "unit", "agent", "principle", "concept", "scheme", "table", "job", "run",
    "catalog", "policy", "shared",
)  # fmt: skip


class Form:
    """The filters of a list, as its address carries them."""

    def __init__(self, given: QueryParams) -> None:
        self.q = given.get("q", "").strip()[:_LONGEST]
        held = {name: [v for v in given.getlist(name) if v] for name in FACETS}
        self.filters: dict[str, list[str]] = {
            name: list(dict.fromkeys(values))[:_SIZE] for name, values in held.items() if values
        }
        self.sort = self._sort(given.get("sort", ""))
        self.page = page_number(given.get("page"))
        self.is_table = given.get("view") == "table"

    def _sort(self, wanted: str) -> str:
        """The order asked for; by relevance only where there are words."""
        allowed = [sort for sort in SORTS if self.q or sort != "relevance"]
        return wanted if wanted in allowed else allowed[0]

    def link(
        self, *, page: int | None = None, q: str | None = None, sort: str | None = None,
        without: tuple[str, str] | None = None, is_table: bool | None = None,
    ) -> str:  # fmt: skip
        """The query string of this list: of another page, with other words, in another order,
        without a filter, as a table or as cards."""
        q, sort = self.q if q is None else q, sort or self.sort
        pairs: list[tuple[str, object]] = [("q", q)] if q else []
        pairs += [(n, v) for n, held in self.filters.items() for v in held if (n, v) != without]
        if sort != ("relevance" if q else "modified") and (q or sort != "relevance"):
            pairs.append(("sort", sort))
        if self.is_table if is_table is None else is_table:
            pairs.append(("view", "table"))
        return urlencode([*pairs, *([("page", page)] if page else [])])


# ---- parts


def _tiles(reader: Reader, facet: str, rows: Sequence[tuple[str, int]]) -> list[Tile]:
    called = names(reader, facet, [value for value, _ in rows])
    return [
        Tile(count, called[value].text, reader.site.url(f"/datasets?{urlencode({facet: value})}"))
        for value, count in rows
    ]


def _pager(site: render.Site, path: str, listing: Listing, form: Form) -> Pager:
    def address(page: int) -> str:
        return site.url(f"{path}?{form.link(page=page)}")

    return pager(listing.page, listing.size, listing.total, address)


# ---- home


def home(reader: Reader, changes: tuple[int, int, int]) -> HomePage:
    """The entrance; `changes` are the new, changed and gone records of the release."""
    index, site = reader.opened.index, reader.site
    counts = index.counts()
    # Norms of others are kept as principles are, but only ours stand in a scheme.
    own = sum(n for _, n in find(index, kind="principle").facets(("scheme",))["scheme"])
    counts |= {"principle": own} if own else {}
    found = find(index)
    facets = found.facets(("theme", "area", "gap"))
    recent = found.page(reader.lang, "modified", size=6)

    def tile(kind: str) -> Tile:
        path = "/datasets" if kind == "dataset" else f"/{kind}"
        return Tile(counts[kind], text(reader, f"kind.{kind}", counts[kind]), site.url(path))

    return HomePage(
        title=site.title,
        tiles=[tile(kind) for kind in _TILES if counts.get(kind)],
        themes=_tiles(reader, "theme", facets["theme"][:12]),
        areas=_tiles(reader, "area", facets["area"][:12]),
        gaps=_tiles(reader, "gap", facets["gap"]),
        recent=cards(reader, recent.rows),
        release=reader.opened.release.id,
        released=reader.opened.release.created_at,
        changes=changes,
        tour=has_tour(reader),
        kinds=[tile(kind) for kind in _KINDS if counts.get(kind)],
    )


# ---- datasets


def datasets(reader: Reader, form: Form) -> DatasetsPage:
    """The datasets that fit the form."""
    index, site = reader.opened.index, reader.site
    found = find(index, form.q, form.filters)
    size = _TABLE_SIZE if form.is_table else _SIZE
    listing = found.page(reader.lang, form.sort, form.page, size)
    facets = found.facets(_OFFERED)
    reader.load(value for rows in facets.values() for value, _ in rows)
    elsewhere = [
        Tile(n, text(reader, f"kind.{kind}", n), site.url(f"/{kind}?{urlencode({'q': form.q})}"))
        for kind, n in found.kinds().items()
        if kind != "dataset" and render.has_text(f"kind.{kind}")
    ]

    def address(q: str, filtered: bool) -> str:
        return site.url(f"/datasets?{form.link(q=q) if filtered else urlencode({'q': q})}")

    return DatasetsPage(
        q=form.q,
        sorts=[
            Choice(sort, Text(text(reader, f"sort.{sort}"), ""), chosen=sort == form.sort)
            for sort in SORTS
            if sort != "relevance" or form.q
        ],
        facets=[_facet(reader, name, facets[name], form) for name in _OFFERED],
        hidden=[(n, v) for n, held in form.filters.items() if n not in _OFFERED for v in held],
        chips=_chips(reader, form),
        clear=site.url("/datasets"),
        cards=[] if form.is_table else cards(reader, listing.rows, found.words),
        headings=list(_headings(reader, form)) if form.is_table else [],
        rows=list(_table_rows(reader, listing.rows)) if form.is_table else [],
        other=site.url(f"/datasets?{form.link(is_table=not form.is_table)}"),
        pager=_pager(site, "/datasets", listing, form),
        csv=site.url(f"/datasets.csv?{form.link(is_table=False)}"),
        elsewhere=elsewhere,
        hints=hints(reader, found, form.q, address),
    )


def _headings(reader: Reader, form: Form) -> Iterator[Heading]:
    for name in ("title", *_TABLE, "modified"):
        if name in _TABLE:
            yield Heading(name, text(reader, f"facet.{name}"))
            continue
        way = "ascending" if name == "title" else "descending"
        href = reader.site.url(f"/datasets?{form.link(sort=name)}")
        yield Heading(name, text(reader, f"sort.{name}"), href, way if name == form.sort else "")


def _table_rows(reader: Reader, rows: Sequence[Row]) -> Iterator[DatasetRow]:
    reader.load(value for row in rows for name in _TABLE for value in row.facets.get(name, ()))
    for row in rows:
        held = {name: row.facets.get(name, []) for name in _TABLE}
        cells = {name: list(names(reader, name, values).values()) for name, values in held.items()}
        yield DatasetRow(reader.site.url(f"/{quote(row.id)}"), row.title, row.modified, cells)


def _facet(reader: Reader, name: str, rows: Sequence[tuple[str, int]], form: Form) -> FacetGroup:
    chosen = form.filters.get(name, [])
    # A chosen value stays in the form even where nothing has it any more.
    held = [*rows[:_SHOWN_CHOICES], *((v, n) for v, n in rows[_SHOWN_CHOICES:] if v in chosen)]
    present = {value for value, _ in rows}
    held += [(value, 0) for value in chosen if value not in present]
    called = names(reader, name, [value for value, _ in held])
    choices = [Choice(value, called[value], n, value in chosen) for value, n in held]
    more = sum(value not in chosen for value, _ in rows[_SHOWN_CHOICES:])
    is_open = bool(chosen) or name in _OPEN
    return FacetGroup(name, text(reader, f"facet.{name}"), choices, is_open, more)


def _chips(reader: Reader, form: Form) -> list[Action]:
    chips = []
    if form.q:
        href = reader.site.url(f"/datasets?{form.link(q='')}")
        quoted = f"{text(reader, 'quote.open')}{form.q}{text(reader, 'quote.close')}"
        chips.append(Action(quoted, href))
    for name, values in form.filters.items():
        called = names(reader, name, values)
        for value in values:
            href = reader.site.url(f"/datasets?{form.link(without=(name, value))}")
            chips.append(Action(f"{text(reader, f'facet.{name}')}: {called[value].text}", href))
    return chips


def table(reader: Reader, form: Form) -> Iterator[str]:
    """All pages of the list as CSV (RFC 4180), piece by piece, names in the reader's language."""
    found = find(reader.opened.index, form.q, form.filters)
    yield as_csv([["id", "iri", "title", "issued", "modified", *_COLUMNS]])
    for rows in found.rows(reader.lang, form.sort):
        reader.load(v for row in rows for f in _COLUMNS for v in row.facets.get(f, ()))
        yield as_csv(_cells(reader, row) for row in rows)


def _cells(reader: Reader, row: Row) -> list[str]:
    values = [
        "; ".join(text.text for text in names(reader, f, row.facets.get(f, [])).values())
        for f in _COLUMNS
    ]
    return [row.id, row.iri, row.title.text, row.issued or "", row.modified or "", *values]


# ---- other lists


def kind(reader: Reader, name: str, form: Form) -> KindPage:
    """All records of a kind, by name; narrowed by words and by vocabulary."""
    index, site = reader.opened.index, reader.site
    chosen = form.filters.get("scheme", [""])[0]
    form.filters = {"scheme": [chosen]} if chosen else {}
    form.sort = "relevance" if form.q else "title"
    found = find(index, form.q, form.filters, name)
    schemes = found.facets(("scheme",))["scheme"]
    listing = found.page(reader.lang, form.sort, form.page, 60)
    called = names(reader, "scheme", [value for value, _ in schemes])

    def address(q: str, filtered: bool) -> str:
        held = {"scheme": chosen} if filtered and chosen else {}
        return site.url(f"/{name}?{urlencode({'q': q, **held})}")

    words = {"q": form.q} if form.q else {}
    return KindPage(
        kind=name,
        q=form.q,
        scheme=chosen,
        schemes=[
            Tile(
                n,
                called[value].text,
                site.url(f"/{name}?{urlencode({**words, 'scheme': value})}"),
                value == chosen,
            )
            for value, n in schemes
        ],
        rows=cards(reader, listing.rows, found.words),
        pager=_pager(site, f"/{name}", listing, form),
        hints=hints(reader, found, form.q, address),
    )


def where_used(reader: Reader, iri: str) -> list[Listed]:
    """The datasets for which a resource is the area, the theme, the format..."""
    index, site = reader.opened.index, reader.site
    found = []
    # Who owns is the area that answers: told once.
    uses = {facet: total for facet, total in index.uses(iri).items() if facet != "owner"}
    for facet, total in uses.items():
        listing = find(index, filters={facet: [iri]}).page(reader.lang, "title", size=_SIZE)
        href = site.url(f"/datasets?{urlencode({facet: iri})}")
        found.append(Listed(facet, total, cards(reader, listing.rows), href))
    return sorted(found, key=lambda listed: FACETS.index(listed.facet))
