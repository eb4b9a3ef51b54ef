"""The job of the query workers: evaluate one stranger's query over a store that never changes.

Runs in a worker process (`workers.py`), so it imports little, and does all in one thread: results
of the engine must not change threads. Whoever wants it to stop kills the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable
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

Put = Callable[[dict[str, Any], bytes], None]
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
# What is smaller gains nothing by being compressed.
_LEAST_COMPRESSED: Final = 1000
_COMPRESSION: Final = 1
_GZIP: Final = 16 + zlib.MAX_WBITS
_OPEN_STORES: Final = 2
_NICENESS: Final = 5
_ERROR: Final = re.compile(r"error at (\d+):(\d+): (?:expected )?(.*)", re.DOTALL)

_stores: OrderedDict[str, ox.Store] = OrderedDict()


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Evaluate the query in `body` (UTF-8) and put its answer out in pieces.

    params: `store` (a directory, None for an empty dataset), `results` and `graph` (format names
    for the two kinds of answer, None where the client accepts none), `default` and `named` (lists
    of graph IRIs, None without a protocol dataset), `union` (False where the default graph is what
    the store has as such), `base` (for relative IRIs), `limit` (bytes), `gzip` (compress what is
    worth it), `rows` (the first so many rows as JSON lines of N-Triples terms, instead of a
    format), `page` (number, from 1, and size: those rows alone).
    The first frame's header is {"kind": "select"|"ask"|"graph", "media_type": ...}, with "more" for
    a page that another follows and "encoding" where the bytes are compressed; the last one's has
    "end". Raises SyntaxFault, BadInput, Forbidden, NotAcceptable, TooLarge.
    """
    _be_modest()
    text = _decode(body)
    dataset = not guard.is_slight(text) and guard.check(text).dataset
    try:
        answer = _query(text, params, dataset=dataset)
        if params.get("rows") is not None:
            _rows(answer, params["rows"], put)
        else:
            _serialise(answer, params, put)
    except SyntaxError as error:
        # A text that is too slight to be looked at closely is looked at now.
        raise explain(str(error), text, guard.check(text)) from None
    except (OSError, RuntimeError) as error:
        raise _failure(error) from None


@cache
def _be_modest() -> None:
    """Let the server's own process go first: pages and feeds stay quick beside queries."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise SyntaxFault(
            f"byte {error.start} is not UTF-8", where="query", hint="send the query as UTF-8"
        ) from None


def _failure(error: Exception) -> Exception:
    """What went wrong while the engine was at work."""
    text = str(error)
    if text.startswith("The custom function"):
        hint = "see SPARQL 1.1 Query Language, section 17.4, for the functions that there are"
        return BadInput(text, where="query", hint=hint)
    if "does not support RDF 1.2" in text:
        # JSON-LD has no triple terms: nothing is wrong with the store.
        return NotAcceptable(text, where="query", hint="ask for Turtle, N-Triples or RDF/XML")
    if isinstance(error, OSError) or "orruption" in text:
        return CorruptStore(text, where="release store", hint="build the release again")
    return error


def _query(text: str, params: dict[str, Any], *, dataset: bool) -> Any:
    """The engine's answer; dataset: whether the text names its own."""
    default, named = params.get("default"), params.get("named")
    protocol = default is not None or named is not None
    graphs: dict[str, Any] = {}
    if protocol:
        # SPARQL 1.1 Protocol, section 2.1.4: the protocol's dataset wins over the query's.
        graphs["default_graph"] = [ox.NamedNode(iri) for iri in default or ()]
        graphs["named_graphs"] = [ox.NamedNode(iri) for iri in named or ()]
    return _store(params.get("store")).query(
        text,
        base_iri=params.get("base"),
        # The engine would ignore FROM beside the union.
        use_default_graph_as_union=params.get("union", True) and not protocol and not dataset,
        **graphs,
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
    """The file that the engine serialises into: puts out whole pieces, and counts."""

    def __init__(self, header: dict[str, Any], limit: int, put: Put, *, gzip: bool = False) -> None:
        self.header, self.limit, self.put = header, limit, put
        self.held = bytearray()
        self.size = 0
        self.packer = zlib.compressobj(_COMPRESSION, wbits=_GZIP) if gzip else None

    def write(self, data: bytes) -> int:
        """Take what the engine wrote. Raises TooLarge."""
        self.held += data
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge(
                f"the answer is over {self.limit:,} bytes", where="query", hint="add a LIMIT"
            )
        if len(self.held) >= _PIECE:
            self._out()
        return len(data)

    def flush(self) -> None:
        """What the engine asks for at its end; `end` does it."""

    def end(self, **told: Any) -> None:
        """Put out what is left, as the last frame, with what else is told."""
        if self.size < _LEAST_COMPRESSED:
            self.packer = None
        self.header |= {**told, "end": True}
        self._out()

    def _out(self) -> None:
        content = bytes(self.held)
        if self.packer:
            if self.size == len(content):  # the first piece
                self.header["encoding"] = "gzip"
            content = self.packer.compress(content)
            content += self.packer.flush() if "end" in self.header else b""
        self.put(self.header, content)
        self.header = {}
        self.held.clear()


def _serialise(answer: Any, params: dict[str, Any], put: Put) -> None:
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
    out = _Pieces(header, params["limit"], put, gzip=params.get("gzip", False))
    formats: dict[str, Any] = _GRAPH_FORMATS if is_graph else _RESULT_FORMATS
    answer.serialize(out, format=formats[name])
    out.end()


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


def _rows(answer: Any, limit: int, put: Put) -> None:
    """The first rows as JSON lines: lists of N-Triples terms, null where unbound."""
    if isinstance(answer, ox.QueryBoolean):
        put({"kind": "ask", "boolean": bool(answer), "end": True}, b"")
        return
    if isinstance(answer, ox.QueryTriples):
        kind, variables = "graph", ["subject", "predicate", "object"]
    else:
        kind, variables = "select", [variable.value for variable in answer.variables]
    out = _Pieces({"kind": kind, "variables": variables}, 1 << 40, put)
    for count, row in enumerate(answer):
        if count == limit:
            out.end(truncated=True)
            return
        terms = [None if term is None else str(term) for term in row]
        out.write(json.dumps(terms).encode() + b"\n")
    out.end()


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
