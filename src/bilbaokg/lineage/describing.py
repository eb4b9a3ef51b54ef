"""The statements that follow of what was told: tables with their columns, jobs, runs, derivations.

Pure functions from states to N-Triples lines. What pipelines send beyond that (queries, error
messages, settings, facets that nobody knows) stays in the states and out of the records: a record
may be published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf
from typing import Any, Final

from bilbaokg.lineage import facets
from bilbaokg.lineage.events import ENDS
from bilbaokg.lineage.facets import Origin, Origins
from bilbaokg.lineage.measurements import assertion_lines, digest
from bilbaokg.lineage.names import Name, column_iri, shown, table_iri
from bilbaokg.lineage.states import RESTART, ROOT, State
from bilbaokg.terms import (
    ADMS,
    CSVW,
    DCAT,
    DCT,
    PROV,
    RDF,
    RDFS,
    SCHEMA,
    SKOS,
    XSD,
    literal,
    ref,
)

__all__ = [
    "derivation_lines",
    "job_lines",
    "position",
    "run_lines",
    "run_state",
    "table_is_anew",
    "table_lines",
]

# Within which the end of a run that failed is told, too.
_SOON: Final = timedelta(minutes=1)
_TYPE: Final = ref(RDF.type)
_TABLE: Final = ref(CSVW.Table)
_COLUMN: Final = ref(CSVW.Column)
_ENTITY: Final = ref(PROV.Entity)
_ACTIVITY: Final = ref(PROV.Activity)
_PLAN: Final = ref(PROV.Plan)
_TITLE: Final = ref(DCT.title)
_DESCRIPTION: Final = ref(DCT.description)
_IDENTIFIER: Final = ref(DCT.identifier)
_HAS_PART: Final = ref(DCT.hasPart)
_PART_OF: Final = ref(DCT.isPartOf)
_SOURCE: Final = ref(DCT.source)
_COLUMN_NAME: Final = ref(CSVW.name)
_DATATYPE: Final = ref(CSVW.datatype)
_NATIVE_TYPE: Final = ref(SCHEMA.additionalType)
_POSITION: Final = ref(SCHEMA.position)
_KEYWORD: Final = ref(DCAT.keyword)
_VERSION: Final = ref(DCAT.version)
_INVALIDATED: Final = ref(PROV.invalidatedAtTime)
_DERIVED: Final = ref(PROV.wasDerivedFrom)
_INFLUENCED: Final = ref(PROV.wasInfluencedBy)
_LABEL: Final = ref(RDFS.label)
_STARTED: Final = ref(PROV.startedAtTime)
_ENDED: Final = ref(PROV.endedAtTime)
_USED: Final = ref(PROV.used)
_GENERATED: Final = ref(PROV.generated)
_STATUS: Final = ref(SCHEMA.actionStatus)
_READS: Final = ref(SCHEMA.object)
_WRITES: Final = ref(SCHEMA.result)
_ALIAS: Final = ref(ADMS.identifier)
_ALIAS_CLASS: Final = ref(ADMS.Identifier)
_NOTATION: Final = ref(SKOS.notation)
_AGENCY: Final = ref(ADMS.schemaAgency)
_ATTRIBUTED: Final = ref(PROV.qualifiedAttribution)
_ATTRIBUTION: Final = ref(PROV.Attribution)
_ROLE: Final = ref(DCAT.hadRole)
_STANDING: Final = ref(ADMS.status)
_AGENT: Final = ref(PROV.agent)
_AGENT_CLASS: Final = ref(PROV.Agent)
_ASSOCIATED: Final = ref(PROV.qualifiedAssociation)
_ASSOCIATION: Final = ref(PROV.Association)
_HAD_PLAN: Final = ref(PROV.hadPlan)
_QUALIFIED: Final = ref(PROV.qualifiedDerivation)
_DERIVATION: Final = ref(PROV.Derivation)
_OF: Final = ref(PROV.entity)
_INTEGER: Final = ref(XSD.integer)
_DATE_TIME: Final = ref(XSD.dateTime)

# The state of a run -> schema.org's word for it.
_STATUSES: Final = {
    "COMPLETE": ref(SCHEMA.CompletedActionStatus),
    "FAIL": ref(SCHEMA.FailedActionStatus),
    "ABORT": ref(SCHEMA.FailedActionStatus),
    "": ref(SCHEMA.ActiveActionStatus),
}
# Beginnings of the types that databases know -> the type of XML Schema. The first that fits.
_TYPES: Final = (
    ("bool", XSD.boolean), ("timestamp", XSD.dateTime), ("datetime", XSD.dateTime),
    ("date", XSD.date), ("time", XSD.time), ("bigint", XSD.long), ("long", XSD.long),
    ("smallint", XSD.short), ("tinyint", XSD.byte), ("int", XSD.integer), ("number", XSD.decimal),
    ("numeric", XSD.decimal), ("decimal", XSD.decimal), ("double", XSD.double),
    ("float8", XSD.double), ("float", XSD.float), ("real", XSD.float), ("varchar", XSD.string),
    ("char", XSD.string), ("text", XSD.string), ("string", XSD.string), ("nvarchar", XSD.string),
    ("uuid", XSD.string), ("binary", XSD.base64Binary), ("bytea", XSD.base64Binary),
    ("blob", XSD.base64Binary),
)  # fmt: skip
# Beginnings of the kinds of ownership that tools tell -> our role. The first that fits.
_ROLES: Final = (("steward", "steward"), ("maintain", "technical-custodian"))
_TRUE: Final = frozenset({"", "true"})


def table_is_anew(state: State, changed: Set[str]) -> bool:
    """Whether the lines of a table change by what was told. state: as it is now; changed: keys.

    To speak of a column adds nothing where the schema tells of it, nor to speak of a name that was
    told.
    """
    spoken = {key.removeprefix("field/") for key in changed if key.startswith("field/")}
    if any(key.startswith(("facet/", "name/", "quality/")) for key in changed):
        return True
    names = (key.removeprefix("spoken/") for key in changed if key.startswith("spoken/"))
    if any(f"name/{name}" not in state.registers for name in names):
        return True
    return bool(spoken) and not spoken <= _schema(state).keys()


def _schema(state: State) -> dict[str, dict[str, Any]]:
    """The columns that the schema tells of, by name."""
    return dict(facets.fields(facets.parsed(state.get("facet/schema"))))


def table_lines(base: str, iri: str, state: State, names: Sequence[Name]) -> list[str]:
    """A table as the pipelines describe it: names, documentation, columns, tags, nominations."""
    table = ref(iri)
    lines = [f"{table} {_TYPE} {_TABLE} .", f"{table} {_TYPE} {_ENTITY} ."]
    main = next(name for name in names if table_iri(base, name) == iri)
    lines += _named(table, main, _called(main, names))
    for name in names:
        node = _part(iri, "name", name.identifier)
        lines += [
            f"{table} {_ALIAS} {node} .",
            f"{node} {_TYPE} {_ALIAS_CLASS} .",
            f"{node} {_NOTATION} {literal(shown(name.name))} .",
            f"{node} {_AGENCY} {literal(shown(name.namespace))} .",
        ]
    lines += _documented(table, state)
    lines += _nominations(base, iri, state)
    tags = list(_tags(state))
    lines += [f"{table} {_KEYWORD} {literal(tag)} ." for column, tag in tags if not column]
    version = facets.text(facets.parsed(state.get("facet/version")).get("datasetVersion"))
    if version:
        lines.append(f"{table} {_VERSION} {literal(version)} .")
    kind = facets.text(facets.parsed(state.get("facet/datasetType")).get("datasetType"))
    if kind:
        lines.append(f"{table} {_NATIVE_TYPE} {literal(kind)} .")
    change = state.registers.get("facet/lifecycleStateChange")
    if change and facets.parsed(change.text).get("lifecycleStateChange") == "DROP":
        lines.append(f"{table} {_INVALIDATED} {_time(change.at)} .")
    lines += assertion_lines(base, iri, state)
    return lines + list(_columns(base, iri, state, tags))


def _called(main: Name, names: Sequence[Name]) -> str:
    """What people call a table: not by where its files are, if it has a name in a catalogue."""
    return min(names, key=lambda each: ("/" in each.name, each != main, each)).name


def _named(node: str, name: Name, called: str) -> list[str]:
    return [
        f"{node} {_TITLE} {literal(shown(called))} .",
        f"{node} {_IDENTIFIER} {literal(name.identifier)} .",
    ]


def _columns(
    base: str, iri: str, state: State, tags: Iterable[tuple[str | None, str]]
) -> Iterator[str]:
    """The columns of the schema, and those that only derivations speak of."""
    told = _schema(state)
    spoken = {column for column, _ in state.under("field/")}
    positions = {name: number for number, name in enumerate(told, 1)}
    table = ref(iri)
    same = (f" {_PART_OF} {table} .", f" {_TYPE} {_COLUMN} .", f" {_TYPE} {_ENTITY} .")
    for column in [*told, *sorted(spoken - told.keys())]:
        node, said = ref(column_iri(base, iri, column)), told.get(column, {})
        yield f"{table} {_HAS_PART} {node} ."
        native = facets.text(said.get("type"))
        yield from [node + end for end in (*same, *(_typed(native) if native else ()))]
        yield f"{node} {_COLUMN_NAME} {literal(shown(column))} ."
        if column in positions:
            yield f'{node} {_POSITION} "{positions[column]}"^^{_INTEGER} .'
        if description := facets.text(said.get("description")):
            yield f"{node} {_DESCRIPTION} {literal(description)} ."
    for of, tag in tags:
        if of in told or of in spoken:
            yield f"{ref(column_iri(base, iri, str(of)))} {_KEYWORD} {literal(tag)} ."


def position(told: str) -> float:
    """Where a column stands, of what schema:position says; behind all others where that is no
    number."""
    return int(told) if told.isdecimal() else inf


@lru_cache(1000)
def _typed(native: str) -> tuple[str, ...]:
    """How the statements end that tell of a column's type: as the database has it, and ours."""
    lowered = native.lower()
    known = next((xsd for start, xsd in _TYPES if lowered.startswith(start)), None)
    ours = (f" {_DATATYPE} {ref(known)} .",) if known else ()
    return (f" {_NATIVE_TYPE} {literal(native)} .", *ours)


def _documented(node: str, state: State) -> list[str]:
    told = facets.parsed(state.get("facet/documentation"))
    description = facets.text(told.get("description"))
    return [f"{node} {_DESCRIPTION} {literal(description)} ."] if description else []


def _tags(state: State) -> Iterator[tuple[str | None, str]]:
    """Column, None for the table or job itself, and the tag: its key, with a value that tells."""
    for tag in facets.items(facets.parsed(state.get("facet/tags")).get("tags")):
        if key := facets.text(tag.get("key")):
            value = facets.text(tag.get("value")) or ""
            # Airflow, whose tags have no value, gives the key as one.
            said = key if value == key or value.lower() in _TRUE else f"{key}={value}"
            yield facets.text(tag.get("field")), shown(said)


def _nominations(base: str, iri: str, state: State) -> Iterator[str]:
    """Who a tool says owns it: proposed to people, who decide; never a fact by itself."""
    for owner in facets.items(facets.parsed(state.get("facet/ownership")).get("owners")):
        name = facets.text(owner.get("name"))
        if not name:
            continue
        kind = (facets.text(owner.get("type")) or "").lower()
        role = next((ours for start, ours in _ROLES if kind.startswith(start)), "owner")
        node, agent = _part(iri, "nominated", f"{role} {name}"), _part(iri, "called", name)
        yield f"{ref(iri)} {_ATTRIBUTED} {node} ."
        yield f"{node} {_TYPE} {_ATTRIBUTION} ."
        yield f"{node} {_ROLE} <{base}/ns#{role}> ."
        yield f"{node} {_STANDING} <{base}/ns#nominated> ."
        yield f"{node} {_AGENT} {agent} ."
        yield f"{agent} {_TYPE} {_AGENT_CLASS} ."
        yield f"{agent} {_LABEL} {literal(shown(name))} ."


def job_lines(
    base: str, iri: str, state: State, parent: str | None, io: tuple[Iterable[str], Iterable[str]]
) -> list[str]:
    """A job: its name, documentation, tags, nominations, its parent job, what it reads and writes.

    parent: an IRI; io: the IRIs of the tables that it reads and writes now.
    """
    job, lines = ref(iri), [f"{ref(iri)} {_TYPE} {_PLAN} ."]
    if identifier := state.get("name"):
        name = Name.of(identifier)
        lines += _named(job, name, name.name)
    lines += _documented(job, state)
    lines += _nominations(base, iri, state)
    lines += [f"{job} {_KEYWORD} {literal(tag)} ." for column, tag in _tags(state) if not column]
    kind = facets.parsed(state.get("facet/jobType"))
    told = [facets.text(kind.get(key)) for key in ("integration", "processingType", "jobType")]
    if any(told):
        lines.append(f"{job} {_NATIVE_TYPE} {literal(shown(' '.join(filter(None, told))))} .")
    if parent and parent != iri:
        lines.append(f"{job} {_PART_OF} {ref(parent)} .")
    reads, writes = io
    lines += [f"{job} {_READS} {ref(table)} ." for table in reads]
    return lines + [f"{job} {_WRITES} {ref(table)} ." for table in writes]


def run_state(state: State) -> str:
    """How a run stands: COMPLETE, FAIL or ABORT by its last such event, "" while it has none.

    A failure stands above a COMPLETE that comes soon after it, unless the run was started again in
    between: Spark tells that a query failed, and some milliseconds later that it is over.
    """
    ends = [(state.registers[key].at, end) for end in ENDS if (key := f"state/{end}") in
            state.registers]  # fmt: skip
    again = state.registers.get(RESTART)
    since = again.at if again else ""
    over = next((at for at, end in ends if end == "COMPLETE"), "")
    failures = [
        (at, end) for at, end in ends
        if end != "COMPLETE" and at >= since and not (over and _is_another_try(at, over))
    ]  # fmt: skip
    return max(failures or ends)[1] if ends else ""


def _is_another_try(failed: str, over: str) -> bool:
    return datetime.fromisoformat(over) - datetime.fromisoformat(failed) > _SOON


def run_lines(
    iri: str, state: State, job: str | None, parent: str | None,
    io: tuple[Iterable[str], Iterable[str]],
) -> list[str]:  # fmt: skip
    """A run: when, by which job and within which run, how it stands, what it read and wrote.

    job and parent are IRIs; io: the IRIs of the tables.
    """
    run, status = ref(iri), run_state(state)
    lines = [f"{run} {_TYPE} {_ACTIVITY} ."]
    if not state.registers.keys() <= {"child-job", ROOT}:
        lines.append(f"{run} {_STATUS} {_STATUSES[status]} .")
    started = state.registers.get("state/START")
    if started:
        lines.append(f"{run} {_STARTED} {_time(started.at)} .")
    if status:
        lines.append(f"{run} {_ENDED} {_time(state.registers[f'state/{status}'].at)} .")
    called = state.get("job") or state.get("child-job")
    if called:
        when = _readable(started.at) if started else ""
        label = " ".join(filter(None, (shown(Name.of(called).name), when)))
        lines.append(f"{run} {_LABEL} {literal(label)} .")
    if job:
        node = f"<{iri}#plan>"
        lines += [
            f"{run} {_ASSOCIATED} {node} .",
            f"{node} {_TYPE} {_ASSOCIATION} .",
            f"{node} {_HAD_PLAN} {ref(job)} .",
        ]
    if parent:
        lines.append(f"{run} {_PART_OF} {ref(parent)} .")
    reads, writes = io
    lines += [f"{run} {_USED} {ref(table)} ." for table in reads]
    return lines + [f"{run} {_GENERATED} {ref(table)} ." for table in writes]


def derivation_lines(
    base: str, iri: str, job: str | None, reads: Iterable[str], told: Origins,
    resolve: Callable[[Name], str],
) -> list[str]:  # fmt: skip
    """What a job makes a table of (all IRIs): the tables it reads, and the columns as far as told.

    A column that comes from a column makes its table come from that one's table. One that bears on
    all rows, as a filter does, influences the table.
    """
    table = ref(iri)
    tables = {*reads, *(resolve(origin.table) for origin in told.all)} - {iri}
    lines = [f"{table} {_DERIVED} {ref(source)} ." for source in sorted(tables)]
    for origin in told.whole:
        source = column_iri(base, resolve(origin.table), origin.field)
        lines.append(f"{table} {_INFLUENCED} {ref(source)} .")
        lines += _qualified(base, iri, source, job, origin)
    for column, found in told.columns.items():
        own = column_iri(base, iri, column)
        for origin in found:
            source = column_iri(base, resolve(origin.table), origin.field)
            if source != own:
                lines.append(f"{ref(own)} {_DERIVED} {ref(source)} .")
                lines += _qualified(base, own, source, job, origin)
    return lines


def _qualified(base: str, iri: str, source: str, job: str | None, origin: Origin) -> list[str]:
    node = _part(iri, "from", f"{source} {job} {origin.how}")
    lines = [
        f"{ref(iri)} {_QUALIFIED} {node} .",
        f"{node} {_TYPE} {_DERIVATION} .",
        f"{node} {_OF} {ref(source)} .",
    ]
    if job:
        lines.append(f"{node} {_SOURCE} {ref(job)} .")
    if origin.how:
        lines.append(f"{node} <{base}/ns#transformation> {literal(origin.how)} .")
    return lines


def _part(iri: str, kind: str, exact: str) -> str:
    """A part of a resource that has no address of its own, as a term."""
    return f"<{iri}#{kind}-{digest(exact)}>"


def _time(at: str) -> str:
    short = f"{at.removesuffix('Z').rstrip('0').removesuffix('.')}Z"
    return f'"{short}"^^{_DATE_TIME}'


def _readable(at: str) -> str:
    return at[:19].replace("T", " ")
