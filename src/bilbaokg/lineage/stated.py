"""What a release states of tables, jobs and runs, as OpenLineage events (spec 2-0-2).

Other than `recorded`, which gives again what pipelines told, this needs nothing but public
statements: it speaks of what stewards wrote, too. A derivation that no job, no run and no column
tells has no word in OpenLineage and is left out.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

from bilbaokg.lineage.describing import position
from bilbaokg.lineage.edges import Edge, Kind
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.names import Name, job_iri, table_iri
from bilbaokg.lineage.walking import columns_of
from bilbaokg.lineage.written import PRODUCER, Told, event, line, named
from bilbaokg.terms import ADMS, CSVW, DCT, PROV, SCHEMA, SKOS, language_of, plain, ref

__all__ = ["events"]

_FACETS: Final = "https://openlineage.io/spec/facets/"
_SCHEMAS: Final = {
    "schema": "1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "documentation": "1-1-0/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet",
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
}
_ENDED: Final = {SCHEMA.FailedActionStatus: "FAIL", SCHEMA.ActiveActionStatus: "RUNNING"}
# Pipelines speak of tables, files and what is elsewhere.
_NOT_TOLD: Final = ("dataset", "column")
_HOW: Final = "/ns#transformation>"
_CODED: Final = re.compile(
    r"(?P<type>(?:IN)?DIRECT)(?:/(?P<subtype>[A-Z_]+))?(?P<masking> masking)?"
    r"(?:: (?P<description>.+))?",
    re.DOTALL,
)


def events(ground: Ground, at: str) -> Iterator[str]:
    """Events of all tables, then all jobs and runs, by IRI: a line each. at: when the release was
    made, as xsd:dateTime; runs have their own times."""
    teller = _Teller(ground, at)
    for kind, told in (("table", teller.table), ("job", teller.job), ("run", teller.run)):
        yield from map(line, filter(None, map(told, ground.graph.of_level(kind))))


class _Teller:
    """Makes the events of one release."""

    def __init__(self, ground: Ground, at: str) -> None:
        self.ground, self.at = ground, at
        self._ways: dict[str, dict[str, list[Told]]] = {}

    # ---- what stands in the release

    def _all(self, iri: str, predicate: str) -> list[str]:
        return [o for _, _, o, _ in self.ground.store.match(ref(iri), ref(predicate))]

    def _text(self, iri: str, predicate: str) -> str:
        found = self._all(iri, predicate)
        return plain(min(found, key=self._order)) if found else ""

    def _order(self, term: str) -> tuple[bool, str]:
        """Texts in the language that is asked for come first."""
        return language_of(term) != self.ground.lang, term

    def _name(self, iri: str, minted: Any = table_iri) -> Name:
        """The name under which pipelines know a thing; of others, what a client would make of an
        address."""
        told = self._text(iri, DCT.identifier)
        if "/" in told and minted(self.ground.base, name := Name.of(told)) == iri:
            return name
        for node in map(plain, self._all(iri, ADMS.identifier)):
            known = Name(self._text(node, ADMS.schemaAgency), self._text(node, SKOS.notation))
            if all(known) and minted(self.ground.base, known) == iri:
                return known
        scheme, met, rest = iri.partition("://")
        if not met:
            return Name(*iri.split(":", 1))
        host, _, path = rest.partition("/")
        return Name(f"{scheme}://{host}", path or "/")

    def _column(self, iri: str) -> tuple[Name, str] | None:
        """The table of a column with the name that the column has there."""
        table, name = self._text(iri, DCT.isPartOf), self._text(iri, CSVW.name)
        return (self._name(table), name) if table and name else None

    # ---- events

    def table(self, iri: str) -> Told | None:
        """What a table is, and what its columns come from where no job says it."""
        facets = self._described(iri)
        if ways := self._lineage(iri).get(""):
            facets["columnLineage"] = _column_lineage(ways)
        if not facets:
            return None
        return event(self.at, "DatasetEvent", dataset=self._dataset(iri, facets))

    def job(self, iri: str) -> Told | None:
        """What a job reads and writes without a run."""
        sides = self._sides(iri, Kind.READS, Kind.WRITES)
        if not any(sides.values()):
            return None
        return event(self.at, "JobEvent", job={**named(self._name(iri, job_iri)), "facets": {}},
                     **self._told(sides, iri))  # fmt: skip

    def run(self, iri: str) -> Told | None:
        """A run as it ended, with what it used and generated."""
        job = next(
            (
                plain(plan)
                for node in map(plain, self._all(iri, PROV.qualifiedAssociation))
                for plan in self._all(node, PROV.hadPlan)
            ),
            "",
        )
        if not job:
            return None
        slug = iri.rpartition("/")[2]
        try:
            id = str(uuid.UUID(slug))
        except ValueError:
            id = str(uuid.uuid5(uuid.NAMESPACE_URL, iri))
        at = self._text(iri, PROV.endedAtTime) or self._text(iri, PROV.startedAtTime) or self.at
        state = _ENDED.get(self._text(iri, SCHEMA.actionStatus), "COMPLETE")
        sides = self._sides(iri, Kind.USED, Kind.GENERATED)
        return event(at, "RunEvent", eventType=state, run={"runId": id, "facets": {}},
                     job={**named(self._name(job, job_iri)), "facets": {}},
                     **self._told(sides, job))  # fmt: skip

    def _sides(self, iri: str, reads: Kind, writes: Kind) -> dict[str, list[str]]:
        def there(direction: str, kind: Kind) -> list[str]:
            found: list[Edge] = self.ground.graph.neighbours(iri, direction)
            ends = {e.source if direction == "upstream" else e.target for e in found
                    if e.kind == kind}  # fmt: skip
            return sorted(e for e in ends if self.ground.graph.level(e) not in _NOT_TOLD)

        return {"inputs": there("upstream", reads), "outputs": there("downstream", writes)}

    def _told(self, sides: dict[str, list[str]], job: str) -> dict[str, list[Told]]:
        outputs = []
        for iri in sides["outputs"]:
            ways = self._lineage(iri).get(job)
            facets = {"columnLineage": _column_lineage(ways)} if ways else {}
            outputs.append(self._dataset(iri, facets))
        return {"inputs": [self._dataset(i, {}) for i in sides["inputs"]], "outputs": outputs}

    def _dataset(self, iri: str, facets: Told) -> Told:
        whole = {
            name: {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}{_SCHEMAS[name]}", **told}
            for name, told in facets.items()
        }
        return {**named(self._name(iri)), "facets": whole}

    def _described(self, iri: str) -> Told:
        parts = columns_of(self.ground.store, iri)
        ordered = sorted(parts, key=lambda c: (position(self._text(c, SCHEMA.position)), c))
        fields = [field for column in ordered if (field := self._field(column))["name"]]
        facets: Told = {"schema": {"fields": fields}} if fields else {}
        if description := self._text(iri, DCT.description):
            facets["documentation"] = {"description": description}
        return facets

    def _field(self, iri: str) -> Told:
        kind = self._text(iri, SCHEMA.additionalType)
        kind = kind or self._text(iri, CSVW.datatype).rpartition("#")[2]
        told = {"type": kind, "description": self._text(iri, DCT.description)}
        return {"name": self._text(iri, CSVW.name), **{k: v for k, v in told.items() if v}}

    # ---- from column to column

    def _lineage(self, table: str) -> dict[str, list[Told]]:
        """What the columns of a table, and all its rows, come from: by the job that says it, ""
        where none does. Each is an input field with the column that it makes ("" for all rows)."""
        if table in self._ways:
            return self._ways[table]
        found: dict[str, list[Told]] = {}
        for part in (table, *columns_of(self.ground.store, table)):
            own = "" if part == table else self._text(part, CSVW.name)
            said = set()
            for node in map(plain, self._all(part, PROV.qualifiedDerivation)):
                source = self._text(node, PROV.entity)
                if field := self._column(source):
                    said.add(source)
                    self._add(found, self._text(node, DCT.source), own, field, self._how(node))
            for source in map(plain, self._all(part, PROV.wasDerivedFrom)):
                if own and source not in said and (field := self._column(source)):
                    self._add(found, "", own, field, "")
        self._ways[table] = found
        return found

    def _add(self, found: dict[str, list[Told]], job: str, own: str, field: tuple[Name, str],
             how: str) -> None:  # fmt: skip
        told: Told = {**named(field[0]), "field": field[1]}
        if how:
            told["transformations"] = [_transformation(how)]
        found.setdefault(job, []).append({"of": own, "field": told})

    def _how(self, node: str) -> str:
        said = [o for _, p, o, _ in self.ground.store.match(ref(node)) if p.endswith(_HOW)]
        return plain(min(said, key=self._order)) if said else ""


def _column_lineage(ways: list[Told]) -> Told:
    fields: dict[str, list[Told]] = {}
    for way in ways:
        fields.setdefault(way["of"], []).append(way["field"])
    whole = fields.pop("", [])
    told: Told = {"fields": {name: {"inputFields": held} for name, held in fields.items()}}
    return {**told, "dataset": whole} if whole else told


def _transformation(how: str) -> Told:
    """How a column is made, as pipelines code it (see facets) or as people describe it."""
    coded = _CODED.fullmatch(how)
    if coded is None:
        return {"type": "DIRECT", "description": how}
    told = {**coded.groupdict(), "masking": bool(coded["masking"])}
    return {name: value for name, value in told.items() if value}
