"""The pages of areas and organisations, and of the roles that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from bilbaokg.index import Where, find
from bilbaokg.server import findings, lists, principles
from bilbaokg.server.cards import names, text
from bilbaokg.server.described import SUMMARIES, TITLES, Described, Writer, formats, open_in_sparql
from bilbaokg.server.pointing import incoming
from bilbaokg.server.reading import Reader, anchor
from bilbaokg.server.views import Holding, RolesPage, RoleTable, Tile, UnitPage, Value
from bilbaokg.terms import ORG, plain, ref

__all__ = ["page", "roles"]

_FIGURES: Final = ("area", "owner", "steward", "custodian", "publisher")
# The roles by their facets: their names in the scheme, and whether every dataset should have it.
_ROLES: Final = {
    "owner": ("owner", True), "steward": ("steward", True),
    "custodian": ("technical-custodian", False),
}  # fmt: skip
_TASKS: Final = 12
_ROWS: Final = 60
_ABOVE: Final = (ORG.unitOf, ORG.subOrganizationOf)
_BELOW: Final = (ORG.hasUnit, ORG.hasSubOrganization)


def page(reader: Reader, place: Where, number: int = 1) -> UnitPage:
    """The page of a unit or an organisation; `number` is the page of what points to it."""
    record = Described(reader.opened.index.text(place.record))
    writer, term, iri = Writer(record, reader), ref(place.iri), place.iri
    skip = [next((p for p in some if p in record.of(term)), "") for some in (TITLES, SUMMARIES)]
    listed = lists.where_used(reader, iri)
    datasets = find(reader.opened.index, filters={"area": [iri]}).iris()
    tasks = findings.of_datasets(reader, datasets)
    return UnitPage(
        id=place.record,
        iri=iri,
        kind=place.page.partition("/")[0],
        title=reader.name(iri),
        summary=writer.text(term, SUMMARIES),
        parents=_around(reader, iri, _ABOVE, _BELOW),
        parts=_parts(reader, _around(reader, iri, _BELOW, _ABOVE)),
        figures=_figures(reader, iri),
        gaps=_gaps(reader, iri),
        tasks=tasks[:_TASKS],
        more=max(0, len(tasks) - _TASKS),
        scores=principles.scores_of(reader, iri),
        coverage=reader.site.url(f"/lineage/coverage#{anchor(iri)}"),
        listed=listed,
        groups=writer.groups(term, skip=skip),
        incoming=incoming(reader, iri, bool(listed), number),
        formats=formats(reader, place.record),
        sparql=open_in_sparql(reader, iri),
        nodes=writer.nodes(term),
    )


def _around(reader: Reader, iri: str, said: Sequence[str], pointing: Sequence[str]) -> list[Value]:
    """The units above it or below it, however the catalogue says so."""
    store, term = reader.opened.store, ref(iri)
    found = {o for p in said for _, _, o, *_ in store.match(term, ref(p))}
    found |= {s for p in pointing for s, *_ in store.match(predicate=ref(p), object=term)}
    reader.load(map(plain, found))
    values = [reader.iri(plain(t)) for t in found if t.startswith("<") and t != term]
    return sorted(values, key=lambda value: value.text.text.casefold())


def _parts(reader: Reader, units: Sequence[Value]) -> list[Tile]:
    """Units with how many datasets they answer for."""
    held = reader.opened.index.facet("area")
    return [
        Tile(len(held.get(unit.term, ())), unit.text.text, unit.href or "")
        for unit in units[:_ROWS]
    ]


def _list(reader: Reader, **filters: str) -> str:
    return reader.site.url(f"/datasets?{urlencode(filters)}")


def _figures(reader: Reader, iri: str) -> list[Tile]:
    """How many datasets it has in each capacity."""
    uses = reader.opened.index.uses(iri)
    return [
        Tile(uses[name], text(reader, f"unit.figure.{name}"), _list(reader, **{name: iri}))
        for name in _FIGURES
        if name in uses
    ]


def _gaps(reader: Reader, iri: str) -> list[Tile]:
    """What its datasets lack, most first."""
    rows = find(reader.opened.index, filters={"area": [iri]}).facets(("gap",))["gap"]
    called = names(reader, "gap", [name for name, _ in rows])
    return [Tile(n, called[name].text, _list(reader, area=iri, gap=name)) for name, n in rows]


# ---- roles


def roles(reader: Reader) -> RolesPage:
    """Who holds which role, and where nobody does."""
    total = find(reader.opened.index).total
    return RolesPage([_role(reader, name) for name in _ROLES], total, _holdings(reader))


def _holdings(reader: Reader) -> list[Holding]:
    """What each unit holds, those with most first."""
    held: dict[str, dict[str, int]] = {}
    for name, rows in find(reader.opened.index).facets(tuple(_ROLES)).items():
        for iri, count in rows:
            held.setdefault(iri, {})[name] = count
    most = sorted(held, key=lambda iri: (-sum(held[iri].values()), iri))[:_ROWS]
    reader.load(most)
    return [
        Holding(
            reader.iri(iri),
            {name: Tile(n, "", _list(reader, **{name: iri})) for name, n in held[iri].items()},
        )
        for iri in most
    ]


def _role(reader: Reader, name: str) -> RoleTable:
    index = reader.opened.index
    called, needed = _ROLES[name]
    everything = find(index)
    holders = everything.facets((name,))[name]
    areas = find(index, filters={"gap": [name]}).facets(("area",))["area"] if needed else []
    reader.load(iri for iri, _ in (*holders, *areas))
    held = find(index, filters={name: [iri for iri, _ in holders]}).total if holders else 0
    return RoleTable(
        name=name,
        role=reader.iri(f"{reader.opened.base}/ns#{called}"),
        needed=needed,
        holders=[
            Tile(n, reader.name(iri).text, _list(reader, **{name: iri}))
            for iri, n in holders[:_ROWS]
        ],
        held=held,
        vacant=Tile(everything.total - held, "", _list(reader, gap=name) if needed else ""),
        vacancies=[
            Tile(n, reader.name(iri).text, _list(reader, area=iri, gap=name))
            for iri, n in areas[:_ROWS]
        ],
    )
