"""Names of pipelines as identities here: fixed rules, the same for every importer.

A pipeline calls a table, a job or a column by a namespace and a name, in any characters. Its IRI is
`<base>/id/{kind}/{slug}-{20 hex}`: a slug that people can read, and a hash of the exact name that
tells it from all others. The exact name stands in dct:identifier, from which it can be read back.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from bilbaokg.terms import mint, slugify

__all__ = [
    "LONGEST",
    "Name",
    "column_iri",
    "job_iri",
    "record_of",
    "run_iri",
    "shown",
    "table_id",
    "table_iri",
    "writable",
]

LONGEST: Final = 2000
"""How many characters a name may have."""

_SLUG_LENGTH: Final = 60
_DIGITS: Final = 20
# What an identifier cannot hold as it is: its own separator, and what XML has no way to write.
_ESCAPED: Final = re.compile("[%/\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Name(NamedTuple):
    """What a table or a job is called: a name that is unique within a namespace."""

    namespace: str
    name: str

    @property
    def identifier(self) -> str:
        """`{namespace}/{name}`, with what would make it ambiguous as percent codes.

        The last `/` stands between the two, for those of the name are written `%2F`.
        """
        # The namespace keeps its slashes: it is an address, and people know it as one.
        space = _ESCAPED.sub(lambda m: m[0] if m[0] == "/" else _code(m), self.namespace)
        return f"{space}/{_ESCAPED.sub(_code, self.name)}"

    @classmethod
    def of(cls, identifier: str) -> Name:
        """The name that an identifier was made of."""
        namespace, _, name = identifier.rpartition("/")
        return cls(unquote(namespace), unquote(name))


def _code(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def shown(text: str) -> str:
    """A name as people read it in one line: what cannot be seen becomes U+FFFD."""
    return _CONTROL.sub("\ufffd", text)


def writable(text: str) -> str:
    """A text that every format can hold: what XML has no way to write becomes U+FFFD."""
    return _UNWRITABLE.sub("\ufffd", text)


@lru_cache(50_000)
def table_iri(base: str, name: Name) -> str:
    """The IRI of a table, a file or another thing that holds data."""
    return _minted(base, "table", name.name, *name)


def table_id(base: str, name: Name) -> str:
    """The id of the record that a table has under this name."""
    return record_of(base, table_iri(base, name))


def record_of(base: str, iri: str) -> str:
    """The id of the record of an IRI that was minted here."""
    return iri[len(base) + len("/id/") :]


@lru_cache(10_000)
def job_iri(base: str, name: Name) -> str:
    """The IRI of a job."""
    return _minted(base, "job", name.name, *name)


def run_iri(base: str, id: str) -> str:
    """The IRI of a run; its id is a UUID in lower case."""
    return mint(base, "run", id)


@lru_cache(50_000)
def column_iri(base: str, table: str, field: str) -> str:
    """The IRI of a column of a table (an IRI)."""
    return _minted(base, "column", field, table, field)


def _minted(base: str, kind: str, called: str, *exact: str) -> str:
    slug = slugify(called[-_SLUG_LENGTH:] if kind == "table" else called[:_SLUG_LENGTH])
    # Lengths stand between the parts, so that no two sequences of parts are one text.
    parts = "".join([f"{len(part)}:{part}" for part in exact])
    digest = hashlib.sha256(parts.encode()).hexdigest()[:_DIGITS]
    return mint(base, kind, f"{slug}-{digest}" if slug else digest)
