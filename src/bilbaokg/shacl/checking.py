"""The ways to validate: statements, files or records, with an engine, into a report."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bilbaokg import profiles
from bilbaokg.errors import BadInput, Invalid
from bilbaokg.model import Problem, Profile, Report, Source
from bilbaokg.settings import Settings
from bilbaokg.shacl import evaluation, loading
from bilbaokg.shacl.collecting import uncollected
from bilbaokg.shacl.comparing import differences
from bilbaokg.shacl.context import Context
from bilbaokg.shacl.engine import BOTH, COMPARED, DEFAULT_ENGINE
from bilbaokg.shacl.evaluation import Outcome
from bilbaokg.shacl.explaining import Explainer
from bilbaokg.shacl.finding import Finding
from bilbaokg.shacl.graph import TYPE, Graph, Layers, Statements
from bilbaokg.shacl.incremental import Revalidation, Versions, Work
from bilbaokg.shacl.judging import judge, read_told
from bilbaokg.shacl.loading import Loaded
from bilbaokg.shacl.prepared import Prepared, prepare
from bilbaokg.shacl.reading import read_source, source_of
from bilbaokg.shacl.report import Unfinished, empty_target, later, problems, unfinished
from bilbaokg.shacl.spool import Spool
from bilbaokg.terms import DCAT, ref, split_line, split_lines
from bilbaokg.workers import Pool

if TYPE_CHECKING:
    import pyoxigraph

__all__ = [
    "Checking",
    "check",
    "check_record",
    "check_records",
    "check_sources",
    "room",
    "validate",
]

_HEADS: Final = frozenset(
    ref(DCAT[name]) for name in ("Dataset", "DatasetSeries", "DataService", "Catalog")
)
# Shapes that do not end are left out one by one, up to so many.
_MOST_UNFINISHED: Final = 3
_MOST_WORKERS: Final = 8


def check(
    lines: Iterable[str],
    profile: Profile,
    *,
    engine: str = DEFAULT_ENGINE,
    known: Iterable[str] | None = None,
    language: str = "es",
    partial: bool = False,
) -> Report:
    """Validate canonical N-Triples lines against a profile.

    known: further statements, seen by the shapes and never reported on (the rest of a catalogue
    while one record is checked). partial: the lines are a part that may hold no dataset; otherwise
    data without a dcat:Dataset, DatasetSeries, DataService or Catalog get a violation, as nothing
    would be looked at. Raises BadInput for an unknown engine, SyntaxFault and Invalid for shapes
    that cannot be used.
    """
    with room() as (pool, folder):
        prepared = prepare(profile, pool)
        loaded = loading.hold(lines, folder, prepared)
        others: list[Statements] = [Graph(known)] if known else []
        checking = Checking(profile, prepared, engine, language, pool)
        with loaded:
            return checking.report(loaded, others, partial=partial)


def check_records(
    versions: Versions,
    profile: Profile,
    verdicts: Path,
    *,
    engine: str = DEFAULT_ENGINE,
    language: str = "es",
    on_work: Work = lambda _looked_at, _standing: None,
) -> Report:
    """Validate records as one, looking again only at what can have changed since the last time.

    verdicts: the file that the last time left, or will leave. The report is that of `check` on all
    lines. Everything is looked at with other engines than "fast" and with shapes that may never end
    (see Prepared.ends). Raises what `check` raises.
    """
    with uncollected(), room() as (pool, folder):
        prepared = prepare(profile, pool)
        checking = Checking(profile, prepared, engine, language, pool)
        if engine == DEFAULT_ENGINE and prepared.ends:
            wanted = checking.heads()
            again = Revalidation(prepared, language, verdicts, wanted, on_work).run(
                versions, pool, folder
            )
            empty = bool(wanted) and not again.heads
            return checking.kept(problems(again.found), again.focus_nodes, empty=empty)
        ids = versions.revisions()
        lines = (line for id in ids for line in split_lines(versions.text(id)))
        with loading.hold(lines, folder, prepared) as loaded:
            return checking.report(loaded)


def check_record(
    lines: Iterable[str], around: Statements, profile: Profile, *, language: str = "es"
) -> Report:
    """Validate one record with what it refers to, as it would be among all others.

    lines: its N-Triples lines. around: all statements, those of the record too, to look some of
    them up; its `lines` are what queries of shapes see. Only nodes of the record, and targets that
    it points to, are reported on. Raises what `check` raises.
    """
    statements = [split_line(line) for line in lines]
    with _workers() as pool:
        prepared = prepare(profile, pool)
        if not prepared.ends:
            known = around.lines()
            own = (statement.line for statement in statements)
            return check(own, profile, known=known, language=language, partial=True)
        checking = Checking(profile, prepared, DEFAULT_ENGINE, language, pool)
        targets = prepared.shapes.targets()
        by_object = {term for _, kind, term in targets if kind == "targetObjectsOf"}
        nodes = dict.fromkeys(s.subject for s in statements)
        nodes |= dict.fromkeys(s.object for s in statements if s.predicate in by_object)
        data = Layers(around, prepared.background)
        judged = list(judge(data, prepared, language, nodes))
        explainer = Explainer(prepared, data, language)
        found = [
            (finding, facts, explainer.explain(finding, said))
            for verdict in judged
            for finding, facts, said in read_told(verdict.told, {})
        ]
        return checking.kept(problems(found), len(judged))


def check_sources(
    sources: Sequence[Source],
    profile: Profile,
    settings: Settings,
    *,
    engine: str = DEFAULT_ENGINE,
    language: str = "es",
    on_source: Callable[[int, Source], None] = lambda _number, _source: None,
    on_loaded: Callable[[int], None] = lambda _statements: None,
    called: Callable[[Source], str] = attrgetter("label"),
) -> Report:
    """Validate files as one. on_source, on_loaded: told what is read, and how much was. called:
    how findings name a file.

    Raises what `check` and workers.stream raise.
    """
    with room() as (pool, folder):
        prepared = prepare(profile, pool)
        loaded = loading.load(
            sources,
            settings,
            pool,
            folder,
            prepared,
            on_source=on_source,
            called=called,
        )
        on_loaded(loaded.statements)
        file = called(sources[0]) if len(sources) == 1 and sources[0].location else None
        with loaded:
            return Checking(profile, prepared, engine, language, pool).report(loaded, file=file)


def validate(
    data: str | Path | bytes | pyoxigraph.Dataset,
    shapes: str | Path | Sequence[str | Path] = "dcat-ap",
    format: str | None = None,
    *,
    engine: str = DEFAULT_ENGINE,
    background: Sequence[str | Path] = (),
    language: str = "es",
) -> Report:
    """Validate a file, bytes (with their format) or a Dataset; no store or settings needed.

    shapes: a profile name such as "dcat-ap/3.0.1", or paths of Turtle files. background: paths of
    RDF files that are known and not reported on. Raises NotFound for an unknown profile or file,
    SyntaxFault, Invalid, BadInput.
    """
    names = [shapes] if isinstance(shapes, str | Path) else list(shapes)
    if not names:
        raise BadInput("no shapes given", hint="a profile name or paths of Turtle files")
    profile = profiles.combined([profiles.load(name) for name in names])
    with room() as (pool, folder):
        prepared = prepare(profile, pool)
        file = None
        if isinstance(data, str | Path | bytes):
            source = source_of(data, format)
            loaded = loading.load([source], Settings(), pool, folder, prepared)
            file = None if isinstance(data, bytes) else str(data)
        else:
            lines = (f"{q.subject} {q.predicate} {q.object} ." for q in data)
            loaded = loading.hold(lines, folder, prepared)
        known: list[Statements] = [
            Graph(read_source(source_of(path), pool, blank=f"k{number}x")[0])
            for number, path in enumerate(background)
        ]
        checking = Checking(profile, prepared, engine, language, pool)
        with loaded:
            return checking.report(loaded, known, file=file)


def _workers() -> Pool:
    return Pool(min(_processors(), _MOST_WORKERS), Settings().memory_limit)


@contextmanager
def room() -> Iterator[tuple[Pool, Path]]:
    """Workers, which start when the first is needed, and a folder for what memory does not hold."""
    with (
        _workers() as pool,
        tempfile.TemporaryDirectory(prefix="bilbaokg-") as folder,
    ):
        yield pool, Path(folder)


def _processors() -> int:
    """How many this process may use; macOS does not tell."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


class Checking:
    """One way to validate: a profile, an engine, a language."""

    def __init__(
        self, profile: Profile, prepared: Prepared, engine: str, language: str, pool: Pool
    ) -> None:
        self.profile, self.prepared, self.engine = profile, prepared, engine
        self.language, self.pool = language, pool

    def report(
        self,
        loaded: Loaded,
        others: Sequence[Statements] = (),
        *,
        file: str | None = None,
        partial: bool = False,
    ) -> Report:
        """The report on data; others: what is known beside them."""
        with uncollected():
            return self._reported(loaded, others, file, partial)

    def _reported(
        self, loaded: Loaded, others: Sequence[Statements], file: str | None, partial: bool
    ) -> Report:
        shapes = self.prepared.shapes
        data = Layers(loaded.data, *others, self.prepared.background)
        names = COMPARED if self.engine == BOTH else (self.engine,)
        runs = {name: self._evaluate(name, data, loaded, file) for name in names}
        outcome, left_out = runs[names[0]]
        explainer = Explainer(self.prepared, data, self.language)
        found: list[tuple[Problem, Finding | None]] = [
            *((unfinished(hanging, shapes, self.language), None) for hanging in left_out),
            *problems((f, facts, explainer.explain(f)) for f, facts in outcome.findings),
        ]
        if not partial and self._is_empty(loaded.data):
            found.insert(0, (empty_target(self.language, file), None))
        compared = {name: [f for f, _ in run.findings] for name, (run, _) in runs.items()}
        report = self._report(found, outcome.focus_nodes)
        if self.engine != BOTH:
            return report
        return replace(report, differences=differences(compared, shapes))

    def kept(
        self, pairs: Iterable[tuple[Problem, Finding]], focus_nodes: int, *, empty: bool = False
    ) -> Report:
        """The report on findings that are at hand; empty: whether there was nothing to look at."""
        found: list[tuple[Problem, Finding | None]] = [*pairs]
        if empty:
            found.insert(0, (empty_target(self.language, None), None))
        return self._report(found, focus_nodes)

    def _report(self, found: Sequence[tuple[Problem, Finding | None]], focus_nodes: int) -> Report:
        return Report(
            profile=self.profile.label,
            engine=self.engine,
            results=tuple(problem for problem, _ in found),
            focus_nodes=focus_nodes,
            gate=self.profile.stops,
            notes=self.prepared.notes,
            tables=tuple(file.stem for file in self.profile.tables),
            standard=later(found, self.prepared.shapes),
        )

    def _evaluate(
        self, engine: str, data: Layers, loaded: Loaded, file: str | None
    ) -> tuple[Outcome, list[Unfinished]]:
        ends = self.prepared.ends if engine == DEFAULT_ENGINE else self.prepared.trusted
        if ends and not isinstance(loaded.data, Spool):
            context = Context(data, self.language, loaded.places, file)
            return evaluation.in_process(engine, data, self.prepared, context), []
        left_out: list[Unfinished] = []
        while True:
            try:
                outcome = evaluation.in_workers(
                    engine,
                    data,
                    self.prepared,
                    self.pool,
                    language=self.language,
                    loaded=loaded,
                    file=file,
                    without=[hanging.node for hanging in left_out],
                )
                return outcome, left_out
            except Unfinished as hanging:
                left_out.append(hanging)
                if len(left_out) > _MOST_UNFINISHED:
                    raise Invalid(
                        f"over {_MOST_UNFINISHED} shapes did not end",
                        where=self.prepared.shapes.origin(hanging.node),
                        hint="check their patterns and queries",
                    ) from None

    def _is_empty(self, own: Statements) -> bool:
        """Whether shapes about catalogues meet data without any: no types, and all conforms."""
        heads = self.heads()
        return bool(heads) and not any(own.subjects(TYPE, head) for head in heads)

    def heads(self) -> frozenset[str]:
        """The classes of which data should have an instance; none for shapes about other things."""
        targets = self.prepared.shapes.targets()
        about = any(kind == "targetClass" and term in _HEADS for _, kind, term in targets)
        return _HEADS if about else frozenset()
