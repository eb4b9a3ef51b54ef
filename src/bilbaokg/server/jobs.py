"""The jobs on the edges of a lineage: which made what, when last, and how that went."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from bilbaokg.index import Text, choose
from bilbaokg.lineage import Makers, Making
from bilbaokg.server.reading import Reader
from bilbaokg.server.views import Value

__all__ = ["Job", "Jobs", "Made"]


@dataclass(frozen=True, slots=True)
class Made:
    """By which job one thing was made of another, when last (`at`, `state` as in `Making`) and how.

    `job` or `run` is None where it is not known.
    """

    job: Value | None
    run: Value | None
    at: str
    state: str
    how: list[Text]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the drawing, by the number that stands beside what it makes."""

    number: int
    made: Made
    reads: list[Value]
    makes: list[Value]


class Jobs:
    """What is known of the makers of edges, each looked up once.

    value: a thing as the page shows it.
    """

    def __init__(self, reader: Reader, value: Callable[[str], Value]) -> None:
        self.reader, self.value = reader, value
        self._told: dict[tuple[str, str], list[Making]] = {}

    @cached_property
    def _makers(self) -> Makers:
        return Makers(self.reader.opened.store)

    def told(self, source: str, target: str) -> list[Making]:
        """How a thing was made of another."""
        if (source, target) not in self._told:
            self._told[source, target] = self._makers.of(source, target)
        return self._told[source, target]

    def made(self, source: str, target: str) -> list[Made]:
        """The same, as the page shows it."""
        return [self._shown(making) for making in self.told(source, target)]

    def numbered(self, edges: Iterable[tuple[str, str]]) -> list[Job]:
        """The jobs of these edges, numbered as they come."""
        latest: dict[str, Making] = {}
        reads: dict[str, dict[str, None]] = {}
        makes: dict[str, dict[str, None]] = {}
        for source, target in edges:
            for making in self.told(source, target):
                key = making.job or making.run
                if not key:
                    continue
                latest[key] = max(latest.get(key, making), making, key=lambda m: m.at)
                reads.setdefault(key, {})[source] = None
                makes.setdefault(key, {})[target] = None
        return [
            Job(
                number,
                self._shown(latest[key]),
                [self.value(iri) for iri in reads[key]],
                [self.value(iri) for iri in makes[key]],
            )
            for number, key in enumerate(latest, 1)
        ]

    def _shown(self, making: Making) -> Made:
        job, run = (self.reader.iri(iri) if iri else None for iri in (making.job, making.run))
        how = [choose(texts, self.reader.lang) for texts in making.how]
        return Made(job, run, making.at, making.state, how)
