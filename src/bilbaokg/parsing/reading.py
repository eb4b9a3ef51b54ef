"""One input of a stranger, read: its statements, and where and why it cannot be read."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import quote

import pyoxigraph as ox

from bilbaokg.errors import BadInput, Invalid, SyntaxFault, TooLarge
from bilbaokg.formats import FORMATS, sniff
from bilbaokg.parsing.sifting import NO_BASE, is_strange, refusal
from bilbaokg.parsing.streams import Limited, Lined, check_xml, statement_lines, utf8
from bilbaokg.terms import Statement, split_line

__all__ = ["Reading"]

_CHUNK: Final = 10_000
# One literal of over 2 MiB makes every look-up of its RocksDB file slow, some hundred times.
_TERM_BYTES: Final = 2_000_000
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


class Reading:
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
        limited = Limited(raw, self.params["limit"], self.label)
        return utf8(io.BufferedReader(limited, 1 << 16), self.format.name, self.label)

    def chunks(self) -> Iterator[str]:
        """N-Triples text of up to _CHUNK statements, without the last line end."""
        try:
            if self.format.name == "rdf":
                check_xml(self.open(), self.label)
            elif self.format.name == "jsonld":
                self._check_json()
            stream = self.open()
            # A JSON-LD parser reads all before its first statement: it knows no lines.
            locate = self.params.get("locate") and self.format.name != "jsonld"
            by_line = locate and self.params.get("blank") and self.format.name in ("nt", "nq")
            lined = Lined(stream) if locate and not by_line else None
            quads = self._parse(lined or stream)
            if lined:
                quads = self._located(quads, lined)
            counted = statement_lines(self.open()) if by_line else iter(())
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

    def _parse(self, stream: IO[bytes] | Lined) -> Iterator[ox.Quad]:
        base = self.params.get("base_iri") or (NO_BASE if self.format.name == "jsonld" else None)
        return ox.parse(
            cast(IO[bytes], stream),
            format=self.format.rdf,
            base_iri=base,
            rename_blank_nodes=True,
        )

    def _located(self, quads: Iterator[ox.Quad], lined: Lined) -> Iterator[ox.Quad]:
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
        if is_strange(chunk):
            for line in chunk.split("\n"):
                statement = split_line(line)
                if unkept := refusal(statement):
                    raise self.refused(statement, *unkept)

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
        lined = Lined(self.open())
        for quad in self._parse(lined):
            if refusal(split_line(f"{quad.triple} .")):
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
        lined = Lined(self.open())
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
