"""The job of the query workers: evaluate one stranger's query over a store that never changes.

Runs in a worker process (`workers.py`), so it imports little. The engine works in a second thread
of the worker; the job's own thread passes its pieces on and sends a beat when there are none, so
that the server may give up a query at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    CorruptStore,
    NotAcceptable,
    SyntaxFault,
    TooLarge,
)
from bilbaokg.store import guard
from bilbaokg.terms import PREFIXES

__all__ = ["GRAPHS", "RESULTS", "explain", "job"]

Frame = tuple[dict[str, Any], bytes]
# Media types by format name; the first is the default.
RESULTS: Final[dict[str, str]] = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
}
GRAPHS: Final[dict[str, str]] = {
    "ttl": "text/turtle; charset=utf-8",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
_RESULT_FORMATS: Final = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_GRAPH_FORMATS: Final = {
    "ttl": ox.RdfFormat.TURTLE,
    "nt": ox.RdfFormat.N_TRIPLES,
    "rdf": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}
_PIECE: Final = 64 << 10
_BEAT_SECONDS: Final = 0.1
_OPEN_STORES: Final = 2
_NICENESS: Final = 5
_ERROR: Final = re.compile(r"error at (\d+):(\d+): (?:expected )?(.*)", re.DOTALL)

_stores: OrderedDict[str, ox.Store] = OrderedDict()
_engine: Final = ThreadPoolExecutor(1, thread_name_prefix="engine")


def job(params: dict[str, Any], body: bytes) -> Iterator[Frame]:
    """Evaluate the query in `body` (UTF-8).

    params: `store` (a directory, None for an empty dataset), `results` and `graph` (format names
    for the two kinds of answer, None where the client accepts none), `default` and `named` (lists
    of graph IRIs, None without a protocol dataset), `union` (False where the default graph is what
    the store has as such), `base` (for relative IRIs), `limit` (bytes),
    `rows` (the first so many rows as JSON lines of N-Triples terms, instead of a format), `page`
    (number, from 1, and size: those rows alone).
    The first frame's header is {"kind": "select"|"ask"|"graph", "media_type": ...}, with "more" for
    a page that another follows; headers with "beat" (the CPU seconds used so far) carry nothing.
    Raises SyntaxFault, BadInput, Forbidden,
    NotAcceptable, TooLarge.
    """
    _be_modest()
    text = _decode(body)
    facts = guard.check(text)
    pieces: queue.Queue[Frame | BaseException | None] = queue.Queue(4)
    start = time.process_time()
    _engine.submit(_run, text, facts, params, pieces.put)
    while True:
        try:
            piece = pieces.get(timeout=_BEAT_SECONDS)
        except queue.Empty:
            yield {"beat": time.process_time() - start}, b""
            continue
        if piece is None:
            return
        if isinstance(piece, BaseException):
            raise piece
        yield piece


@cache
def _be_modest() -> None:
    """Let the server's own process go first: pages and feeds stay quick beside queries."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SyntaxFault(
            f"byte {error.start} is not UTF-8", where="query", hint="send the query as UTF-8"
        ) from None


def _run(
    text: str,
    facts: guard.Facts,
    params: dict[str, Any],
    put: Callable[[Frame | BaseException | None], None],
) -> None:
    """Evaluate and serialise, all in the engine's thread: its results must not change threads."""
    try:
        answer = _query(text, facts, params)
        if params.get("rows") is not None:
            _rows(answer, params["rows"], put)
        else:
            _serialise(answer, params, put)
        put(None)
    except SyntaxError as error:
        put(explain(str(error), text, facts))
    except (OSError, RuntimeError) as error:
        damaged = isinstance(error, OSError) or "orruption" in str(error)
        told = CorruptStore(str(error), where="release store", hint="build the release again")
        put(told if damaged else error)
    except BaseException as error:
        put(error)


def _query(text: str, facts: guard.Facts, params: dict[str, Any]) -> Any:
    default, named = params.get("default"), params.get("named")
    protocol = default is not None or named is not None
    dataset: dict[str, Any] = {}
    if protocol:
        # SPARQL 1.1 Protocol, section 2.1.4: the protocol's dataset wins over the query's.
        dataset["default_graph"] = [ox.NamedNode(iri) for iri in default or ()]
        dataset["named_graphs"] = [ox.NamedNode(iri) for iri in named or ()]
    return _store(params.get("store")).query(
        text,
        base_iri=params.get("base"),
        # The engine would ignore FROM beside the union.
        use_default_graph_as_union=params.get("union", True) and not protocol and not facts.dataset,
        **dataset,
    )


def _store(path: str | None) -> ox.Store:
    """The store of a release, opened once; the current one and the one before stay open."""
    key = path or ""
    if key not in _stores:
        while len(_stores) >= _OPEN_STORES:
            _stores.popitem(last=False)
        _stores[key] = ox.Store.read_only(path) if path else ox.Store()
    _stores.move_to_end(key)
    return _stores[key]


class _Pieces:
    """The file that the engine serialises into: passes on whole pieces, and counts."""

    def __init__(self, header: dict[str, Any], limit: int, put: Callable[[Frame], None]) -> None:
        self.header, self.limit, self.put = header, limit, put
        self.held = bytearray()
        self.total = 0

    def write(self, data: bytes) -> int:
        self.held += data
        self.total += len(data)
        if self.total > self.limit:
            raise TooLarge(
                f"the answer is over {self.limit:,} bytes", where="query", hint="add a LIMIT"
            )
        if len(self.held) >= _PIECE:
            self.flush()
        return len(data)

    def flush(self) -> None:
        self.put((self.header, bytes(self.held)))
        self.header = {}
        self.held.clear()


def _serialise(answer: Any, params: dict[str, Any], put: Callable[[Frame], None]) -> None:
    is_graph = isinstance(answer, ox.QueryTriples)
    names, wanted = (GRAPHS, "graph") if is_graph else (RESULTS, "results")
    name = params.get(wanted)
    if name is None:
        available = [media_type.partition(";")[0] for media_type in names.values()]
        raise NotAcceptable(
            f"this query can be answered as {', '.join(available)}",
            hint="name one of them in the Accept header",
            available=available,
        )
    kind = "graph" if is_graph else "ask" if isinstance(answer, ox.QueryBoolean) else "select"
    header = {"kind": kind, "media_type": names[name], "format": name}
    if params.get("page"):
        answer, header["more"] = _page(answer, kind, *params["page"])
    out = _Pieces(header, params["limit"], put)
    formats: dict[str, Any] = _GRAPH_FORMATS if is_graph else _RESULT_FORMATS
    answer.serialize(out, format=formats[name])
    out.flush()


def _page(answer: Any, kind: str, number: int, size: int) -> tuple[Any, bool]:
    """One page of the rows, and whether another follows.

    The rows go through TSV, which keeps every term as it is.
    """
    if kind != "select":
        raise BadInput("only rows come in pages", where="query", hint="leave `page` out")
    first = (number - 1) * size
    rows = list(islice(answer, first, first + size + 1))
    lines = ["\t".join(str(variable) for variable in answer.variables)]
    for row in rows[:size]:
        lines.append("\t".join("" if term is None else str(term) for term in row))
    text = "".join(f"{line}\n" for line in lines).encode()
    return ox.parse_query_results(text, format=ox.QueryResultsFormat.TSV), len(rows) > size


def _rows(answer: Any, limit: int, put: Callable[[Frame], None]) -> None:
    """The first rows as JSON lines: lists of N-Triples terms, null where unbound."""
    if isinstance(answer, ox.QueryBoolean):
        put(({"kind": "ask", "boolean": bool(answer)}, b""))
        return
    if isinstance(answer, ox.QueryTriples):
        kind, variables = "graph", ["subject", "predicate", "object"]
    else:
        kind, variables = "select", [variable.value for variable in answer.variables]
    put(({"kind": kind, "variables": variables}, b""))
    out = _Pieces({}, 1 << 40, put)
    for count, row in enumerate(answer):
        if count == limit:
            out.flush()
            put(({"truncated": True}, b""))
            return
        terms = [None if term is None else str(term) for term in row]
        out.write(json.dumps(terms).encode() + b"\n")
    out.flush()


def _hint(expected: str) -> str:
    """What the engine's parser would have taken, where that helps a person."""
    words = [word for word in expected.removeprefix("one of ").split(", ") if word[:1] != "["]
    helpful = [word for word in words if word not in ("LATERAL", "SERVICE")]
    if not helpful:
        return "something is missing or too much at this place or just before it"
    return f"expected {' or '.join(helpful)[:200]}"


def explain(message: str, text: str, facts: guard.Facts, what: str = "query") -> BilbaokgError:
    """The engine's complaint with its place; a prefix that is not declared is named as such."""
    undeclared = min(
        ((start, prefix) for prefix, start in facts.used.items() if prefix not in facts.declared),
        default=None,
    )
    lines = text.split("\n")
    if undeclared:
        start, prefix = undeclared
        where = guard.place(text, start)
        known = f"PREFIX {prefix}: <{PREFIXES.get(prefix, '...')}>"
        found, hint = f"the prefix {prefix}: is not declared", f"begin the {what} with {known}"
    elif parts := _ERROR.search(message):
        where = {"line": int(parts[1]), "column": int(parts[2])}
        found, hint = f"the {what} does not follow the grammar here", _hint(parts[3])
    else:
        where, found, hint = {}, message, "see SPARQL 1.1 Query Language, section 19"
    excerpt = lines[where["line"] - 1][:200] if where and where["line"] <= len(lines) else None
    return SyntaxFault(found, where=what, hint=hint, excerpt=excerpt, **where)
