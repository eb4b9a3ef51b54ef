"""Titles of things elsewhere: asked for at their own addresses, kept apart from our own words."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from bilbaokg import elsewhere
from bilbaokg.elsewhere import SOURCE, Words
from bilbaokg.errors import BadInput
from bilbaokg.fetching.guard import hosts
from bilbaokg.harvesting.shelf import Shelf
from bilbaokg.harvesting.titles import Found, Manner, Titles, Visits
from bilbaokg.model import Problem
from bilbaokg.operations.base import Progress, tell
from bilbaokg.planning import Planner
from bilbaokg.store.embedded import storage_errors
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace, operator

__all__ = ["lineage_titles"]

_VISITS: Final = "visits.json"
_PROBLEMS_SHOWN: Final = 100
_LISTED: Final = 10_000
STATES: Final = ("told", "same", "nameless", "gone", "failed")


def lineage_titles(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Ask for the titles of all that lineage leads to elsewhere, and keep them.

    params: days (asked again after so many; default: the setting), limit, pause, timeout,
    max_seconds, private_hosts, dry_run (ask nobody), actor, why. What was kept of things that
    lineage no longer leads to, or that became ours, is emptied. Raises BadInput, Conflict.
    """
    manner, days = _manner(params), params.get("days")
    days = workspace.settings.title_days if days is None else days
    with contextlib.ExitStack() as stack:
        stack.enter_context(storage_errors(workspace.data))
        shelf = stack.enter_context(Shelf.opened(workspace.data, SOURCE))
        visits, run = Visits(shelf.folder / _VISITS), _Run(workspace, params, progress)
        due = visits.due(run.wanted, days)
        asked = due[: params.get("limit") or None]
        run.asked = len(asked)
        if params.get("dry_run"):
            return run.outcome(due, [], asked)
        run.forget()
        pool = workspace.pool or stack.enter_context(Pool(1, workspace.settings.memory_limit))
        titles = Titles(manner, shelf.folder, workspace.settings, pool)
        known = {
            iri: visit for iri, visit in visits.held.items() if run.known.get(iri, Words()).titles
        }

        def save(found: list[Found]) -> None:
            run.save(found)
            visits.keep(found, run.wanted)

        titles.run(asked, known, save)
        done = run.outcome(due, [*titles.left, *due[len(asked) :]], [])
        brief = {name: done[name] for name in ("due", "asked", *STATES, "left", "records")}
        shelf.tell({"at": max((f.visit.at for f in run.found), default=""), **brief})
        with workspace.mutex:
            tell(workspace, params, "titles", SOURCE, brief)
    return done


class _Run:
    """What is wanted and known, and what came of asking."""

    def __init__(self, workspace: Workspace, params: dict[str, Any], progress: Progress) -> None:
        self.workspace, self.params, self.progress = workspace, params, progress
        settings = workspace.settings
        with workspace.mutex:
            self.known = elsewhere.known(workspace.store, settings.base)
            self.wanted = dict.fromkeys(
                elsewhere.wanted(workspace.store, settings.base, settings.public_url)
            )
        self.asked = 0
        self.found: list[Found] = []
        self.records: Counter[str] = Counter()

    def save(self, found: Iterable[Found]) -> None:
        """Keep what came: all of it or nothing."""
        batch = list(found)
        self.found += batch
        self._write({each.iri: self._after(each.iri, each.words) for each in batch if each.words})
        self.progress(len(self.found), self.asked, "asking for titles")

    def _after(self, iri: str, words: Words) -> Words:
        """What is known now: the day stays while the words do, and so do the words of what is
        gone."""
        before = self.known.get(iri, Words())
        if words.gone:
            words = replace(before, at=before.at or words.at, gone=before.gone or words.gone)
        elif replace(words, at=before.at) == before:
            words = before
        self.known[iri] = words
        return words

    def forget(self) -> None:
        """Empty what nobody asks for any more."""
        self._write(dict.fromkeys(self.known.keys() - self.wanted.keys()))

    def _write(self, words: Mapping[str, Words | None]) -> None:
        base = self.workspace.settings.base
        said = {}
        for iri, known in words.items():
            id, record = elsewhere.place(base, iri)
            lines = elsewhere.lines(base, iri, known) if known else []
            said[id] = (record, {SOURCE: lines})
        with self.workspace.mutex:
            plan = Planner(self.workspace.records).known(said, {})
            self.workspace.records.commit(
                plan, actor=self.params.get("actor") or operator(), kind="load", subject=SOURCE,
                why=self.params.get("why") or "titles of things elsewhere",
            )  # fmt: skip
        self.records.update(plan.counts)

    def outcome(self, due: list[str], left: list[str], planned: list[str]) -> dict[str, Any]:
        """The document of `lineage titles --json`."""
        states = Counter(each.state for each in self.found)
        lang = self.params.get("lang") or "es"
        told = [(each.iri, each.state) for each in self.found] or [(i, "due") for i in planned]
        problems = [
            Problem("warning", trouble.message, focus=each.iri, hint=trouble.hint)
            for each in self.found
            if (trouble := each.trouble)
        ]
        return {
            "elsewhere": len(self.wanted), "due": len(due), "asked": len(self.found),
            **{state: states[state] for state in STATES}, "left": len(left),
            "records": {kind: self.records[kind] for kind in ("new", "changed", "unchanged")},
            "things": [
                {"iri": iri, "state": state, "label": _label(self.known.get(iri), lang)}
                for iri, state in told[:_LISTED]
            ],
            "problems": [problem.as_dict() for problem in problems[:_PROBLEMS_SHOWN]],
            "dry_run": bool(self.params.get("dry_run")),
        }  # fmt: skip


def _label(words: Words | None, lang: str) -> str | None:
    titles = words.titles if words else {}
    return titles.get(lang) or next(iter(titles.values()), None)


def _manner(params: Mapping[str, Any]) -> Manner:
    """How to ask. Raises BadInput."""
    names = {"pause": "pause", "timeout": "timeout", "max_seconds": "seconds"}
    given = {to: params[name] for name, to in names.items() if params.get(name) is not None}
    try:
        return Manner(**given, private=hosts(params.get("private_hosts") or ()))
    except ValueError as error:
        hint = "such as portal.internal or 10.0.0.7:8443"
        raise BadInput(f"{str(error)[:200]!r} is no host", hint=hint) from None
