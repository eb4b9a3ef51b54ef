"""From statement lines to bytes: the four syntaxes exactly, and files that are whole or not there.

Literals keep their lexical form in every syntax. Turtle is written here, because shorthand such as
`01` makes some parsers normalise the number. RDF/XML has two limits of its own: a carriage return
must be a character reference, and some characters (XML 1.0, section 2.2) and some predicates (no
XML name at the end) cannot be written at all. Portal feeds write U+FFFD for such a character; what
promises to be exact is refused, naming the syntaxes that can carry it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyoxigraph as ox

from bilbaokg.errors import Invalid
from bilbaokg.formats import FORMATS
from bilbaokg.store.embedded import storage_errors
from bilbaokg.terms import HYDRA, PREFIXES, RDF, Namespace, plain, ref, split_line

__all__ = ["PREFIXES_USED", "read_back", "replace_file", "to_bytes", "write"]

PREFIXES_USED: Final[Mapping[str, str]] = {
    **PREFIXES,
    "eli": Namespace("http://data.europa.eu/eli/ontology#"),
    "hydra": HYDRA,
    "time": Namespace("http://www.w3.org/2006/time#"),
}
_HEADER: Final = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES_USED.items())
_TYPE: Final = ref(RDF.type)
_LOCAL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BATCH: Final = 20_000
# C0 controls but tab, line feed and return, as canonical N-Triples escapes them; U+FFFE, U+FFFF.
_NOT_XML: Final = re.compile(
    r"\\u(?:00(?:0[0-8BbCcEeFf]|1[0-9A-Fa-f])|[Ff]{3}[EeFf])|[\ufffe\uffff]"
)
# Names of the syntax itself, which no property element may have (RDF/XML, section 6.1.1).
_NO_ELEMENTS: Final = frozenset(
    ref(RDF[name])
    for name in (
        "Description", "ID", "RDF", "about", "aboutEach", "aboutEachPrefix", "bagID", "datatype",
        "li", "nodeID", "parseType", "resource",
    )
)  # fmt: skip
_NAME_START: Final = (
    "A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_XML_NAME: Final = re.compile(
    f"[{_NAME_START}][{_NAME_START}0-9.\u00b7\u0300-\u036f\u203f\u2040-]*>$"
)


def to_bytes(lines: Iterable[str], format: str, *, exact: bool = False) -> bytes:
    """N-Triples lines in one of FORMATS. See `write`."""
    out = io.BytesIO()
    write(lines, format, out, exact=exact)
    return out.getvalue()


def write(lines: Iterable[str], format: str, out: BinaryIO, *, exact: bool = False) -> None:
    """Write N-Triples lines (N-Quads for nq, trig) in one of FORMATS, without holding them all.

    Raises Invalid where RDF/XML cannot say a predicate, or, when exact, a character.
    """
    if format in ("nt", "nq"):
        for batch in _batches(lines):
            out.write("".join(f"{line}\n" for line in batch).encode())
    elif format in ("ttl", "trig"):
        for piece in _turtle(lines) if format == "ttl" else _trig(lines):
            out.write(piece.encode())
    elif format == "rdf":
        held = (_for_xml(line, exact) for line in lines)
        ox.serialize(
            (quad.triple for quad in _quads(held)),
            output=cast("BinaryIO", _References(out)),
            format=ox.RdfFormat.RDF_XML,
            prefixes=dict(PREFIXES_USED),
        )
    else:
        ox.serialize(_quads(lines), output=out, format=FORMATS[format].rdf)


def read_back(content: bytes, format: str) -> Iterator[ox.Quad]:
    """Parse bytes that `write` made."""
    return ox.parse(content, format=FORMATS[format].rdf, lenient=True)


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _quads(lines: Iterable[str]) -> Iterator[ox.Quad]:
    for batch in _batches(lines):
        yield from ox.parse("\n".join(batch), format=ox.RdfFormat.N_QUADS, lenient=True)


# ---- Turtle


class _Names:
    """Prefixed names, remembered: a catalogue repeats its IRIs."""

    def __init__(self) -> None:
        self._spaces = {iri: prefix for prefix, iri in PREFIXES_USED.items()}
        self._known: dict[str, str] = {}

    def term(self, term: str) -> str:
        """The Turtle text of an IRI, a blank node or a literal."""
        if term.startswith("<"):
            return self._known.get(term) or self._remember(term)
        if term.startswith('"') and term.endswith(">"):
            value, mark, datatype = term.rpartition("^^")
            return f"{value}{mark}{self.term(datatype)}"
        return term

    def _remember(self, term: str) -> str:
        cut = max(term.rfind("#"), term.rfind("/")) + 1
        prefix, local = self._spaces.get(term[1:cut]), term[cut:-1]
        short = f"{prefix}:{local}" if prefix and _LOCAL.fullmatch(local) else term
        if len(self._known) > _BATCH:
            self._known.clear()
        self._known[term] = short
        return short


def _turtle(lines: Iterable[str]) -> Iterator[str]:
    yield _HEADER
    yield from _body(lines, _Names().term)


def _trig(lines: Iterable[str]) -> Iterator[str]:
    """N-Quads whose graphs come one after the other."""
    yield _HEADER
    name = _Names().term
    for graph, quads in groupby(lines, key=lambda line: line[line.rindex(" <") + 1 : -2]):
        yield f"\n{graph} {{"
        yield from _body((f"{quad[: quad.rindex(' <')]} ." for quad in quads), name)
        yield "}\n"


def _body(lines: Iterable[str], name: Callable[[str], str]) -> Iterator[str]:
    """Subjects in the order in which they come; `a` and lists of objects as people write them."""
    before: tuple[str, str] = ("", "")
    piece: list[str] = []
    for line in lines:
        subject, predicate, object_ = split_line(line)
        if (subject, predicate) == before:
            piece.append(f" ,\n        {name(object_)}")
        else:
            verb = "a" if predicate == _TYPE else name(predicate)
            if subject == before[0]:
                piece.append(f" ;\n    {verb} {name(object_)}")
            else:
                end = " .\n" if before[0] else ""
                piece.append(f"{end}\n{name(subject)} {verb} {name(object_)}")
            before = (subject, predicate)
        if len(piece) >= _BATCH:
            yield "".join(piece)
            piece = []
    yield "".join(piece) + (" .\n" if before[0] else "")


# ---- RDF/XML


def _for_xml(line: str, exact: bool) -> str:
    """The line as XML can carry it. Raises Invalid."""
    subject, predicate, object_ = split_line(line)
    if predicate in _NO_ELEMENTS or not _XML_NAME.search(predicate):
        raise Invalid(
            f"RDF/XML has no name for the predicate {predicate}",
            where=subject,
            hint="ask for ttl, nt or jsonld",
        )
    if object_.startswith('"') and _NOT_XML.search(object_):
        safe = _NOT_XML_ESCAPE.sub(_replace, object_)
        if exact and safe != object_:
            raise Invalid(
                f"RDF/XML cannot carry a character of the value of {plain(predicate)}",
                where=subject,
                hint="ask for ttl, nt or jsonld",
            )
        return f"{subject} {predicate} {safe} ."
    return line


# An escaped backslash is taken first, so that the text `\u0007` is not mistaken for a character.
_NOT_XML_ESCAPE: Final = re.compile(rf"\\\\|{_NOT_XML.pattern}")


def _replace(match: re.Match[str]) -> str:
    return match[0] if match[0] == r"\\" else "\ufffd"


class _References(io.RawIOBase):
    """Writes a carriage return as a reference: XML parsers read a bare one as a line feed."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.out.write(bytes(data).replace(b"\r", b"&#13;"))
        return len(data)


# ---- files


def replace_file(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    """Write a file beside its place, put it on disk and rename it: readers see all of it or none.

    Raises StorageFull, StorageFault.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as out:
                fill(out)
                out.flush()
                os.fsync(out.fileno())
            part.chmod(0o644)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
