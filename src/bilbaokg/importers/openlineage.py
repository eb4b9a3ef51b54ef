"""OpenLineage: its JSON read as lineage events, hostile until shown otherwise.

What identifies things must be right, or the event is refused with the place and the way to mend it:
times, run ids, namespaces and names. Facets are taken as they are, each by its exact text; what is
in them is judged by those who use it. Of the specification (2-0-2) all three kinds of events are
read: of runs, of jobs and of datasets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from json import JSONDecoder
from typing import Any, Final, NamedTuple

from bilbaokg.errors import BilbaokgError, Invalid, SyntaxFault, TooLarge
from bilbaokg.lineage import ENDS, Event, Name, Parent, Table
from bilbaokg.lineage.events import stamp
from bilbaokg.lineage.names import LONGEST

__all__ = ["EVENT_LIMIT", "read", "read_batch"]

EVENT_LIMIT: Final = 1 << 20
"""Bytes that one event may have."""
_STATES: Final = ("START", "RUNNING", *ENDS, "OTHER")
_MOST_TABLES: Final = 2000
_MOST_PAIRS: Final = 20_000
_MOST_FACETS: Final = 200
_FACET_NAME: Final = 200
_MOST_EVENTS: Final = 10_000
_AHEAD: Final = timedelta(days=1)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,18}))?(Z|z|[+-]\d\d(?::?\d\d)?)"
)
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = JSONDecoder(parse_constant=_no_number)


class _Member(NamedTuple):
    """A value, and where its text begins and ends."""

    value: Any
    start: int
    end: int


def read(content: bytes) -> Event:
    """The event of a JSON document. Raises SyntaxFault, Invalid, TooLarge."""
    _check_size(len(content))
    text = _decoded(content)
    return _event(text, _whole(text), "")


def read_batch(content: bytes) -> list[Event | BilbaokgError]:
    """The events of a JSON array, in order; where one cannot be used, what is wrong with it.

    Raises SyntaxFault where the document is no JSON, Invalid where it is no array.
    """
    text = _decoded(content)
    whole = _whole(text)
    if not isinstance(whole.value, list):
        raise Invalid("a batch is an array of events", hint="send one event to /api/v1/lineage")
    if len(whole.value) > _MOST_EVENTS:
        raise TooLarge(f"a batch of over {_MOST_EVENTS:,} events", hint="send several batches")
    return [_tried(text, item, f"/{n}") for n, item in enumerate(_elements(text, whole.start))]


def _tried(text: str, item: _Member, where: str) -> Event | BilbaokgError:
    try:
        # Characters, to begin with: there are no fewer bytes.
        _check_size(item.end - item.start)
        return _event(text, item, where)
    except BilbaokgError as error:
        error.where = error.where or where
        return error


def _check_size(size: int) -> None:
    if size > EVENT_LIMIT:
        raise TooLarge(
            f"the event is over {EVENT_LIMIT:,} bytes",
            hint="let the client leave out large facets, or send the event in parts",
        )


# ---- JSON with its exact texts


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"byte {error.start} is not UTF-8", hint="send UTF-8") from None


def _whole(text: str) -> _Member:
    start = _end_of_space(text, 0)
    try:
        value, end = _DECODER.raw_decode(text, start)
        if (after := _end_of_space(text, end)) < len(text):
            raise json.JSONDecodeError("more than one value", text, after)
    except json.JSONDecodeError as error:
        raise SyntaxFault(
            f"it is not JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from None
    except ValueError as error:
        raise SyntaxFault(f"it is not JSON that can be read: {error}") from None
    except RecursionError:
        raise Invalid("it is nested too deeply", hint="leave out what is nested so deep") from None
    return _Member(value, start, end)


def _end_of_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _members(text: str, member: _Member | None) -> dict[str, _Member]:
    """The members of an object of which it is known that it is one."""
    found: dict[str, _Member] = {}
    position = _end_of_space(text, member.start + 1) if member else len(text)
    while position < len(text) and text[position] == '"':
        name, position = _DECODER.raw_decode(text, position)
        start = _end_of_space(text, _end_of_space(text, position) + 1)
        value, end = _DECODER.raw_decode(text, start)
        found[name] = _Member(value, start, end)
        position = _next(text, end)
    return found


def _elements(text: str, start: int) -> Iterator[_Member]:
    """The elements of an array of which it is known that it is one."""
    position = _end_of_space(text, start + 1)
    while text[position] != "]":
        value, end = _DECODER.raw_decode(text, position)
        yield _Member(value, position, end)
        position = _next(text, end)


def _next(text: str, end: int) -> int:
    """Where the next member or element begins, or what closes them stands."""
    position = _end_of_space(text, end)
    return _end_of_space(text, position + 1) if text[position] == "," else position


# ---- events


def _event(text: str, whole: _Member, where: str) -> Event:
    if not isinstance(whole.value, dict):
        raise Invalid("an event is a JSON object", where=where or None)
    told = _members(text, whole)
    at = _at(whole.value.get("eventTime"), f"{where}/eventTime")
    producer = whole.value.get("producer")
    common: dict[str, Any] = {"at": at, "producer": producer if _is_text(producer) else ""}
    if _given(told, "run") or _is_run(whole.value):
        return _run_event(text, told, common, where)
    if found := _given(told, "dataset"):
        return Event(**common, tables=[_table(text, found, f"{where}/dataset")])
    return Event(**common, **_job_and_tables(text, told, where))


def _is_run(event: Mapping[str, Any]) -> bool:
    """Whether it says that it is of a run, with or without one."""
    schema = event.get("schemaURL")
    return event.get("eventType") is not None or (
        isinstance(schema, str) and schema.endswith("/RunEvent")
    )


def _run_event(text: str, told: Mapping[str, _Member], common: Any, where: str) -> Event:
    state = told["eventType"].value if _given(told, "eventType") else "OTHER"
    if state not in _STATES:
        raise Invalid(
            f"eventType is {_brief(state)}", where=f"{where}/eventType",
            hint=f"one of: {', '.join(_STATES)}",
        )  # fmt: skip
    run = _object(told, "run", where)
    within = _members(text, run)
    id = _run_id(within, f"{where}/run/runId")
    run_facets = _facets(text, within, "facets", f"{where}/run")
    parent = _parent(run.value.get("facets") or {})
    return Event(
        **common, state=state, run=id, run_facets=run_facets, parent=parent,
        **_job_and_tables(text, told, where),
    )  # fmt: skip


def _run_id(run: Mapping[str, _Member], where: str) -> str:
    found = run["runId"].value if "runId" in run else None
    if not isinstance(found, str) or not _UUID.fullmatch(found):
        raise Invalid(
            "there is no run id" if found is None else f"the run id {_brief(found)} is no UUID",
            where=where,
            hint="give every run a UUID of its own, and send it with each of its events",
        )
    return found.lower()


def _parent(facets: Mapping[str, Any]) -> Parent | None:
    """The parent that a run names, where it does so properly; the facet is kept in any case."""
    found = facets.get("parent") or facets.get("parentRun")
    if not isinstance(found, dict):
        return None
    run, job = found.get("run"), found.get("job")
    id = run.get("runId") if isinstance(run, dict) else None
    if not isinstance(id, str) or not _UUID.fullmatch(id) or not isinstance(job, dict):
        return None
    namespace, name = job.get("namespace"), job.get("name")
    if not (_is_name(namespace) and _is_name(name)):
        return None
    return Parent(id.lower(), Name(str(namespace), str(name)))


def _job_and_tables(text: str, told: Mapping[str, _Member], where: str) -> dict[str, Any]:
    job = _object(told, "job", where)
    inputs, outputs = (_tables(text, told, side, where) for side in ("inputs", "outputs"))
    if len(inputs) + len(outputs) > _MOST_TABLES or len(inputs) * len(outputs) > _MOST_PAIRS:
        raise Invalid(
            f"{len(inputs):,} inputs and {len(outputs):,} outputs in one event",
            where=f"{where}/inputs", hint="send events of the steps that the job consists of",
        )  # fmt: skip
    return {
        "job": _name(job.value, f"{where}/job"),
        "job_facets": _facets(text, _members(text, job), "facets", f"{where}/job"),
        "inputs": inputs,
        "outputs": outputs,
    }


def _tables(text: str, told: Mapping[str, _Member], side: str, where: str) -> list[Table]:
    found = _given(told, side)
    if found is None:
        return []
    if not isinstance(found.value, list):
        raise Invalid(f"{side} is no array", where=f"{where}/{side}", hint="send an array")
    elements = enumerate(_elements(text, found.start))
    return [_table(text, item, f"{where}/{side}/{n}") for n, item in elements]


def _table(text: str, item: _Member, where: str) -> Table:
    if not isinstance(item.value, dict):
        raise Invalid("a dataset is a JSON object", where=where)
    told = _members(text, item)
    own = {
        name: facet
        for key in ("inputFacets", "outputFacets")
        for name, facet in _facets(text, told, key, where).items()
    }
    return Table(_name(item.value, where), _facets(text, told, "facets", where), own)


def _facets(text: str, told: Mapping[str, _Member], key: str, where: str) -> dict[str, str]:
    """The exact text of each facet."""
    if (found := _given(told, key)) is None:
        return {}
    where = f"{where}/{key}"
    if not isinstance(found.value, dict):
        raise Invalid("facets are members of an object", where=where)
    if len(found.value) > _MOST_FACETS:
        raise Invalid(f"over {_MOST_FACETS} facets", where=where, hint="put some into one")
    for name in found.value:
        if not _is_name(name) or len(name) > _FACET_NAME:
            raise Invalid(f"a facet has the name {_brief(name)}", where=where, hint="a short name")
    facets = _members(text, found).items()
    return {name: text[f.start : f.end] for name, f in facets if f.value is not None}


# ---- values


def _given(told: Mapping[str, _Member], key: str) -> _Member | None:
    """A member that is there and not null."""
    return found if (found := told.get(key)) and found.value is not None else None


def _object(told: Mapping[str, _Member], key: str, where: str) -> _Member:
    found = _given(told, key)
    if found is None or not isinstance(found.value, dict):
        raise Invalid(
            f"there is no {key}" if found is None else f"{key} is no object",
            where=f"{where}/{key}", hint=f"an event of a run names its run and its job: send {key}",
        )  # fmt: skip
    return found


def _name(value: Mapping[str, Any], where: str) -> Name:
    for key in ("namespace", "name"):
        found = value.get(key)
        if not _is_name(found):
            raise Invalid(
                f"there is no {key}" if found is None else f"the {key} is {_brief(found)}",
                where=f"{where}/{key}", hint=f"a text of 1 to {LONGEST:,} characters",
            )  # fmt: skip
    return Name(value["namespace"], value["name"])


def _is_name(value: Any) -> bool:
    return _is_text(value) and len(value) <= LONGEST and not value.isspace()


def _is_text(value: Any) -> bool:
    """Whether it is a text that can be written in UTF-8."""
    return (
        isinstance(value, str) and value != "" and not any("\ud800" <= c < "\ue000" for c in value)
    )


def _at(value: Any, where: str) -> str:
    """A time as events keep it. Raises Invalid for what is none, and for the far future."""
    hint = "send RFC 3339 with a time zone, such as 2026-11-27T05:06:07.080Z"
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Invalid(
            "there is no time" if value is None else f"the time {_brief(value)} is not understood",
            where=where, hint=hint,
        )  # fmt: skip
    day, time, fraction, zone = found.groups()
    try:
        zone = "+00:00" if zone in "Zz" else zone
        moment = datetime.fromisoformat(
            f"{day}T{time}.{(fraction or '0'):0<6.6}{zone}"
            if time.count(":") == 2
            else f"{day}T{time}{zone}"
        )
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"there is no time {_brief(value)}", where=where, hint=hint) from None
    if moment > datetime.now(UTC) + _AHEAD:
        # It would stand against all that is told later.
        raise Invalid(f"the time {value} is to come", where=where, hint="set the client's clock")
    return stamp(moment)


def _brief(value: Any) -> str:
    """A value for a message, in ASCII and not long."""
    told = (
        json.dumps(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    )
    return told if len(told) <= 80 else f"{told[:80]}..."
