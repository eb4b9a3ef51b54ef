"""Things of the lineage by what they are called, for people who do not know their IRIs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bilbaokg.lineage.edges import LEVELS, level
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import (
    ADMS,
    CSVW,
    DCT,
    LANGUAGES,
    RDFS,
    SKOS,
    literal,
    plain,
    ref,
)

__all__ = ["called"]

_NAMES: Final = tuple(
    map(ref, (DCT.title, DCT.identifier, RDFS.label, SKOS.prefLabel, CSVW.name, SKOS.notation))
)
_PART_OF: Final = ref(DCT.isPartOf)
_OTHER_NAME: Final = ref(ADMS.identifier)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # no text of RDF holds one
# How a column is said with its table: as SQL does, and as pages show it.
_JOINTS: Final = (" · ", ".")


def called(store: EmbeddedStore, name: str) -> list[str]:
    """The datasets, tables, columns, jobs and runs with this title, identifier or name, exactly; a
    column may be `table.column`. In the order of their IRIs."""
    if _SURROGATE.search(name):
        return []
    found = set(_under(store, name))
    for joint in _JOINTS:
        first, met, last = name.rpartition(joint)
        if met and first and last:
            # Pages say the column first.
            table, column = (first, last) if joint == "." else (last, first)
            wholes = {ref(iri) for iri in _under(store, table)}
            found |= {
                iri
                for iri in _under(store, column)
                if any(o in wholes for *_, o, _ in store.match(ref(iri), _PART_OF))
            }
    # A run may be called like its job, which is meant.
    lasting = [iri for iri in found if level(store, iri) != "run"]
    return sorted(lasting or found)


def _under(store: EmbeddedStore, name: str) -> Iterator[str]:
    texts = [literal(name), *(literal(name, language=language) for language in LANGUAGES)]
    for text in texts:
        for subject, predicate, *_ in store.match(object=text):
            if predicate in _NAMES:
                # Further names of a table stand at nodes of their own.
                wholes = [s for s, *_ in store.match(None, _OTHER_NAME, subject)]
                for term in wholes or [subject]:
                    if term.startswith("<") and level(store, plain(term)) != LEVELS[0]:
                        yield plain(term)
