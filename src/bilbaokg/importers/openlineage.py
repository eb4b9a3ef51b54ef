"""OpenLineage: its JSON read as lineage events, hostile until shown otherwise.

What identifies things must be right, or the event is refused with the place and the way to mend it:
times, run ids, namespaces and names. Facets are taken as they are, each by its exact text; what is
in them is judged by those who use it. Of the specification (2-0-2) all three kinds of events are
read: of runs, of jobs and of datasets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json import JSONDecodeError, JSONDecoder
from types import MappingProxyType
from typing import Any, Final

from bilbaokg.errors import BilbaokgError, Invalid, SyntaxFault, TooLarge
from bilbaokg.lineage import ENDS, Event, Name, Parent, Table
from bilbaokg.lineage.events import stamp
from bilbaokg.lineage.names import LONGEST

__all__ = ["EVENT_LIMIT", "SMALLER", "moment", "read", "read_batch"]

EVENT_LIMIT: Final = 1 << 20
"""Bytes that one event may have."""
SMALLER: Final = "let the client leave out large facets, or send them in events of their own"
"""How to mend an event that is too large."""
_STATES: Final = ("START", "RUNNING", *ENDS, "OTHER")
_MOST_TABLES: Final = 2000
_MOST_PAIRS: Final = 20_000
_MOST_FACETS: Final = 200
_FACET_NAME: Final = 200
_MOST_EVENTS: Final = 10_000
_AHEAD: Final = timedelta(days=1)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,18}))?(Z|z|[+-]\d\d(?::?\d\d)?)?"
)
_SPACE: Final = re.compile(r"[ \t\n\r]*")
# The name of a member up to where its value begins; names with escapes are read by the decoder.
_MEMBER: Final = re.compile(r'"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*')
_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_SEND: Final = "send an OpenLineage event as a JSON object"
_DECODER: Final = JSONDecoder(parse_constant=_no_number)


def read(content: bytes) -> Event:
    """The event of a JSON document. Raises SyntaxFault, Invalid, TooLarge."""
    _check_size(len(content))
    return _event(_document(content, _EVENT), "")


def read_batch(content: bytes) -> list[Event | BilbaokgError]:
    """The events of a JSON array, in order; where one cannot be used, what is wrong with it.

    Raises SyntaxFault where the document is no JSON, Invalid where it is no array.
    """
    found = _document(content, [_EVENT])
    if not isinstance(found, list):
        raise Invalid("a batch is an array of events", hint="send one event to /api/v1/lineage")
    if len(found) > _MOST_EVENTS:
        raise TooLarge(f"a batch of over {_MOST_EVENTS:,} events", hint="send several batches")
    return [_tried(told, f"/{n}") for n, told in enumerate(found)]


def _tried(told: Any, where: str) -> Event | BilbaokgError:
    try:
        _check_size(told.size if isinstance(told, _Object) else 0)
        return _event(told, where)
    except BilbaokgError as error:
        error.where = error.where or where
        return error


def _check_size(size: int) -> None:
    if size > EVENT_LIMIT:
        raise TooLarge(
            f"the event is over {EVENT_LIMIT:,} bytes",
            hint=SMALLER,
        )


# ---- JSON with its exact texts

_FACETS: Final = "facets"
_DATASET: Final = {"facets": _FACETS, "inputFacets": _FACETS, "outputFacets": _FACETS}
# Which members are walked into, one by one; of those under `_FACETS` the exact texts are kept.
_EVENT: Final = {
    "run": {"facets": _FACETS}, "job": {"facets": _FACETS}, "dataset": _DATASET,
    "inputs": [_DATASET], "outputs": [_DATASET],
}  # fmt: skip


class _Object(dict[str, Any]):
    """An object that was walked through: its members; how many characters long; for facets the
    exact text of each."""

    size = 0
    texts: Mapping[str, str] = MappingProxyType({})


def _document(content: bytes, plan: Any) -> Any:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"byte {error.start} is not UTF-8", hint="send UTF-8") from None
    try:
        value, end = _walk(text, _space(text, 0), plan)
        if (after := _space(text, end)) < len(text):
            raise JSONDecodeError("more than one value", text, after)
    except JSONDecodeError as error:
        raise SyntaxFault(
            f"it is not JSON: {error.msg}", line=error.lineno, column=error.colno, hint=_SEND
        ) from None
    except ValueError as error:
        words = f"it is not JSON that can be read: {error}"
        raise SyntaxFault(words, hint=_SEND) from None
    except RecursionError:
        raise Invalid("it is nested too deeply", hint="leave out what is nested so deep") from None
    return value


def _space(text: str, position: int) -> int:
    """Where the white space ends that begins here."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _walk(text: str, start: int, plan: Any) -> tuple[Any, int]:
    """A value and where it ends. What the plan does not name is read at once, without a walk."""
    opened = text[start : start + 1]
    if opened == "{" and (plan is _FACETS or isinstance(plan, dict)):
        return _walk_object(text, start, plan)
    if opened == "[" and isinstance(plan, list):
        return _walk_array(text, start, plan[0])
    return _DECODER.raw_decode(text, start)


def _walk_object(text: str, start: int, plan: Any) -> tuple[_Object, int]:
    found, texts = _Object(), {}
    position = _space(text, start + 1)
    more = text[position : position + 1] != "}"
    while more:
        name, begin = _member(text, position)
        found[name], end = _walk(text, begin, None if plan is _FACETS else plan.get(name))
        if plan is _FACETS:
            texts[name] = text[begin:end]
        position, more = _after(text, end, "}")
    found.size, found.texts = position + 1 - start, texts
    return found, position + 1


def _member(text: str, position: int) -> tuple[str, int]:
    """The name of a member, and where its value begins."""
    if found := _MEMBER.match(text, position):
        return found[1], found.end()
    if text[position : position + 1] != '"':
        raise JSONDecodeError("a name in double quotes is expected", text, position)
    name, position = _DECODER.raw_decode(text, position)
    return name, _space(text, _past(text, _space(text, position), ":"))


def _walk_array(text: str, start: int, plan: Any) -> tuple[list[Any], int]:
    found: list[Any] = []
    position = _space(text, start + 1)
    more = text[position : position + 1] != "]"
    while more:
        value, end = _walk(text, position, plan)
        found.append(value)
        position, more = _after(text, end, "]")
    return found, position + 1


def _after(text: str, end: int, closing: str) -> tuple[int, bool]:
    """Where the next member begins, or (False) where the sign stands that closes them."""
    if comma := _COMMA.match(text, end):
        return comma.end(), True
    position = _space(text, end)
    if text[position : position + 1] != closing:
        raise JSONDecodeError(f"',' or {closing!r} is expected", text, position)
    return position, False


def _past(text: str, position: int, sign: str) -> int:
    """The place after a sign that must stand here."""
    if text[position : position + 1] != sign:
        raise JSONDecodeError(f"{sign!r} is expected", text, position)
    return position + 1


# ---- events


def _event(told: Any, where: str) -> Event:
    if not isinstance(told, dict):
        raise Invalid("an event is a JSON object", where=where or None, hint=_SEND)
    at = moment(told.get("eventTime"), f"{where}/eventTime")
    producer = told.get("producer")
    common: dict[str, Any] = {"at": at, "producer": producer if _is_text(producer) else ""}
    if told.get("run") is not None or _is_run(told):
        return _run_event(told, common, where)
    if told.get("dataset") is not None:
        return Event(**common, tables=[_table(told["dataset"], f"{where}/dataset")])
    return Event(**common, **_job_and_tables(told, where))


def _is_run(event: Mapping[str, Any]) -> bool:
    """Whether it says that it is of a run, with or without one."""
    schema = event.get("schemaURL")
    kind = schema.rpartition("/")[2] if isinstance(schema, str) else ""
    if kind in ("JobEvent", "DatasetEvent") and event.get("run") is None:
        return False  # some say a state, too
    return event.get("eventType") is not None or kind == "RunEvent"


def _run_event(told: Mapping[str, Any], common: dict[str, Any], where: str) -> Event:
    state = "OTHER" if told.get("eventType") is None else told["eventType"]
    if state not in _STATES:
        raise Invalid(
            f"eventType is {_brief(state)}", where=f"{where}/eventType",
            hint=f"one of: {', '.join(_STATES)}",
        )  # fmt: skip
    run = _object(told, "run", where)
    return Event(
        **common, state=state, run=_run_id(run, f"{where}/run/runId"),
        run_facets=_facets(run, "facets", f"{where}/run"), parent=_parent(run.get("facets") or {}),
        **_job_and_tables(told, where),
    )  # fmt: skip


def _run_id(run: Mapping[str, Any], where: str) -> str:
    found = run.get("runId")
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
    if not isinstance(found, dict) or (parent := _named_run(found)) is None:
        return None
    return Parent(parent.run, parent.job, _named_run(found.get("root")))


def _named_run(found: Any) -> Parent | None:
    """The run and its job that an object names; None where it does not properly."""
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


def _job_and_tables(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    job = _object(told, "job", where)
    inputs, outputs = (_tables(told, side, where) for side in ("inputs", "outputs"))
    if len(inputs) + len(outputs) > _MOST_TABLES or len(inputs) * len(outputs) > _MOST_PAIRS:
        raise Invalid(
            f"{len(inputs):,} inputs and {len(outputs):,} outputs in one event",
            where=f"{where}/inputs", hint="send events of the steps that the job consists of",
        )  # fmt: skip
    return {
        "job": _name(job, f"{where}/job"),
        "job_facets": _facets(job, "facets", f"{where}/job"),
        "inputs": inputs,
        "outputs": outputs,
    }


def _tables(told: Mapping[str, Any], side: str, where: str) -> list[Table]:
    found = told.get(side)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Invalid(f"{side} is no array", where=f"{where}/{side}", hint="send an array")
    return [_table(item, f"{where}/{side}/{n}") for n, item in enumerate(found)]


def _table(told: Any, where: str) -> Table:
    if not isinstance(told, dict):
        hint = "send an object with namespace and name"
        raise Invalid("a dataset is a JSON object", where=where, hint=hint)
    own = {**_facets(told, "inputFacets", where), **_facets(told, "outputFacets", where)}
    return Table(_name(told, where), _facets(told, "facets", where), own)


def _facets(told: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    """The exact text of each facet."""
    found = told.get(key)
    if found is None:
        return {}
    where = f"{where}/{key}"
    if not isinstance(found, _Object):
        hint = "send an object with a facet a member"
        raise Invalid("facets are members of an object", where=where, hint=hint)
    if len(found) > _MOST_FACETS:
        raise Invalid(f"over {_MOST_FACETS} facets", where=where, hint="put some into one")
    for name in found:
        if not _is_name(name) or len(name) > _FACET_NAME:
            raise Invalid(f"a facet has the name {_brief(name)}", where=where, hint="a short name")
    return {name: text for name, text in found.texts.items() if found[name] is not None}


# ---- values


def _object(told: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    found = told.get(key)
    if not isinstance(found, dict):
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


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _is_text(value: Any) -> bool:
    """Whether it is a text that can be written in UTF-8."""
    return isinstance(value, str) and value != "" and not _SURROGATE.search(value)


def moment(value: Any, where: str) -> str:
    """A time as events keep it; one without a zone, which clients of Python send, is in UTC.

    Raises Invalid for what is none, and for the far future.
    """
    hint = "send RFC 3339 with a time zone, such as 2026-11-27T05:06:07.080Z"
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Invalid(
            "there is no time" if value is None else f"the time {_brief(value)} is not understood",
            where=where, hint=hint,
        )  # fmt: skip
    day, time, fraction, zone = found.groups()
    try:
        zone = "+00:00" if zone in ("Z", "z", None) else zone
        found_at = datetime.fromisoformat(
            f"{day}T{time}.{(fraction or '0'):0<6.6}{zone}"
            if time.count(":") == 2
            else f"{day}T{time}{zone}"
        )
        found_at = found_at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"there is no time {_brief(value)}", where=where, hint=hint) from None
    if found_at > datetime.now(UTC) + _AHEAD:
        # It would stand against all that is told later.
        raise Invalid(f"the time {value} is to come", where=where, hint="set the client's clock")
    return stamp(found_at)


def _brief(value: Any) -> str:
    """A value for a message, in ASCII and not long."""
    told = (
        json.dumps(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    )
    return told if len(told) <= 80 else f"{told[:80]}..."
