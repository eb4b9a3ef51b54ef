"""What a profile holds, and what is wrong with it, before data are checked with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bilbaokg import languages
from bilbaokg.errors import BilbaokgError
from bilbaokg.model import SEVERITIES, Problem, Profile
from bilbaokg.profiles import FILE, Shelf
from bilbaokg.shacl.graph import TYPE
from bilbaokg.shacl.prepared import Prepared, prepare
from bilbaokg.shacl.program import Compiled
from bilbaokg.shacl.reading import is_ours, read_file
from bilbaokg.shacl.shapes import SEVERITY_NAMES, Shapes, choose
from bilbaokg.terms import LANGUAGES, SH, SKOS, is_iri, language_of, plain, ref
from bilbaokg.workers import Pool

__all__ = ["describe", "faults", "made_from"]

_SEVERITY: Final = ref(SH.severity)
_TEXTS: Final = ("name", "message", "description")
_CONCEPT: Final = ref(SKOS.Concept)
_KNOWN: Final = "sh:Violation, sh:Warning, sh:Info"


# ---- what is wrong


def faults(name: str, shelf: Shelf, pool: Pool | None = None) -> list[Problem]:
    """What is wrong with the profile of a name, label or path, the gravest first.

    A violation keeps it from being used; a warning is about what would be said or done in vain.
    Raises NotFound where there is nothing of that name.
    """
    if shelf.folder(name) is None and not Path(name).exists():
        shelf.load(name)
    try:
        profile = shelf.load(name)
    except BilbaokgError as error:
        return [_fault(error)]
    found = [*_of_file(profile), *_of_files(profile, pool)]
    if not found or all(fault.severity != "violation" for fault in found):
        found += _of_shapes(profile, pool)
    return sorted(found, key=lambda fault: SEVERITIES.index(fault.severity))


def made_from(profile: Profile) -> list[Path]:
    """The files of a profile that are its own, not of the profiles that it extends."""
    files = (*profile.shapes, *profile.background)
    folder = profile.folder
    return [file for file in files if folder is None or file.is_relative_to(folder)]


def _of_file(profile: Profile) -> Iterator[Problem]:
    """What profile.toml says in vain."""
    if profile.folder is None:
        return
    where = str(profile.folder / FILE)
    for tag in profile.title:
        if not languages.is_known(tag):
            yield _warning(f"title has the unknown language {tag!r}", where)
    if profile.source is not None and not is_iri(profile.source):
        yield _warning(f"source is no IRI: {profile.source!r}", where)
    if is_ours(profile.folder) and (lacking := [x for x in LANGUAGES if x not in profile.title]):
        yield _warning(f"title is missing in {', '.join(lacking)}", where)


def _of_files(profile: Profile, pool: Pool | None) -> Iterator[Problem]:
    """What cannot be read, and texts in languages that there are not."""
    for file in made_from(profile):
        try:
            lines, places = read_file(file, pool)
        except BilbaokgError as error:
            yield _fault(error)
            continue
        told: set[str] = set()
        for line in lines:
            tag = language_of(line[:-2])
            if tag and not languages.is_known(tag) and tag not in told:
                told.add(tag)
                where = places.get(line.partition(" ")[0], str(file))
                yield _warning(f"a text has the unknown language {tag!r}", where)


def _of_shapes(profile: Profile, pool: Pool | None) -> Iterator[Problem]:
    """What keeps shapes from being used, and what they say in vain."""
    try:
        prepared = prepare(profile, pool)
        prepared.program  # noqa: B018 -- compiles the shapes
    except BilbaokgError as error:
        yield _fault(error)
        return
    shapes = prepared.shapes
    yield from (_warning(note) for note in prepared.notes)
    if not shapes.targets():
        where = str(profile.folder or profile.shapes[0])
        yield _warning("no shape has a target: nothing would be looked at", where)
    for node, properties in shapes.graph.by_subject.items():
        for severity in properties.get(_SEVERITY, ()):
            if severity not in SEVERITY_NAMES:
                message = f"{shapes.describe(node)} has the unknown severity {plain(severity)}"
                yield _warning(message, shapes.origin(node), hint=f"known: {_KNOWN}")
    if profile.folder is not None and is_ours(profile.folder):
        yield from _of_texts(shapes)


def _of_texts(shapes: Shapes) -> Iterator[Problem]:
    """Shapes of ours that do not speak all languages."""
    for node in shapes.graph.by_subject:
        if not node.startswith("<") or not shapes.graph.objects(node, _SEVERITY):
            continue
        for text in _TEXTS:
            spoken = {language_of(term) for term in shapes.texts(node, text)}
            if lacking := [x for x in LANGUAGES if x not in spoken]:
                message = f"{plain(node)} has no sh:{text} in {', '.join(lacking)}"
                yield _warning(message, shapes.origin(node))


def _fault(error: BilbaokgError) -> Problem:
    where = error.where
    if where and "line" in error.extra:
        where = f"{where}:{error.extra['line']}"
    return Problem("violation", error.message, focus=where, hint=error.hint)


def _warning(message: str, where: str | None = None, *, hint: str | None = None) -> Problem:
    return Problem("warning", message, focus=where, hint=hint)


# ---- what is in it


def describe(profile: Profile, language: str, pool: Pool | None = None) -> dict[str, Any]:
    """A profile as `profile show --json` tells it. Raises what `prepare` raises."""
    prepared = prepare(profile, pool)
    shapes = [_shape(prepared, shape, language) for shape in _reporting(prepared)]
    severities = [shape["severity"] for shape in shapes]
    return {
        "name": profile.name,
        "version": profile.version,
        "title": profile.title,
        "source": profile.source,
        "extends": list(profile.extends),
        "gate": sorted(profile.gate),
        "gates": {target: sorted(gate) for target, gate in profile.gates.items()},
        "targets": list(profile.targets),
        "folder": str(profile.folder) if profile.folder else None,
        "files": {
            "shapes": [str(file) for file in profile.shapes],
            "background": [str(file) for file in profile.background],
        },
        "counts": {
            "shapes": len(shapes),
            **{severity: severities.count(severity) for severity in SEVERITIES},
            "concepts": len(prepared.background.subjects(TYPE, _CONCEPT)),
        },
        "looks_at": sorted({plain(term) for _, _, term in prepared.shapes.targets()}),
        "shapes": shapes,
    }


def _reporting(prepared: Prepared) -> list[Compiled]:
    """The shapes that make results: those with targets, and their property shapes."""
    found: dict[Compiled, None] = {}
    waiting = list(prepared.program.targets)
    while waiting:
        shape = waiting.pop()
        if shape not in found:
            found[shape] = None
            waiting += shape.properties
    return [
        shape for shape in prepared.program.compiled.values() if shape in found and shape.checks
    ]


def _shape(prepared: Prepared, shape: Compiled, language: str) -> dict[str, Any]:
    shapes = prepared.shapes
    return {
        "shape": plain(shapes.describe(shape.node)),
        "severity": SEVERITY_NAMES.get(shape.severity, plain(shape.severity)),
        "name": choose(shapes.texts(shape.node, "name"), language),
        "path": shapes.path_text(shape.path_node) if shape.path_node else None,
        "message": choose(shapes.texts(shape.node, "message"), language),
    }
