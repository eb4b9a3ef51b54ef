"""From statement lines to bytes: the four syntaxes exactly, and files that are whole or not there.

Literals keep their lexical form in every syntax. Turtle and RDF/XML are written here, from text to
text: Oxigraph writes numbers in Turtle as shorthand, which other parsers normalise, and in RDF/XML
a bare carriage return and class names that are no XML. RDF/XML cannot say all of RDF: some
characters (XML 1.0, section 2.2) and predicates without an XML name at their end. Portal feeds
write U+FFFD for such a character; what promises to be exact is refused, naming other syntaxes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import BinaryIO, Final

import pyoxigraph as ox

from bilbaokg.errors import Invalid
from bilbaokg.formats import FORMATS
from bilbaokg.terms import (
    HYDRA,
    PREFIXES,
    RDF,
    SCHEMA,
    Namespace,
    plain,
    ref,
    split_line,
    unescape,
    without_graph,
)

__all__ = ["PREFIXES_USED", "as_written", "read_back", "to_bytes", "write"]

PREFIXES_USED: Final[Mapping[str, str]] = {
    **PREFIXES,
    "eli": Namespace("http://data.europa.eu/eli/ontology#"),
    "hydra": HYDRA,
    "schema": SCHEMA,
    "time": Namespace("http://www.w3.org/2006/time#"),
}
_HEADER: Final = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES_USED.items())
_TYPE: Final = ref(RDF.type)
_LOCAL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BATCH: Final = 20_000
# What XML 1.0 cannot carry, not even as a reference.
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# Escapes of N-Triples; the group holds those of characters that XML cannot carry.
_ESCAPE: Final = re.compile(r"\\(?:(u000[0-8BCEF]|u001[0-9A-F]|uFFF[EF]|[bf])|.)")
_REFERENCES: Final = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("\r", "&#13;"),
)
_SPECIAL: Final = re.compile(r'[&<>"\r]')
# Names of the syntax itself, which no property element may have (RDF/XML, section 6.1.1).
_NO_ELEMENTS: Final = frozenset(
    ref(RDF[name])
    for name in (
        "Description", "ID", "RDF", "about", "aboutEach", "aboutEachPrefix", "bagID", "datatype",
        "li", "nodeID", "parseType", "resource",
    )
)  # fmt: skip
# Latin, Greek and Cyrillic as in XML 1.0, fourth edition, appendix B: the fifth allows more, and so
# do some parsers.
_NAME_START: Final = (
    "A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e"
    "\u0180-\u01c3\u01cd-\u01f0\u01f4\u01f5\u01fa-\u0217\u0250-\u02a8\u02bb-\u02c1\u0386"
    "\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u03d0-\u03d6\u03da\u03dc\u03de\u03e0"
    "\u03e2-\u03f3\u0401-\u040c\u040e-\u044f\u0451-\u045c\u045e-\u0481"
)
_NAME_REST: Final = f"{_NAME_START}0-9.\u00b7\u02d0\u02d1\u0300-\u0345\u0360\u0361\u0387-"
_XML_NAME: Final = re.compile(f"[{_NAME_START}][{_NAME_REST}]*>$")


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
    elif format == "jsonld":
        ox.serialize(_quads(lines), output=out, format=ox.RdfFormat.JSON_LD)
    else:
        for piece in _WRITERS[format](lines, exact):
            out.write(piece.encode())


def as_written(line: str, format: str) -> str:
    """What a feed says in place of a line in a syntax: RDF/XML has no word for some characters."""
    if format != "rdf" or "\\" not in line:
        return line
    return _ESCAPE.sub(lambda m: "\ufffd" if m[1] else m[0], line)


def read_back(content: bytes | BinaryIO, format: str) -> Iterator[ox.Quad]:
    """Parse what `write` made."""
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
        yield from _body(map(without_graph, quads), name)
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


class _Elements:
    """Terms as RDF/XML writes them."""

    def __init__(self, exact: bool) -> None:
        self.exact = exact
        self._spaces = {iri: prefix for prefix, iri in PREFIXES_USED.items()}
        self._known: dict[str, tuple[str, str] | None] = {}

    def name(self, iri: str) -> tuple[str, str] | None:
        """Element name and namespace declaration of an IRI term; None where XML has no name."""
        if iri not in self._known:
            if len(self._known) > _BATCH:
                self._known.clear()
            self._known[iri] = self._name(iri)
        return self._known[iri]

    def _name(self, iri: str) -> tuple[str, str] | None:
        found = _XML_NAME.search(iri)
        if iri in _NO_ELEMENTS or not found:
            return None
        space, local = iri[1 : found.start()], iri[found.start() : -1]
        if prefix := self._spaces.get(space):
            return f"{prefix}:{local}", ""
        return f"ns:{local}", f' xmlns:ns="{_escaped(space)}"'

    def opened(self, subject: str, cls: str | None) -> tuple[str, str]:
        """Start and end of a node element, named by its class where that has a name."""
        name, space = (self.name(cls) if cls else None) or ("rdf:Description", "")
        return f"\n\n  <{name}{space} {_reference(subject, 'rdf:about')}>", f"\n  </{name}>"

    def property(self, subject: str, predicate: str, object_: str) -> str:
        """A property element. Raises Invalid where XML cannot say it."""
        named = self.name(predicate)
        if named is None:
            raise Invalid(
                f"RDF/XML has no name for the predicate {predicate}",
                where=subject,
                hint="ask for ttl, nt or jsonld",
            )
        name, space = named
        if not object_.startswith('"'):
            return f"\n    <{name}{space} {_reference(object_, 'rdf:resource')}/>"
        end = object_.rindex('"')
        tag, value = object_[end + 1 :], unescape(object_[1:end])
        if _NOT_XML.search(value):
            if self.exact:
                raise Invalid(
                    f"RDF/XML cannot carry a character of the value of {plain(predicate)}",
                    where=subject,
                    hint="ask for ttl, nt or jsonld",
                )
            value = _NOT_XML.sub("\ufffd", value)
        if tag.startswith("@"):
            space += f' xml:lang="{tag[1:]}"'
        elif tag:
            space += f' rdf:datatype="{_escaped(tag[3:-1])}"'
        return f"\n    <{name}{space}>{_escaped(value)}</{name}>"


def _reference(term: str, attribute: str) -> str:
    if term.startswith("_:"):
        return f'rdf:nodeID="{term[2:]}"'
    return f'{attribute}="{_escaped(term[1:-1])}"'


def _escaped(text: str) -> str:
    """Text for content and attributes; a bare carriage return would be read as a line feed."""
    if not _SPECIAL.search(text):
        return text
    for character, reference in _REFERENCES:
        text = text.replace(character, reference)
    return text


def _rdf_xml(lines: Iterable[str], exact: bool) -> Iterator[str]:
    spaces = "".join(f'\n  xmlns:{p}="{_escaped(iri)}"' for p, iri in PREFIXES_USED.items())
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{spaces}>'
    elements = _Elements(exact)
    before, end = "", ""
    piece: list[str] = []
    for line in lines:
        subject, predicate, object_ = split_line(line)
        fresh = subject != before
        cls = object_ if fresh and predicate == _TYPE and elements.name(object_) else None
        if fresh:
            start, following = elements.opened(subject, cls)
            piece += (end, start)
            before, end = subject, following
        if cls is None:
            piece.append(elements.property(subject, predicate, object_))
        if len(piece) >= _BATCH:
            yield "".join(piece)
            piece = []
    yield "".join(piece) + f"{end}\n</rdf:RDF>\n"


_WRITERS: Final[dict[str, Callable[[Iterable[str], bool], Iterator[str]]]] = {
    "ttl": lambda lines, _: _turtle(lines),
    "trig": lambda lines, _: _trig(lines),
    "rdf": _rdf_xml,
}
