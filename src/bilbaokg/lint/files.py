"""Rules about files: links, declared formats, and what probing found behind the links."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from bilbaokg.lint.linted import Hit, Linted
from bilbaokg.probing import DEAD, Probe
from bilbaokg.quality.tables import FileType, file_type, file_types, media_type
from bilbaokg.terms import DCAT, DCT, SPDX, plain, ref

__all__ = [
    "checksum_differs",
    "file_empty",
    "file_invalid",
    "format_extension",
    "format_media_type",
    "link_dead",
    "link_empty",
    "media_type_served",
    "size_differs",
]

_LINKS: Final = (DCAT.accessURL, DCAT.downloadURL)
_SCHEMES: Final = frozenset({"http", "https", "ftp", "ftps", "sftp"})
# What may hold a file of any format.
_ARCHIVES: Final = frozenset({"zip", "gz", "7z", "tar", "tgz", "bz2", "xz", "rar"})
_ANY: Final = frozenset(
    {"application/octet-stream", "application/zip", "application/gzip", "application/x-gzip",
     "application/x-zip-compressed", "binary/octet-stream", "application/force-download"}
)  # fmt: skip
_EXTENSION: Final = re.compile(r"[^/]\.([A-Za-z0-9]{1,8})$")


def link_empty(linted: Linted) -> Iterator[Hit]:
    """Links that are no address of a server: empty, a text, a path."""
    for iri in _LINKS:
        for node, term in linted.values(linted.distributions, iri):
            if not (term.startswith("<") and _is_remote(plain(term))):
                yield Hit(node, iri, term)


def _is_remote(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _SCHEMES and bool(parts.hostname)
    except ValueError:
        return False


def format_extension(linted: Linted) -> Iterator[Hit]:
    """Files whose extension is that of other formats, and not of the declared ones."""
    known = {extension for found in file_types().values() for extension in found.extensions}
    for node, term in linted.values(linted.distributions, DCAT.downloadURL):
        extension = _extension(plain(term))
        formats = _formats(linted, node)
        allowed = {e for found in formats.values() for e in found.extensions}
        if extension in known - allowed - _ARCHIVES and allowed:
            yield Hit(node, DCAT.downloadURL, term, "format", {"x": ", ".join(formats)})


def _extension(url: str) -> str:
    try:
        found = _EXTENSION.search(unquote(urlsplit(url).path))
    except ValueError:
        return ""
    return found[1].lower() if found else ""


def format_media_type(linted: Linted) -> Iterator[Hit]:
    """Media types that files of the declared formats do not have."""
    for node, term in linted.values(linted.distributions, DCAT.mediaType):
        formats = _formats(linted, node)
        allowed = {m.partition(";")[0] for found in formats.values() for m in found.media}
        declared = media_type(term)
        if declared and allowed and declared not in allowed | _ANY:
            yield Hit(node, DCAT.mediaType, term, "format", {"x": ", ".join(formats)})


def _formats(linted: Linted, node: str) -> dict[str, FileType]:
    """The declared formats that are known, by code."""
    terms = linted.graph.objects(node, ref(DCT["format"]))
    pairs = ((plain(term).rpartition("/")[2], file_type(term)) for term in terms)
    return {code: found for code, found in pairs if found}


# ---- what probing found


def _probed(linted: Linted, *iris: str) -> Iterator[tuple[str, str, str, Probe]]:
    """Distribution, property, link and result of every link that was probed."""
    for iri in iris:
        for node, term in linted.values(linted.distributions, iri):
            if found := linted.probes.get(plain(term)):
                yield node, iri, term, found


def _seen(probe: Probe, what: object) -> dict[str, str]:
    return {"x": str(what), "at": probe.at[:10]}


def link_dead(linted: Linted) -> Iterator[Hit]:
    """Links that did not answer."""
    for node, iri, term, probe in _probed(linted, *_LINKS):
        if probe.state == DEAD:
            yield Hit(node, iri, term, "probe", _seen(probe, probe.reason or DEAD))


def file_empty(linted: Linted) -> Iterator[Hit]:
    """Files of no bytes."""
    for node, iri, term, probe in _probed(linted, DCAT.downloadURL):
        if probe.size == 0:
            yield Hit(node, iri, term, "probe", _seen(probe, "0 bytes"))


def file_invalid(linted: Linted) -> Iterator[Hit]:
    """Files that are not JSON or CSV though declared so."""
    for node, iri, term, probe in _probed(linted, DCAT.downloadURL):
        if probe.invalid:
            yield Hit(node, iri, term, "probe", _seen(probe, probe.invalid))


def size_differs(linted: Linted) -> Iterator[Hit]:
    """Declared sizes that are not those of the file."""
    for node, _, _, probe in _probed(linted, DCAT.downloadURL):
        for term in linted.graph.objects(node, ref(DCAT.byteSize)) if probe.size else ():
            with contextlib.suppress(ValueError):
                if float(plain(term)) != probe.size:
                    yield Hit(node, DCAT.byteSize, term, "probe", _seen(probe, probe.size))


def checksum_differs(linted: Linted) -> Iterator[Hit]:
    """Declared checksums that are not those of the file."""
    one = linted.graph.one
    for node, _, _, probe in _probed(linted, DCAT.downloadURL):
        for checksum in linted.graph.objects(node, ref(SPDX.checksum)) if probe.digests else ():
            algorithm = plain(one(checksum, ref(SPDX.algorithm)) or "")
            name = re.sub(r"[^a-z0-9]", "", re.split(r"[#/_]", algorithm.lower())[-1])
            declared = one(checksum, ref(SPDX.checksumValue))
            digest = probe.digests.get(name)
            if digest and declared and plain(declared).strip().lower() != digest:
                yield Hit(node, SPDX.checksum, declared, "probe", _seen(probe, f"{name} {digest}"))


def media_type_served(linted: Linted) -> Iterator[Hit]:
    """Media types that are not the one that the server sends."""
    for node, _, _, probe in _probed(linted, DCAT.downloadURL):
        served = probe.media_type
        declared = [media_type(t) for t in linted.graph.objects(node, ref(DCAT.mediaType))]
        named = [name for name in declared if name]
        if served and named and served not in (*named, *_ANY):
            term = linted.graph.objects(node, ref(DCAT.mediaType))[0]
            yield Hit(node, DCAT.mediaType, term, "probe", _seen(probe, served))
