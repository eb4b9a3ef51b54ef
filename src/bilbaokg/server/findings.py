"""What the release's validation found, in the reader's language, like findings drawn together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bilbaokg import profiles, render
from bilbaokg.errors import BilbaokgError
from bilbaokg.index import Text, choose
from bilbaokg.model import SEVERITIES, Release
from bilbaokg.selection import DANGLING
from bilbaokg.server import history
from bilbaokg.server.paging import pager
from bilbaokg.server.reading import Opened, Reader, anchor, short
from bilbaokg.server.views import (
    Action,
    Finding,
    FindingGroup,
    FindingKind,
    HeldBack,
    Progress,
    ValidationPage,
    Value,
)
from bilbaokg.shacl.reading import read_files
from bilbaokg.terms import SH, language_of, plain, ref, split_line

if TYPE_CHECKING:
    from bilbaokg.server.context import Context

__all__ = [
    "Findings", "Result", "downloads", "of_dataset", "of_datasets", "page", "subject_of", "warm",
]  # fmt: skip

_GROUPS: Final = 15
_DOWNLOADS: Final = (("CSV", "csv"), ("JSON", "json"))
# Messages of these are made when the constraint runs, so the shape's text is not the message.
_OWN_MESSAGE: Final = "SPARQLConstraintComponent"
_TEXTS: Final = {ref(SH.message): "message", ref(SH.description): "hint"}

Result = Mapping[str, Any]
"""A finding as the report keeps it: the members of Problem.as_dict."""
ShapeTexts = Mapping[tuple[str, str], Mapping[str, str]]


def subject_of(result: Result) -> str:
    """What a finding is about (an IRI): the dataset where it is one's; empty for none."""
    return str(result["dataset"] or result["focus"] or "")


def downloads(reader: Reader, asked: str = "") -> list[Action]:
    """The report in other formats, narrowed by a query string."""
    query = f"?{asked}" if asked else ""
    return [
        Action(name, reader.site.url(f"/validation.{extension}{query}"))
        for name, extension in _DOWNLOADS
        if reader.opened.report
    ]


@cache
def _shape_texts(profile: str, own: Path) -> ShapeTexts:
    """(shape IRI, message or hint) -> language -> text; nothing for a profile that is gone.

    own: the folder of the city's own profiles.
    """
    texts: dict[tuple[str, str], dict[str, str]] = {}
    try:
        lines = read_files(profiles.Shelf(own).named(profile).shapes)
    except BilbaokgError:
        return texts
    for subject, predicate, object_ in map(split_line, lines):
        kind = _TEXTS.get(predicate)
        if kind and object_.startswith('"'):
            held = texts.setdefault((plain(subject), kind), {})
            held[language_of(object_) or ""] = plain(object_)
    return texts


class Findings:
    """The report of the release, read for one reader: its results, in the reader's language."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.report = reader.opened.report
        self.results: list[Result] = self.report["results"] if self.report else []
        own = reader.opened.release.path.parents[1] / profiles.FOLDER
        self.texts = _shape_texts(self.report["profile"], own) if self.report else {}
        self._told: dict[tuple[str, str], str | None] = {}
        self._stewards: dict[str, str] = {}

    def text(self, result: Result, kind: str) -> str | None:
        """The message or hint in the reader's language, else as the report has it."""
        stored: str | None = result[kind]
        if kind == "message" and result["component"] == _OWN_MESSAGE:
            return stored
        key = result["shape"] or "", kind
        if key not in self._told:
            known = self.texts.get(key)
            self._told[key] = choose(known, self.reader.lang).text if known else None
        told = self._told[key]
        return stored if told is None else told

    def finding(self, result: Result, count: int = 1) -> Finding:
        """One result, or `count` of the same kind."""
        path = result["path"]
        return Finding(
            severity=result["severity"],
            property=Value(self.reader.name(path), None, short(path)) if path else None,
            message=self.text(result, "message") or "",
            value=result["value"] if count == 1 else None,
            hint=self.text(result, "hint"),
            steward=self.steward(result),
            count=count,
        )

    def steward(self, result: Result) -> str | None:
        """Who looks after the dataset, named in the reader's language where we show it."""
        iri = result["dataset"] or ""
        if iri not in self._stewards:
            place = self.reader.place(iri)
            known = self.reader.opened.index
            held = known.facets_by_id([place.record], "steward") if place else {}
            agents = (agent for facets in held.values() for agent in facets.get("steward", ()))
            names = [self.reader.name(agent).text for agent in agents]
            self._stewards[iri] = ", ".join(names)
        return self._stewards[iri] or result["steward"]

    def findings(self, results: Iterable[Result]) -> list[Finding]:
        """The results, the gravest first; the same message about several parts is one finding."""
        same: dict[tuple[Any, ...], list[Result]] = {}
        for result in results:
            key = (result["severity"], result["shape"], result["path"], result["message"])
            same.setdefault(key, []).append(result)
        self.reader.load(held[0]["path"] for held in same.values() if held[0]["path"])
        ordered = sorted(same.values(), key=lambda held: SEVERITIES.index(held[0]["severity"]))
        return [self.finding(held[0], len(held)) for held in ordered]

    def about(self, subject: str, severity: str = "") -> list[Result]:
        """The results about one thing; severity: of these only ("" all)."""
        held = self._by_subject.get(subject, ())
        return [result for result in held if severity in ("", result["severity"])]

    @property
    def _by_subject(self) -> Mapping[str, Sequence[Result]]:
        return self.reader.opened.once("findings by subject", lambda: _by_subject(self.results))

    def subjects(self, severity: str = "") -> Sequence[str]:
        """What the results are about, what has the gravest first, then by title.

        severity: of these results only ("" all).
        """
        return self.reader.opened.once(
            ("subjects", severity, self.reader.lang), lambda: self._subjects(severity)
        )

    def _subjects(self, severity: str) -> list[str]:
        gravest = {
            subject: min(SEVERITIES.index(result["severity"]) for result in results)
            for subject in self._by_subject
            if (results := self.about(subject, severity))
        }
        places = self.places
        return sorted(gravest, key=lambda subject: (gravest[subject], places[subject]))

    @property
    def places(self) -> Mapping[str, int]:
        """The place of each thing that results are about in the order of their titles."""
        return self.reader.opened.once(("titles of findings", self.reader.lang), self._places)

    def _places(self) -> dict[str, int]:
        held = self._by_subject
        self.reader.load(held)
        titles = {s: self.title(s, results).text.text.casefold() for s, results in held.items()}
        ordered = sorted(titles, key=titles.__getitem__)
        return {subject: place for place, subject in enumerate(ordered)}

    def group(self, subject: str, results: Sequence[Result]) -> FindingGroup:
        """The results about one thing, drawn together."""
        return FindingGroup(anchor(subject), self.title(subject, results), self.findings(results))

    def title(self, subject: str, results: Sequence[Result]) -> Value:
        """What findings are about; what has no page of its own is named as the report names it."""
        if self.reader.place(subject):
            return self.reader.iri(subject)
        return Value(Text(results[0]["title"] or subject, ""), None, subject)

    def every_kind(self) -> list[FindingKind]:
        """The different findings of the release."""
        return self.reader.opened.once(
            ("kinds of findings", self.reader.lang), lambda: self.kinds(self.results)
        )

    def kinds(self, results: Sequence[Result]) -> list[FindingKind]:
        """The different findings, the gravest and most frequent first."""
        counted = self.findings(results)
        subjects: dict[tuple[str, str], set[str]] = {}
        for result in results:
            key = (result["severity"], self.text(result, "message") or "")
            subjects.setdefault(key, set()).add(subject_of(result))
        ordered = sorted(counted, key=lambda f: (SEVERITIES.index(f.severity), -f.count, f.message))
        return [FindingKind(f, len(subjects[(f.severity, f.message)])) for f in ordered]

    def rule(self, failed: Result) -> str:
        """The rule by which records were held back, in the reader's language."""
        path = failed["path"]
        name = self.reader.name(path).text if path else ""
        if failed["component"] == DANGLING:
            return render.translate("validation.dangling", self.reader.lang, property=name)
        known = self.texts.get((failed["shape"] or "", "message"), {})
        if known and failed["component"] != _OWN_MESSAGE:
            return choose(known, self.reader.lang).text
        component = failed["component"].removesuffix("ConstraintComponent")
        return f"{name}: {component}" if name else component


def _by_subject(results: Iterable[Result]) -> dict[str, list[Result]]:
    held: dict[str, list[Result]] = {}
    for result in results:
        held.setdefault(subject_of(result), []).append(result)
    return held


def of_dataset(reader: Reader, iri: str) -> list[Finding]:
    """What the validation says of one dataset."""
    known = Findings(reader)
    return known.findings(reader.opened.results_of.get(iri, ()))


def of_datasets(reader: Reader, iris: Collection[str]) -> list[FindingKind]:
    """What the validation says of some datasets, drawn together."""
    known = Findings(reader)
    return known.kinds([r for r in known.results if r["dataset"] in iris])


def _progress(known: Findings, before: Release | None) -> Progress | None:
    """What differs from the validation of the release before."""
    if before is None or known.report is None:
        return None
    reader = known.reader
    kinds = reader.opened.once(
        ("progress", before.id, reader.lang), lambda: _difference(known, before)
    )
    if kinds is None:
        return None
    previous = Value(Text(before.id, ""), reader.site.url(f"/releases/{before.id}"))
    return Progress(previous, *kinds)


def _difference(
    known: Findings, before: Release
) -> tuple[list[FindingKind], list[FindingKind]] | None:
    """What is new, and what is no longer found."""
    file = before.path / "report.json"
    document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    if not document:
        return None
    old, new = (Counter(map(_identity, held)) for held in (document["results"], known.results))
    return (
        known.kinds(_only(known.results, new - old)),
        known.kinds(_only(document["results"], old - new)),
    )


def _identity(result: Result) -> tuple[Any, ...]:
    """What makes a finding the same in another release: its rule, and what it is about."""
    return (
        result["severity"], result["shape"], result["path"], subject_of(result),
    )  # fmt: skip


def _only(results: Iterable[Result], counts: Counter[tuple[Any, ...]]) -> list[Result]:
    """As many results as are counted."""
    left, found = Counter(counts), []
    for result in results:
        if left[_identity(result)] > 0:
            left[_identity(result)] -= 1
            found.append(result)
    return found


def page(
    reader: Reader, severity: str, number: int = 1, before: Release | None = None
) -> ValidationPage:
    """The validation of the release.

    severity: shows only those results ("" all); number: the page of them; before: the release that
    was public before.
    """
    content = reader.opened.release.manifest["content"]
    known = Findings(reader)
    report = known.report
    held = [HeldBack(known.rule(failed), failed["count"]) for failed in content["held_back"]]
    subjects = known.subjects(severity)
    asked = f"severity={severity}&" if severity else ""
    place = pager(
        number, _GROUPS, len(subjects),
        lambda n: reader.site.url(f"/validation?{asked}page={n}#results"),
    )  # fmt: skip
    shown = subjects[max(0, place.first - 1) : place.last]
    reader.load(shown)
    return ValidationPage(
        release=reader.opened.release.id,
        verdict=_verdict(report, bool(held), content["waived"]),
        profile=content["profile"],
        engine=report["engine"] if report else "",
        focus_nodes=report["focus_nodes"] if report else 0,
        counts=list(report["counts"].items()) if report else [],
        waived=content["waived"],
        held_back=held,
        kinds=known.every_kind(),
        groups=[known.group(subject, known.about(subject, severity)) for subject in shown],
        pager=place,
        severity=severity,
        difference=_progress(known, before),
        downloads=downloads(reader),
    )


def warm(context: Context, opened: Opened) -> None:
    """Reckon beforehand, in every language, what the page of a release takes long for."""
    before = history.previous(context, opened.release)
    for lang in render.languages():
        page(Reader(opened, render.Site(lang)), "", before=before)


def _verdict(report: Result | None, held: bool, waived: str | None) -> str:
    if report is None:
        return "unchecked"
    if waived:
        return "waived"
    if held:
        return "held"
    if report["blocks_release"]:
        return "blocked"
    return "clean" if report["conforms"] else "warnings"
