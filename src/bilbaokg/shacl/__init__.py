"""SHACL validation: statements and a profile in, a report out.

`check` is what the program uses on statements that it holds; `validate` is the library's call on
anything that RDF comes in. Engines share one protocol (engine.py) and stand in `ENGINES`.
Background knowledge (authority tables, class axioms) is loaded with the data, and what is found
inside it is never reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bilbaokg import profiles
from bilbaokg.errors import BadInput
from bilbaokg.model import Problem, Profile, Report
from bilbaokg.shacl.context import Context, Lines
from bilbaokg.shacl.engine import Engine, Finding
from bilbaokg.shacl.graph import TYPE, Graph, read_files, read_source, unskolemise
from bilbaokg.shacl.report import empty_target, problems, turtle
from bilbaokg.shacl.shapes import Shapes
from bilbaokg.terms import DCAT, ref

if TYPE_CHECKING:
    import pyoxigraph

__all__ = ["DEFAULT_ENGINE", "ENGINES", "Engine", "Finding", "check", "validate"]

DEFAULT_ENGINE: Final = "pyshacl"
_HEADS: Final = frozenset(
    ref(DCAT[name]) for name in ("Dataset", "DatasetSeries", "DataService", "Catalog")
)


def _pyshacl() -> Engine:
    from bilbaokg.shacl.reference import engine

    return engine


# Each engine is loaded when it is first asked for: rdflib takes half a second.
ENGINES: Final[dict[str, Callable[[], Engine]]] = {"pyshacl": _pyshacl}


def check(
    lines: Iterable[str],
    profile: Profile,
    *,
    engine: str = DEFAULT_ENGINE,
    line_of: Lines | None = None,
    file: str | None = None,
    known: Iterable[str] | None = None,
    language: str = "es",
    partial: bool = False,
) -> Report:
    """Validate canonical N-Triples lines against a profile.

    known: further statements, seen by the shapes and never reported on (the rest of a catalogue
    while one record is checked). line_of: source line, or (file, line), of subject terms. partial:
    the lines are a part that may hold no dataset; otherwise data without a dcat:Dataset,
    DatasetSeries, DataService or Catalog get a violation, as nothing would be looked at.
    Raises BadInput for an unknown engine, SyntaxFault and Invalid for shapes that cannot be used.
    """
    return _check(
        list(lines),
        Shapes(read_files(profile.shapes)),
        [*read_files(profile.background), *(known or ())],
        profile,
        engine=engine,
        line_of=line_of,
        file=file,
        language=language,
        partial=partial,
    )


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
    known = [line for path in background for line in unskolemise(read_source(path).lines)]
    line_of: dict[str, int] | None = None
    file = None
    if isinstance(data, str | Path | bytes):
        parsed = read_source(data, format, locate=True)
        lines, line_of = list(unskolemise(parsed.lines)), parsed.line_of
        file = None if isinstance(data, bytes) else str(data)
    else:
        lines = list(dict.fromkeys(f"{q.subject} {q.predicate} {q.object} ." for q in data))
    return check(
        lines,
        profile,
        engine=engine,
        line_of=line_of,
        file=file,
        known=known,
        language=language,
    )


def _check(
    lines: list[str],
    shapes: Shapes,
    background: list[str],
    profile: Profile,
    *,
    engine: str,
    line_of: Lines | None,
    file: str | None,
    language: str,
    partial: bool,
) -> Report:
    evaluate = _engine(engine)
    everything = list(dict.fromkeys([*lines, *background]))
    graph, own = Graph(everything), Graph(lines)
    focus = _focus_nodes(shapes, graph, own)
    findings = [f for f in evaluate(everything, shapes) if f.focus in focus]
    found: list[tuple[Problem, Finding | None]] = [
        *problems(findings, shapes, Context(graph, language, line_of, file))
    ]
    if not partial and _is_empty(shapes, own):
        found.insert(0, (empty_target(language, file), None))
    return Report(
        profile=profile.label,
        engine=engine,
        results=tuple(problem for problem, _ in found),
        focus_nodes=len(focus),
        gate=profile.gate,
        turtle=turtle(found, shapes),
    )


def _engine(name: str) -> Engine:
    if name not in ENGINES:
        raise BadInput(f"unknown engine {name!r}", hint=f"engines: {', '.join(sorted(ENGINES))}")
    return ENGINES[name]()


def _focus_nodes(shapes: Shapes, graph: Graph, own: Graph) -> set[str]:
    """The nodes that targets find by what the data themselves say (SHACL, section 2.1)."""
    focus: set[str] = set()
    for _, kind, term in shapes.targets():
        if kind == "targetNode":
            focus.add(term)
        elif kind == "targetClass":
            classes = graph.subclasses(term)
            focus.update(s for name in classes for s in own.subjects(TYPE, name))
        else:
            for subject, properties in own.by_subject.items():
                if objects := properties.get(term):
                    focus.update([subject] if kind == "targetSubjectsOf" else objects)
    return focus


def _is_empty(shapes: Shapes, own: Graph) -> bool:
    """Whether shapes about catalogues meet data without any: remove the types, and all conforms."""
    about = any(kind == "targetClass" and term in _HEADS for _, kind, term in shapes.targets())
    return about and not any(True for head in _HEADS for _ in own.subjects(TYPE, head))
