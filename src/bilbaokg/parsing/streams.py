"""Bytes that strangers wrote, on their way to a parser: in UTF-8, within a limit, lines counted.

XML is looked at before a parser sees it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, Any, Final
from xml.parsers import expat

from bilbaokg.errors import BadInput, Invalid, TooLarge
from bilbaokg.terms import RDF

__all__ = [
    "BASE_DIRECTION",
    "TRIPLE_TERM",
    "Limited",
    "Lined",
    "check_xml",
    "statement_lines",
    "utf8",
]

_XML_DEPTH: Final = 1_000
_XML_DECLARATION: Final = re.compile(
    rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']"""
)
_PARSE_TYPE: Final = f"{RDF} parseType"
_DIRECTION: Final = "http://www.w3.org/2005/11/its dir"
# What RDF 1.2 has and RDF 1.1 has not: why it cannot be kept, and how to mend it.
TRIPLE_TERM: Final = ("a triple term (RDF 1.2) cannot be kept", "write it as a resource")
BASE_DIRECTION: Final = (
    "a string with a base direction (RDF 1.2) cannot be kept",
    "leave the direction out",
)
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def utf8(stream: io.BufferedReader, format: str, label: str) -> IO[bytes]:
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


def check_xml(stream: IO[bytes], label: str) -> None:
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
            stop(*TRIPLE_TERM)
        if _DIRECTION in attributes:
            stop(*BASE_DIRECTION)

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


class Limited(io.RawIOBase):
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


def statement_lines(stream: IO[bytes]) -> Iterator[int]:
    """The numbers of the lines of N-Triples or N-Quads that hold a statement: one each."""
    for number, line in enumerate(stream, 1):
        if line.lstrip()[:1] not in (b"", b"#"):
            yield number


class Lined:
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
