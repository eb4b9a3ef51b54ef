"""What quality looks values up in: the authority tables, and what is known of file formats."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from bilbaokg import assets
from bilbaokg.shacl.reading import read_file
from bilbaokg.shacl.vocabulary import IN_SCHEME
from bilbaokg.terms import ref, split_line

__all__ = ["FileType", "file_type", "file_types", "media_type", "table"]

_AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"
_FILE_TYPES: Final = f"<{_AUTHORITY}file-type/"
# RFC 6838, section 4.2: the top-level types, and the characters of a subtype.
_MEDIA_TYPE: Final = re.compile(
    r"<https?://www\.iana\.org/assignments/media-types/"
    r"((?:application|audio|example|font|haptics|image|message|model|multipart|text|video)"
    r"/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126})>"
)


class FileType(NamedTuple):
    """What is known of a format: open, read by programs, its extensions and media types."""

    open: bool
    machine: bool
    extensions: tuple[str, ...]
    media: tuple[str, ...]


@cache
def table(name: str) -> frozenset[str]:
    """The members (terms) of an authority table that comes with the product: "licence"."""
    scheme = ref(f"{_AUTHORITY}{name}")
    lines, _ = read_file(assets.folder("ontology") / "authority" / f"{name}.ttl")
    statements = map(split_line, lines)
    return frozenset(s for s, p, o in statements if p == IN_SCHEME and o == scheme)


@cache
def file_types() -> Mapping[str, FileType]:
    """The known formats, by their code in the EU table."""
    text = (assets.folder("ontology") / "formats.toml").read_text(encoding="utf-8")
    return {
        code: FileType(f["open"], f["machine"], tuple(f["extensions"]), tuple(f["media"]))
        for code, f in tomllib.loads(text).items()
    }


def file_type(term: str) -> FileType | None:
    """What is known of the format that a term names; None where the EU table has no such one."""
    if term.startswith(_FILE_TYPES) and term in table("file-type"):
        return file_types().get(term[len(_FILE_TYPES) : -1])
    return None


def media_type(term: str) -> str | None:
    """`text/csv` for the IRI that IANA gives it; None for what is no such IRI."""
    found = _MEDIA_TYPE.fullmatch(term)
    return found[1].lower() if found else None
