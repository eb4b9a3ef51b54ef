"""The formats that portals write as text ("csv", "Excel .xlsx", "text/csv"), as IRIs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from bilbaokg.quality.tables import file_types
from bilbaokg.quality.tables import media_type as known_media_type
from bilbaokg.terms import ref

__all__ = ["file_type", "media_type"]

_FILE_TYPE: Final = "http://publications.europa.eu/resource/authority/file-type/"
_MEDIA_TYPE: Final = "http://www.iana.org/assignments/media-types/"
# Names that people give and that are neither a code of the EU table nor an extension.
_NAMES: Final = {
    "wms": "WMS_SRVC", "wfs": "WFS_SRVC", "turtle": "RDF_TURTLE", "rdf_xml": "RDF_XML",
    "excel": "XLS", "shapefile": "SHP", "json_ld": "JSON_LD", "geopackage": "GPKG",
    "esri_shapefile": "SHP", "n_triples": "RDF_N_TRIPLES", "texto": "TXT", "text": "TXT",
}  # fmt: skip


def file_type(name: object) -> str | None:
    """The IRI of the EU table that a name, extension or media type means, or None."""
    text = name.strip().lower().lstrip(".") if isinstance(name, str) else ""
    if text.startswith(_FILE_TYPE.lower()):
        text = text[len(_FILE_TYPE) :]
    known = _codes()
    code = known.get(text) or known.get(re.sub(r"[^a-z0-9]+", "_", text))
    return f"{_FILE_TYPE}{code}" if code else None


def media_type(name: object) -> str | None:
    """The IRI that IANA gives a media type, or None for what is none."""
    text = name.partition(";")[0].strip().lower() if isinstance(name, str) else ""
    iri = f"{_MEDIA_TYPE}{text}"
    return iri if known_media_type(ref(iri)) else None


@cache
def _codes() -> Mapping[str, str]:
    """Code by every name. One that is the usual name of several formats says nothing."""
    usual: dict[str, set[str]] = {}
    others: dict[str, str] = {}
    for code, known in file_types().items():
        for names in (known.extensions, known.media):
            for name in names[:1]:
                usual.setdefault(name, set()).add(code)
            others.update((name, code) for name in names[1:] if name not in others)
    clear = {name: min(codes) for name, codes in usual.items() if len(codes) == 1}
    others = {name: code for name, code in others.items() if name not in usual}
    named = {name: code for name, code in _NAMES.items() if code in file_types()}
    return others | clear | named | {code.lower(): code for code in file_types()}
