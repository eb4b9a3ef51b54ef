"""Namespaces, IRI minting, language tags, and N-Triples terms as text.

Inside bilbaokg a term is its canonical N-Triples text (`<iri>`, `_:label`, `"text"@es`) and a
statement is a tuple of three of them: text survives exactly, hashes well and costs little.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import pyoxigraph as ox

__all__ = [
    "ADMS",
    "AS",
    "BINDING",
    "CSVW",
    "DCAT",
    "DCATAP",
    "DCT",
    "DEFAULT_BASE",
    "DQV",
    "DUV",
    "EARL",
    "FOAF",
    "HYDRA",
    "KINDS",
    "LANGUAGES",
    "LISTINGS",
    "LOCN",
    "ODRL",
    "ORG",
    "OWL",
    "PERSONS",
    "PREFIXES",
    "PROV",
    "RDF",
    "RDFS",
    "SCHEMA",
    "SH",
    "SKOS",
    "SPDX",
    "VCARD",
    "XSD",
    "Namespace",
    "Statement",
    "datatype_of",
    "in_force",
    "is_iri",
    "language_of",
    "literal",
    "mint",
    "plain",
    "record_id",
    "ref",
    "slugify",
    "split_line",
    "split_lines",
    "split_literal",
    "unescape",
    "without_graph",
]

DEFAULT_BASE: Final = "https://bilbaokg.example"
LANGUAGES: Final = ("es", "eu", "en")
KINDS: Final = (
    "catalog", "dataset", "series", "service", "distribution", "agent", "unit", "principle",
    "concept", "scheme", "job", "run", "table", "column", "policy", "shared", "rest",
)  # fmt: skip
"""The kinds of records: the first part of their ids."""


class Namespace(str):
    """A namespace IRI; `DCAT.Dataset` and `DCT["title"]` give the full IRI as text."""

    __slots__ = ()

    # These two terms share their names with methods of str.
    @property
    def title(self) -> str:  # type: ignore[override]
        return f"{self}title"

    @property
    def format(self) -> str:  # type: ignore[override]
        return f"{self}format"

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{self}{name}"

    def __getitem__(self, name: object) -> str:
        return f"{self}{name}" if isinstance(name, str) else str.__getitem__(self, name)  # type: ignore[index]


ADMS: Final = Namespace("http://www.w3.org/ns/adms#")
AS: Final = Namespace("https://www.w3.org/ns/activitystreams#")
CSVW: Final = Namespace("http://www.w3.org/ns/csvw#")
DCAT: Final = Namespace("http://www.w3.org/ns/dcat#")
DCATAP: Final = Namespace("http://data.europa.eu/r5r/")
DCT: Final = Namespace("http://purl.org/dc/terms/")
DPV: Final = Namespace("https://w3id.org/dpv#")
DQV: Final = Namespace("http://www.w3.org/ns/dqv#")
DUV: Final = Namespace("http://www.w3.org/ns/duv#")
EARL: Final = Namespace("http://www.w3.org/ns/earl#")
FOAF: Final = Namespace("http://xmlns.com/foaf/0.1/")
HYDRA: Final = Namespace("http://www.w3.org/ns/hydra/core#")
LOCN: Final = Namespace("http://www.w3.org/ns/locn#")
ODRL: Final = Namespace("http://www.w3.org/ns/odrl/2/")
ORG: Final = Namespace("http://www.w3.org/ns/org#")
OWL: Final = Namespace("http://www.w3.org/2002/07/owl#")
PROV: Final = Namespace("http://www.w3.org/ns/prov#")
RDF: Final = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS: Final = Namespace("http://www.w3.org/2000/01/rdf-schema#")
SCHEMA: Final = Namespace("https://schema.org/")
SH: Final = Namespace("http://www.w3.org/ns/shacl#")
SKOS: Final = Namespace("http://www.w3.org/2004/02/skos/core#")
SPDX: Final = Namespace("http://spdx.org/rdf/terms#")
VCARD: Final = Namespace("http://www.w3.org/2006/vcard/ns#")
XSD: Final = Namespace("http://www.w3.org/2001/XMLSchema#")

PREFIXES: Final[dict[str, str]] = {
    "adms": ADMS,
    "as": AS,
    "csvw": CSVW,
    "dcat": DCAT,
    "dcatap": DCATAP,
    "dct": DCT,
    "dpv": DPV,
    "dqv": DQV,
    "duv": DUV,
    "earl": EARL,
    "foaf": FOAF,
    "locn": LOCN,
    "odrl": ODRL,
    "org": ORG,
    "owl": OWL,
    "prov": PROV,
    "rdf": RDF,
    "rdfs": RDFS,
    "skos": SKOS,
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}


class Statement(NamedTuple):
    """One RDF statement as three N-Triples terms."""

    subject: str
    predicate: str
    object: str

    @property
    def line(self) -> str:
        """The canonical N-Triples line, without its line end."""
        return f"{self.subject} {self.predicate} {self.object} ."


def split_line(line: str) -> Statement:
    """The statement of one canonical N-Triples line (`s p o .`, single spaces)."""
    subject, predicate, rest = line.split(" ", 2)
    return Statement(subject, predicate, rest[:-2])


def split_lines(text: str) -> list[str]:
    """The lines of an N-Triples text; str.splitlines would also split at U+2028 and its like."""
    return text.split("\n")[:-1] if text.endswith("\n") else text.split("\n") if text else []


def ref(iri: str) -> str:
    """The N-Triples text of an IRI."""
    return f"<{iri}>"


# Properties with which a catalogue lists its members, as terms.
LISTINGS: Final = frozenset(
    map(ref, (DCAT.dataset, DCAT.service, DCAT.record, DCAT.catalog, DCAT.resource))
)
# Properties that may not point to what is not there, as terms: such a link is never just cut.
BINDING: Final = frozenset(map(ref, (DCAT.servesDataset, DCAT.inSeries, DCT.publisher)))
# Classes of natural persons, as terms: nothing of them is ever released.
PERSONS: Final = frozenset(
    map(ref, (FOAF.Person, PROV.Person, AS.Person, SCHEMA.Person, "http://schema.org/Person"))
)


def plain(term: str) -> str:
    """The IRI, blank node label or literal value of an N-Triples term."""
    if term.startswith("<"):
        return term[1:-1]
    if term.startswith('"'):
        return unescape(term[1 : term.rindex('"')])
    return term


def without_graph(line: str) -> str:
    """The N-Triples line of an N-Quads line whose graph is named."""
    return f"{line[: line.rindex(' <')]} ."


_ESCAPES: Final = {
    "t": "\t",
    "b": "\b",
    "n": "\n",
    "r": "\r",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
}
_ESCAPED: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)


def unescape(text: str) -> str:
    """Resolve the escapes of an N-Triples string (RDF 1.1 N-Triples, section 2.4)."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(
        lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _ESCAPES.get(m[3], m[3]), text
    )


_CONTROL: Final = re.compile("[\x00-\t\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_CONTROL_BYTES: Final = bytes([*range(10), 11, 12, *range(14, 32), 127])
_TO_ESCAPE: Final = re.compile('[\x00-\x1f"\\\\\x7f\ufffe\uffff]')
_LONG: Final = 1000
_NONCHARACTER: Final = re.compile(b"\xef\xbf[\xbe\xbf]")
_SHORT: Final = {"\t": "\\t", "\b": "\\b", "\f": "\\f"}


def _has_controls(text: str) -> bool:
    """What _CONTROL.search tells, on a long text four times faster."""
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw.translate(None, _CONTROL_BYTES)) < len(raw) or bool(_NONCHARACTER.search(raw))


def _escaped(value: str) -> str:
    # Most are short and need nothing.
    if len(value) < _LONG and not _TO_ESCAPE.search(value):
        return value
    # Four replacements are several times faster than one translate on a record's whole text.
    escaped = (
        value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    )
    if len(escaped) < _LONG or _has_controls(escaped):
        escaped = _CONTROL.sub(lambda m: _SHORT.get(m[0], f"\\u{ord(m[0]):04X}"), escaped)
    return escaped


def literal(value: str, *, language: str | None = None, datatype: str | None = None) -> str:
    """The canonical N-Triples text of a literal (RDF 1.2 N-Triples, section 4)."""
    quoted = f'"{_escaped(value)}"'
    if language:
        return f"{quoted}@{language.lower()}"
    return f"{quoted}^^<{datatype}>" if datatype and datatype != XSD.string else quoted


# A namespace makes its terms anew at each access: too slow for every literal of a catalogue.
_STRING: Final = XSD.string
_LANG_STRING: Final = RDF.langString


def split_literal(term: str) -> tuple[str, str, str | None]:
    """The lexical form, datatype IRI and language tag of a literal in N-Triples text.

    A literal without a datatype is an xsd:string, one with a language an rdf:langString (RDF 1.1
    Concepts, section 3.3). The tag keeps its case.
    """
    if term.endswith('"'):
        return unescape(term[1:-1]), _STRING, None
    # What follows the closing quote, an IRI or a language tag, holds no quote.
    end = term.rindex('"')
    lexical = unescape(term[1:end])
    if term[end + 1] == "@":
        return lexical, _LANG_STRING, term[end + 2 :]
    return lexical, term[end + 4 : -1], None


def datatype_of(term: str) -> str:
    """The datatype IRI of a literal, as split_literal gives it."""
    if term.endswith('"'):
        return _STRING
    if term.endswith(">"):
        return term[term.rindex('"') + 4 : -1]
    return _LANG_STRING


_TAGGED: Final = re.compile(r'"@([A-Za-z]+(?:-[A-Za-z0-9]+)*)$')


def language_of(term: str) -> str | None:
    """The language tag of a literal, in lower case, or None."""
    found = _TAGGED.search(term)
    return found[1].lower() if found else None


_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*")


def in_force(states: Iterable[str]) -> bool:
    """Whether an attribution in these states (adms:status, IRIs) holds now: active, or in none."""
    names = [re.split("[#/:]", state.rstrip("#/"))[-1] for state in states]
    return not names or "active" in names


def is_iri(text: str) -> bool:
    """Whether the text is an absolute IRI (RFC 3987), as Oxigraph takes it."""
    if not _IRI.fullmatch(text):
        return False
    try:
        return bool(ox.NamedNode(text))  # knows hosts, ports and percent signs
    except ValueError:
        return False


_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")


def slugify(text: str) -> str:
    """A URL-safe slug: ASCII lower case letters, digits and single hyphens."""
    if not text.isascii():
        import unicodedata

        letters = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in letters if not unicodedata.combining(c))
    return _NO_SLUG.sub("-", text.lower()).strip("-")


def mint(base: str, kind: str, slug: str) -> str:
    """The IRI `<base>/id/{kind}/{slug}`."""
    return f"{base}/id/{kind}/{slug}"


_SLUG: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9._~-]+")


def record_id(base: str, kind: str, iri: str) -> str:
    """The id of a record: `type/slug` where we minted the IRI, else `type/{16 hex of SHA-256}`."""
    prefix = f"{base}/id/"
    if iri.startswith(prefix):
        type_, _, slug = iri[len(prefix) :].partition("/")
        if type_ == kind and _SLUG.fullmatch(slug):
            return f"{type_}/{slug}"
    return f"{kind}/{hashlib.sha256(iri.encode()).hexdigest()[:16]}"
