"""The statements that quality, linter and probing look at: of files, of the working store, of a
release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

from bilbaokg import integrity
from bilbaokg.model import Release, Source
from bilbaokg.quality.parity import Drift, drift
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.shacl.collecting import uncollected
from bilbaokg.shacl.graph import Graph, Nodes, take_apart
from bilbaokg.shacl.loading import Part, PartPlaces, parts
from bilbaokg.terms import ref, split_lines, without_graph
from bilbaokg.workers import Pool

__all__ = ["Material", "of_files", "of_records", "of_release"]


@dataclass(frozen=True, slots=True)
class Material:
    """A catalogue in memory.

    places: file and line where a subject is first described. drifts: what the history of a dataset
    (a term) tells of its texts. at: the day of a release.
    """

    graph: Graph
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    drifts: Mapping[str, Drift] = field(default_factory=dict)
    at: date | None = None


def of_files(
    sources: Sequence[Source],
    settings: Settings,
    *,
    on_source: Callable[[int, Source], None] = lambda _number, _source: None,
    called: Callable[[Source], str] = attrgetter("label"),
) -> Material:
    """Files, read in a worker and taken together; called: how findings name a file.

    Raises what workers.stream raises.
    """
    nodes: Nodes = {}
    held: list[Part] = []
    with uncollected(), Pool(1, settings.memory_limit) as pool:
        for part in parts(sources, settings, pool, on_source=on_source, called=called):
            take_apart(part.text, nodes)
            held.append(part)
    return Material(Graph.of(nodes), PartPlaces(held))


def of_records(records: Records, *, history: bool = False) -> Material:
    """Every record of a working store; history: with the drift of datasets that were edited."""
    nodes: Nodes = {}
    drifts: dict[str, Drift] = {}
    for record in records.all():
        take_apart(record.text, nodes)
        if history and record.number > 1 and record.id.startswith("dataset/"):
            revisions = records.revisions(record.id)
            drifts[ref(record.iri)] = drift((r["at"], r["text"]) for r in revisions)
    return Material(Graph.of(nodes), drifts=drifts)


def of_release(release: Release) -> Material:
    """What a release holds. Raises CorruptStore when its catalogue is not what was released."""
    integrity.check(release, "catalogue.nq")
    text = (release.path / "catalogue.nq").read_text(encoding="utf-8")
    at = date.fromisoformat(release.created_at[:10])
    return Material(Graph(map(without_graph, split_lines(text))), at=at)
