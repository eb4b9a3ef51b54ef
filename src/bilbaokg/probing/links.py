"""The links of a catalogue that can be asked."""

from __future__ import annotations

from typing import Final, NamedTuple

from bilbaokg.shacl.graph import Graph
from bilbaokg.terms import DCAT, DCT, plain, ref

__all__ = ["Link", "links"]

_FORMATS: Final = {
    "CSV": "csv", "TSV": "tsv", "JSON": "json", "GEOJSON": "json", "JSON_LD": "json",
}  # fmt: skip


class Link(NamedTuple):
    """An address; whether a file is behind it, and as what that is read (json, csv, tsv)."""

    url: str
    download: bool
    content: str | None = None


def links(graph: Graph) -> list[Link]:
    """The access and download addresses of all distributions, by address.

    An address that is both is a download.
    """
    found: dict[str, Link] = {}
    for download in (False, True):
        for node, term in graph.pairs(ref(DCAT.downloadURL if download else DCAT.accessURL)):
            if term.startswith("<http"):
                url = plain(term)
                content = _content(graph, node) if download else None
                found[url] = Link(url, download, content)
    return [found[url] for url in sorted(found)]


def _content(graph: Graph, distribution: str) -> str | None:
    if graph.objects(distribution, ref(DCAT.compressFormat)):
        return None
    formats = graph.objects(distribution, ref(DCT["format"]))
    codes = (_FORMATS.get(plain(term).rpartition("/")[2]) for term in formats)
    return next((code for code in codes if code), None)
