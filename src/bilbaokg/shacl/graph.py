"""An index over statements, and the reading of shapes and background files into statements.

Everything here is N-Triples text (see terms.py): exact literals, and no engine's own classes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from bilbaokg import assets, workers
from bilbaokg.errors import BadInput, SyntaxFault
from bilbaokg.formats import by_extension, by_name
from bilbaokg.model import Source
from bilbaokg.settings import Settings
from bilbaokg.skolem import GENID
from bilbaokg.terms import DEFAULT_BASE, RDF, RDFS, Statement, ref, split_line

__all__ = ["TYPE", "Graph", "is_resource", "read_files", "read_source", "unskolemise"]

TYPE: Final = ref(RDF.type)
_SUBCLASS: Final = ref(RDFS.subClassOf)
_FIRST: Final = ref(RDF.first)
_REST: Final = ref(RDF.rest)
_NIL: Final = ref(RDF.nil)


def is_resource(term: str) -> bool:
    """Whether a term is an IRI or a blank node."""
    return not term.startswith('"')


class Graph:
    """Statements by subject and by object. Terms are N-Triples text."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.by_subject: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.by_object: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for line in lines:
            subject, predicate, object_ = split_line(line)
            self.by_subject[subject][predicate].append(object_)
            if is_resource(object_):
                self.by_object[object_].append((subject, predicate))

    def objects(self, subject: str, predicate: str) -> Sequence[str]:
        """What a statement about the subject says, in the order of the statements."""
        properties = self.by_subject.get(subject)
        return properties.get(predicate, ()) if properties else ()

    def one(self, subject: str, predicate: str) -> str | None:
        """The first object, or None."""
        return next(iter(self.objects(subject, predicate)), None)

    def subjects(self, predicate: str, object_: str) -> Iterator[str]:
        """Who has this object, by this predicate."""
        return (s for s, p in self.by_object.get(object_, ()) if p == predicate)

    def items(self, head: str) -> list[str]:
        """The members of an RDF list; it stops at a broken or circular link."""
        found: list[str] = []
        seen: set[str] = set()
        while head not in (_NIL, *seen):
            seen.add(head)
            found += self.objects(head, _FIRST)[:1]
            head = self.one(head, _REST) or _NIL
        return found

    def subclasses(self, name: str) -> set[str]:
        """A class and everything below it."""
        found, waiting = {name}, [name]
        while waiting:
            below = set(self.subjects(_SUBCLASS, waiting.pop())) - found
            found |= below
            waiting += below
        return found


def read_source(
    data: str | Path | bytes, format: str | None = None, *, locate: bool = False
) -> workers.Parsed:
    """Parse a file, or bytes in a format, in a worker process.

    Raises BadInput when the format is unknown, and what workers.parse raises.
    """  # fmt: skip
    if isinstance(data, bytes):
        if not format:
            raise BadInput("bytes need a format", hint='for example format="ttl"')
        source = Source("input", None, by_name(format).media_type, content=data)
    else:
        path = Path(data)
        found = by_name(format) if format else by_extension(path.name)
        if found is None:
            raise BadInput("unknown file extension", where=str(path), hint="give a format")
        source = Source(str(path), path, found.media_type, base=path.resolve().as_uri())
    return workers.parse(source, Settings(), locate=locate)


def read_files(files: Iterable[Path]) -> list[str]:
    """The statements of Turtle files; ours are read in process, others in a worker.

    Raises SyntaxFault naming the file.
    """
    lines: list[str] = []
    for file in files:
        lines += _own(file) if _is_ours(file) else unskolemise(read_source(file).lines)
    return lines


def _is_ours(file: Path) -> bool:
    resolved = file.resolve()
    return any(resolved.is_relative_to(assets.folder(name)) for name in ("shapes", "ontology"))


@lru_cache(maxsize=64)
def _own(file: Path) -> tuple[str, ...]:
    try:
        quads = list(
            ox.parse(
                path=str(file),
                format=ox.RdfFormat.TURTLE,
                base_iri=f"{DEFAULT_BASE}/",
                rename_blank_nodes=True,
            )
        )
    except SyntaxError as error:
        raise SyntaxFault(
            error.msg, where=str(file), line=error.lineno, column=error.offset
        ) from None
    return tuple(f"{q.subject} {q.predicate} {q.object} ." for q in quads)


def unskolemise(lines: Iterable[str]) -> Iterator[str]:
    """Statements with blank nodes again where parsing made skolem IRIs of them."""
    for line in lines:
        yield Statement(*map(_blank, split_line(line))).line if GENID in line else line


def _blank(term: str) -> str:
    if term.startswith("<") and GENID in term:
        return f"_:{term[1:-1].partition(GENID)[2]}"
    return term
