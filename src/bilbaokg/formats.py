"""RDF formats: the one table of media types and extensions, and the trusted side of serialising.

What strangers send is parsed by `parsing` inside a worker; `quads` here is only for text that
this program wrote itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import pyoxigraph as ox

from bilbaokg.errors import UnsupportedFormat

__all__ = [
    "FORMATS",
    "Format",
    "by_extension",
    "by_media_type",
    "by_name",
    "quads",
    "sniff",
]


@dataclass(frozen=True, slots=True)
class Format:
    """One RDF syntax. `graphs` says whether it can name graphs."""

    name: str
    media_type: str
    extensions: tuple[str, ...]
    rdf: ox.RdfFormat
    graphs: bool
    aliases: tuple[str, ...] = ()


_R: Final = ox.RdfFormat
FORMATS: Final[dict[str, Format]] = {
    f.name: f
    for f in (
        Format(
            "ttl", "text/turtle", ("ttl", "turtle"), _R.TURTLE, False, ("application/x-turtle",)
        ),
        Format("trig", "application/trig", ("trig",), _R.TRIG, True, ("application/x-trig",)),
        Format(
            "nt", "application/n-triples", ("nt", "ntriples"), _R.N_TRIPLES, False, ("text/plain",)
        ),
        Format("nq", "application/n-quads", ("nq", "nquads"), _R.N_QUADS, True, ("text/x-nquads",)),
        Format(
            "jsonld",
            "application/ld+json",
            ("jsonld", "json"),
            _R.JSON_LD,
            True,
            ("application/json",),
        ),
        Format(
            "rdf",
            "application/rdf+xml",
            ("rdf", "xml", "owl"),
            _R.RDF_XML,
            False,
            ("application/xml", "text/xml"),
        ),
    )
}


def by_extension(name: str) -> Format | None:
    """The format that a file name's extension says, a final `.gz` left aside."""
    suffixes = [s[1:].lower() for s in PurePath(name).suffixes]
    if suffixes and suffixes[-1] == "gz":
        suffixes.pop()
    if not suffixes:
        return None
    return next((f for f in FORMATS.values() if suffixes[-1] in f.extensions), None)


def by_media_type(media_type: str) -> Format | None:
    """The format of a media type; parameters are ignored."""
    wanted = media_type.partition(";")[0].strip().lower()
    return next(
        (f for f in FORMATS.values() if wanted == f.media_type or wanted in f.aliases), None
    )


def by_name(name: str) -> Format:
    """The format of a name, extension or media type, as options give it.

    Raises UnsupportedFormat listing the names.
    """
    lowered = name.lower().lstrip(".")
    found = FORMATS.get(lowered) or by_extension(f"x.{lowered}") or by_media_type(lowered)
    if not found:
        raise UnsupportedFormat(f"unknown format {name!r}", hint=f"one of: {', '.join(FORMATS)}")
    return found


def sniff(head: bytes) -> Format | None:
    """The format that the first bytes look like, or None: a guess for pipes and for hints."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"{", b"[")):
        # A Turtle document may begin with "[]", a JSON-LD array with "[{".
        rest = text[1:].lstrip()
        return (
            FORMATS["ttl"] if text[:1] == b"[" and rest[:1] in (b"]", b"a") else FORMATS["jsonld"]
        )
    if text.startswith(b"<?xml") or b"<rdf:RDF" in text[:2000]:
        return FORMATS["rdf"]
    if any(word in text[:2000] for word in (b"@prefix", b"PREFIX ", b"@base", b"prefix ")):
        return FORMATS["ttl"]
    return FORMATS["nq"] if text.startswith((b"<", b"_:")) and b" ." in text else None


def quads(text: str | bytes, format: str = "nq") -> Iterator[ox.Quad]:
    """Parse RDF that this program wrote; exact literals, blank node labels kept."""
    return ox.parse(text, format=FORMATS[format].rdf, lenient=True)
