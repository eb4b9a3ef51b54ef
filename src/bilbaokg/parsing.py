"""Reading RDF that strangers wrote: the job that a worker runs.

Nothing here may run in the owner process on foreign bytes: inputs of a few kilobytes crash or hang
parsers. The job streams N-Triples lines, so a large file does not need large memory twice.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import quote
from xml.parsers import expat

import pyoxigraph as ox

from bilbaokg import skolem
from bilbaokg.errors import BadInput, Invalid, SyntaxFault, TooLarge
from bilbaokg.formats import FORMATS, sniff
from bilbaokg.terms import RDF, Statement, split_line

__all__ = ["NO_BASE", "Put", "frames", "job"]

# JSON-LD drops what has a relative IRI; against this base it shows, and is refused.
NO_BASE: Final = "http://relative-iri.invalid/"
_CHUNK: Final = 10_000
# Up to so many statements, no group takes long.
_LARGE_GROUP: Final = 8
_XML_DEPTH: Final = 1_000
_XML_DECLARATION: Final = re.compile(
    rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']"""
)
# One literal of over 2 MiB makes every look-up of its RocksDB file slow, some hundred times.
_TERM_BYTES: Final = 2_000_000
_PARSE_TYPE: Final = f"{RDF} parseType"
_DIRECTION: Final = "http://www.w3.org/2005/11/its dir"
_TRIPLE_TERM: Final = ("a triple term (RDF 1.2) cannot be kept", "write it as a resource")
_BASE_DIRECTION: Final = (
    "a string with a base direction (RDF 1.2) cannot be kept",
    "leave the direction out",
)
_HINTS: Final = (
    ("No scheme found", "a relative IRI without a base: give --base IRI or write absolute IRIs"),
    ("percent encoding", "write a % that begins no code as %25"),
    ("Invalid IRI", "percent-encode what an IRI may not hold (a space is %20)"),
    ("UTF-8", "save the file as UTF-8 (for example: iconv -f LATIN1 -t UTF-8)"),
    ("remote context", "put the @context inside the file: nothing is fetched from the network"),
    (
        "A dot is expected",
        "a dot is missing before this: every statement and @prefix ends with one",
    ),
)
_CODE_POINT: Final = re.compile("Invalid IRI code point '(.)'", re.DOTALL)
# What may be a blank node: only as subject or object is it one (see _Relabel).
_BLANK: Final = re.compile(r"_:[\w.-]+(?= )")
_DIRECTED: Final = re.compile(r'"@[A-Za-z0-9-]+--(?:ltr|rtl)$')
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Frame = tuple[dict[str, Any], bytes]
Put = Callable[[dict[str, Any], bytes], None]


def job(params: dict[str, Any], body: bytes, put: Put) -> None:
    """Put out what `frames` gives."""
    for header, content in frames(params, body):
        put(header, content)


def frames(params: dict[str, Any], body: bytes) -> Iterator[Frame]:
    """Parse `params["path"]` or the body, and stream distinct blank-node-free N-Triples.

    params: path, label, format (a name of FORMATS), base (ours, for skolem IRIs), base_iri (for
    relative IRIs), limit (bytes, inflated), group_seconds, locate, blank (a prefix: blank nodes
    stay, `_:<prefix><number>` in the order they come, and each frame of text is followed by
    `{"numbers": n}` with the source lines of its statements, 4 bytes each). Frames: many
    `{"lines": n}` with text, then one `{"done": {parsed, graphs_dropped, line_of}}`. Raises
    SyntaxFault, TooLarge, Invalid, BadInput.
    """
    reading = _Reading(params, body)
    held: list[Statement] = []
    parsed = 0
    relabel = _Relabel(params["blank"]) if params.get("blank") else None
    for chunk in reading.chunks():
        if relabel:
            count = chunk.count("\n") + 1
            parsed += count
            reading.refuse_strange(chunk)
            yield {"lines": count}, relabel(chunk).encode()
            yield {"numbers": len(reading.numbers)}, reading.take_numbers()
            continue
        lines = chunk.split("\n")
        parsed += len(lines)
        reading.refuse_long(chunk)
        if "_:" in chunk or _is_strange(chunk):
            lines = _sift(lines, held, reading)
        yield {"lines": len(lines)}, "\n".join(lines).encode()
    yield from _blank_groups(held, params)
    done = {
        "parsed": parsed,
        "graphs_dropped": len(reading.graphs),
        "line_of": reading.line_of,
    }
    yield {"done": done}, b""


class _Relabel:
    """Names blank nodes by the order in which they come."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.names = f"_:{prefix}", dict[str, str]()

    def __call__(self, chunk: str) -> str:
        return _BLANK.sub(self._name, f"{chunk}\n")[:-1] if "_:" in chunk else chunk

    def _name(self, match: re.Match[str]) -> str:
        label, text, start, end = match[0], match.string, match.start(), match.end()
        # A subject begins a line, and an object ends one: no literal ends in a label.
        if start and text[start - 1] != "\n" and not text.startswith(" .\n", end):
            return label
        name = self.names.get(label)
        if name is None:
            name = self.names[label] = f"{self.prefix}{len(self.names)}"
        return name


def _sift(lines: list[str], held: list[Statement], reading: _Reading) -> list[str]:
    """Keep statements without blank nodes; hold the others back; refuse what RDF 1.1 has not."""
    free = []
    for line in lines:
        statement = split_line(line)
        if refusal := _refusal(statement):
            raise reading.refused(statement, *refusal)
        if statement.subject.startswith("_:") or statement.object.startswith("_:"):
            held.append(statement)
        else:
            free.append(line)
    return free


def _is_strange(chunk: str) -> bool:
    """Whether there may be what `_refusal` refuses."""
    return any(sign in chunk for sign in ("<<(", "--ltr", "--rtl", NO_BASE))


def _refusal(statement: Statement) -> tuple[str, str] | None:
    """Why a statement cannot be kept and how to mend it, or None where it can."""
    if statement.object.startswith("<<("):
        return _TRIPLE_TERM
    if _DIRECTED.search(statement.object):
        return _BASE_DIRECTION
    if f"<{NO_BASE}" in statement.line:
        return "a relative IRI without a base", "give --base IRI or write absolute IRIs"
    return None


def _blank_groups(held: list[Statement], params: dict[str, Any]) -> Iterator[Frame]:
    """Canonicalise the groups, telling before each large one how long it may take."""
    canonical: list[list[Statement]] = []
    kept, aside = skolem.unlisted(held)
    for group in skolem.groups(kept):
        large = len(group) > _LARGE_GROUP
        if large:
            yield {"next_within": params["group_seconds"], "group": skolem.example(group)}, b""
        canonical.append(skolem.canonical_group(group))
        if large:
            # An empty frame stops the clock of this group.
            yield {}, b""
    named = skolem.skolemise(canonical, params["base"])
    if lines := [s.line for s in skolem.listed(named, aside)]:
        yield {"lines": len(lines)}, "\n".join(lines).encode()


class _Reading:
    """One input: opened, inflated, transcoded, parsed; it knows the line it is at."""

    def __init__(self, params: dict[str, Any], body: bytes) -> None:
        self.params = params
        self.label: str = params["label"]
        _check_base(params.get("base_iri"), self.label)
        self.format = FORMATS[params["format"]]
        self.body = body
        self.graphs: set[str] = set()
        self.line_of: dict[str, int] = {}
        self.numbers = array("I")

    def take_numbers(self) -> bytes:
        """The source lines of the statements since the last call, 4 bytes each."""
        taken, self.numbers = self.numbers.tobytes(), array("I")
        return taken

    def open(self) -> IO[bytes]:
        path = self.params.get("path")
        try:
            raw: Any = Path(path).open("rb") if path else io.BytesIO(self.body)  # noqa: SIM115
        except OSError as error:
            raise BadInput(f"cannot be read: {error.strerror}", where=self.label) from None
        if raw.read(2) == b"\x1f\x8b":
            raw.seek(0)
            raw = gzip.GzipFile(fileobj=raw)
        else:
            raw.seek(0)
        limited = _Limited(raw, self.params["limit"], self.label)
        return _utf8(io.BufferedReader(limited, 1 << 16), self.format.name, self.label)

    def chunks(self) -> Iterator[str]:
        """N-Triples text of up to _CHUNK statements, without the last line end."""
        try:
            if self.format.name == "rdf":
                _check_xml(self.open(), self.label)
            elif self.format.name == "jsonld":
                self._check_json()
            stream = self.open()
            # A JSON-LD parser reads all before its first statement: it knows no lines.
            locate = self.params.get("locate") and self.format.name != "jsonld"
            by_line = locate and self.params.get("blank") and self.format.name in ("nt", "nq")
            lined = _Lined(stream) if locate and not by_line else None
            quads = self._parse(lined or stream)
            if lined:
                quads = self._located(quads, lined)
            counted = _statement_lines(self.open()) if by_line else iter(())
            while batch := list(islice(quads, _CHUNK)):
                self.numbers.extend(islice(counted, len(batch)))
                if self.format.graphs:
                    self.graphs.update(
                        str(q.graph_name) for q in batch if q.graph_name != ox.DefaultGraph()
                    )
                triples = (quad.triple for quad in batch)
                out = io.BytesIO()
                ox.serialize(triples, out, format=ox.RdfFormat.N_TRIPLES)
                yield out.getvalue().decode().rstrip("\n")
        except SyntaxError as error:
            raise self._fault(error) from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(
                f"damaged gzip file: {error}", where=self.label, hint="copy or download it again"
            ) from None
        except OSError as error:
            raise BadInput(f"cannot be read: {error.strerror}", where=self.label) from None
        except MemoryError as error:
            if "buffer maximal size" in str(error):
                raise self._too_long(self._locate_fault()[0]) from None
            raise

    def _parse(self, stream: IO[bytes] | _Lined) -> Iterator[ox.Quad]:
        base = self.params.get("base_iri") or (NO_BASE if self.format.name == "jsonld" else None)
        return ox.parse(
            cast(IO[bytes], stream),
            format=self.format.rdf,
            base_iri=base,
            rename_blank_nodes=True,
        )

    def _located(self, quads: Iterator[ox.Quad], lined: _Lined) -> Iterator[ox.Quad]:
        if self.params.get("blank"):
            for quad in quads:
                self.numbers.append(lined.line)
                yield quad
            return
        for quad in quads:
            self.line_of.setdefault(str(quad.subject), lined.line)
            yield quad

    def _check_json(self) -> None:
        """Refuse names that a JSON-LD parser drops without a word (JSON-LD 1.1 API, section 8.1.2).

        A lenient parser shows them. A key that no context maps means nothing by the standard.
        """
        stream = self.open()
        base = self.params.get("base_iri") or NO_BASE
        for quad in ox.parse(stream, format=self.format.rdf, base_iri=base, lenient=True):
            if ":" not in quad.predicate.value:
                continue
            for term in (quad.subject, quad.predicate, quad.object):
                try:
                    _check_term(term)
                except ValueError as error:
                    raise self._bad_name(term, str(error)) from None

    def _bad_name(self, term: Any, message: str) -> SyntaxFault:
        name = (getattr(term, "language", None) or term.value).replace(NO_BASE, "")
        line = self._line_with(f'"{name}"')
        return SyntaxFault(
            f"{name[:200]!r} cannot be used: {message}",
            where=self.label,
            hint=self._hint(message),
            line=line,
            excerpt=self._excerpt(line, None),
        )

    def refuse_strange(self, chunk: str) -> None:
        """Raise for statements that RDF 1.1 has not, that are too long or have no whole IRI."""
        self.refuse_long(chunk)
        if _is_strange(chunk):
            for line in chunk.split("\n"):
                statement = split_line(line)
                if refusal := _refusal(statement):
                    raise self.refused(statement, *refusal)

    def refuse_long(self, chunk: str) -> None:
        """Raise TooLarge where a statement could not be read back."""
        start, most = 0, _TERM_BYTES // 4
        while len(chunk) - start > most:
            end = chunk.rfind("\n", start, start + most)
            if end < 0:
                end = chunk.find("\n", start)
                end = len(chunk) if end < 0 else end
                if len(chunk[start:end].encode()) > _TERM_BYTES:
                    raise self._too_long(None, chunk[start : start + 200])
            start = end + 1

    def _too_long(self, line: int | None, text: str = "") -> TooLarge:
        return TooLarge(
            f"a term is over {_TERM_BYTES:,} bytes" + (f": {text}" if text else ""),
            where=f"{self.label}:{line}" if line else self.label,
            hint="keep such content in a file of its own and refer to it",
            line=line,
        )

    def refused(self, statement: Statement, message: str, hint: str) -> Invalid:
        """The error that names the source line of the first statement that cannot be kept."""
        line = self._line_of_refused(statement)
        where = f"{self.label}:{line}" if line else self.label
        text = statement.line.replace(NO_BASE, "")
        return Invalid(f"{message}: {text[:200]}", where=where, hint=hint, line=line)

    def _line_of_refused(self, statement: Statement) -> int | None:
        if self.format.name == "jsonld":
            relative = re.search(f"<{NO_BASE}([^>]*)>", statement.line)
            return self._line_with(f'"{relative[1]}"' if relative else '"@direction"')
        lined = _Lined(self.open())
        for quad in self._parse(lined):
            if _refusal(split_line(f"{quad.triple} .")):
                return lined.line
        return None

    def _line_with(self, text: str) -> int | None:
        """The first source line that holds a text."""
        numbered = enumerate(self.open(), 1)
        return next((number for number, line in numbered if text.encode() in line), None)

    def _fault(self, error: SyntaxError) -> SyntaxFault:
        line, column = error.lineno, error.offset
        if line is None:
            line, column = self._locate_fault()
        message = re.sub(
            r"^Parser error at line \d+ (?:between columns \d+ and \d+|column \d+): ",
            "",
            error.msg or str(error),
        )
        hint = self._hint(message)
        if "remote context" in message:
            message, line = "its @context is not in the file", self._line_with('"@context"')
        return SyntaxFault(
            message,
            where=self.label,
            hint=hint,
            line=line,
            column=column,
            excerpt=self._excerpt(line, column),
        )

    def _locate_fault(self) -> tuple[int | None, int | None]:
        if self.format.name == "jsonld":
            try:
                json.loads(self.open().read())
            except json.JSONDecodeError as error:
                return error.lineno, error.colno
            except (RecursionError, UnicodeDecodeError):
                return None, None
            return None, None
        lined = _Lined(self.open())
        try:
            for _ in self._parse(lined):
                pass
        except (SyntaxError, MemoryError):
            return lined.line, None
        return None, None

    def _excerpt(self, line: int | None, column: int | None) -> str | None:
        if line is None:
            return None
        text = next(islice(self.open(), line - 1, line), b"").decode("utf-8", "replace").rstrip()
        start = max(0, (column or 1) - 60)
        return text[start : start + 120].strip()

    def _hint(self, message: str) -> str | None:
        guess = sniff(self.open().read(4096))
        other = None
        if guess and guess.name != self.format.name:
            other = (
                f"read as {self.format.name}; it looks like {guess.name}: "
                f"give --format {guess.name}"
            )
            if {guess.name, self.format.name} & {"rdf", "jsonld"}:
                return other
        if "No scheme found" in message and self.format.name in ("nt", "nq"):
            return f"{self.format.name} has no relative IRIs: write them whole"
        if found := _CODE_POINT.search(message):
            return f"percent-encode what an IRI may not hold: {found[1]!r} is {quote(found[1])}"
        return next((hint for part, hint in _HINTS if part in message), other)


def _utf8(stream: io.BufferedReader, format: str, label: str) -> IO[bytes]:
    """The stream as UTF-8 without a byte order mark."""
    head = stream.peek(1 << 16)[: 1 << 16]
    if head.startswith(codecs.BOM_UTF8):
        stream.read(3)
        head = head[3:]
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if format == "rdf":
        declared = _XML_DECLARATION.match(head)
        encoding = encoding or (declared[1].decode() if declared else None)
        if encoding and encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
            stream = _transcoded(stream, encoding, label)
    elif encoding:
        stream = _transcoded(stream, encoding, label)
    return stream


def _transcoded(stream: io.BufferedReader, encoding: str, label: str) -> io.BufferedReader:
    try:
        content = io.TextIOWrapper(stream, encoding=encoding, newline="").read()
    except LookupError:
        raise BadInput(
            f"unknown encoding {encoding!r}", where=label, hint="save the file as UTF-8"
        ) from None
    except UnicodeError as error:
        raise BadInput(
            f"not in its declared encoding {encoding}: {error}",
            where=label,
            hint="save the file as UTF-8",
        ) from None
    content = re.sub(r"""^(<\?xml[^>]*?)\sencoding\s*=\s*["'][^"']*["']""", r"\1", content, count=1)
    return io.BufferedReader(io.BytesIO(content.encode()))


def _check_base(base: str | None, label: str) -> None:
    if base is None:
        return
    try:
        ox.NamedNode(base)
    except ValueError as error:
        raise BadInput(
            f"the base {base[:200]!r} is no absolute IRI: {error}",
            where=label,
            hint="for example: --base https://data.example.org/",
        ) from None


def _check_term(term: Any) -> None:
    """Raise ValueError for an IRI or a language tag that the grammar does not allow."""
    if isinstance(term, ox.NamedNode):
        ox.NamedNode(term.value)
    elif isinstance(term, ox.BlankNode):
        ox.BlankNode(term.value)
    elif isinstance(term, ox.Literal) and term.language is not None:
        ox.Literal("", language=term.language)
    elif isinstance(term, ox.Literal):
        ox.NamedNode(term.datatype.value)


def _check_xml(stream: IO[bytes], label: str) -> None:
    """Refuse what makes RDF/XML parsers blow up or hang, and name the line of what is no XML.

    Entities turn a few bytes into gigabytes, so no document type is read at all. What is of RDF
    1.2 is lost without a word unless the document says that version, so it is refused here.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = 0

    def stop(message: str, hint: str) -> None:
        line = parser.CurrentLineNumber
        raise Invalid(message, where=f"{label}:{line}", hint=hint, line=line)

    def on_start(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _XML_DEPTH:
            stop(f"elements are nested over {_XML_DEPTH:,} deep", "write resources side by side")
        if attributes.get(_PARSE_TYPE) == "Triple":
            stop(*_TRIPLE_TERM)
        if _DIRECTION in attributes:
            stop(*_BASE_DIRECTION)

    def on_end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def on_doctype(*_: object) -> None:
        stop("a DOCTYPE is not accepted in RDF/XML", "remove it and write its entities out")

    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    parser.StartDoctypeDeclHandler = on_doctype
    try:
        parser.ParseFile(stream)
    except expat.ExpatError as error:
        raise _NotXml(expat.ErrorString(error.code), error.lineno, error.offset + 1) from None


class _NotXml(SyntaxError):
    """Not well-formed XML, in the shape of the RDF parsers' errors."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message, (None, line, column, None))


class _Limited(io.RawIOBase):
    """Stops a reader that yields more bytes than the limit: gzip bombs end here."""

    def __init__(self, stream: Any, limit: int, label: str) -> None:
        self.stream, self.left, self.limit, self.label = stream, limit, limit, label

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise TooLarge(
                f"over the size limit of {self.limit:,} bytes",
                where=self.label,
                hint="split the file, or raise file_limit in settings.toml",
            )
        buffer[: len(data)] = data
        return len(data)


def _statement_lines(stream: IO[bytes]) -> Iterator[int]:
    """The numbers of the lines of N-Triples or N-Quads that hold a statement: one each."""
    for number, line in enumerate(stream, 1):
        if line.lstrip()[:1] not in (b"", b"#"):
            yield number


class _Lined:
    """Gives a parser one line a read, and so knows which line it is at."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.line, self.rest = stream, 0, b""

    def read(self, size: int = -1) -> bytes:
        if not self.rest:
            self.rest = self.stream.readline()
            self.line += 1 if self.rest else 0
        if size < 0:
            size = len(self.rest)
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece
