"""Rehearsing a release: what a portal would make of the working store, were it released now."""

from __future__ import annotations

import contextlib
import io
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bilbaokg import exports, profiles, selection
from bilbaokg.errors import BadInput
from bilbaokg.exports.feed import DATASET, Feed
from bilbaokg.exports.targets import named
from bilbaokg.harvesting.harvester import KINDS, Asked
from bilbaokg.harvesting.showing import shown
from bilbaokg.model import SEVERITIES, Release
from bilbaokg.operations.base import Progress
from bilbaokg.operations.duties import foresee
from bilbaokg.operations.releasing import gate
from bilbaokg.rehearsal.offer import Offer
from bilbaokg.rehearsal.outcomes import Outcome
from bilbaokg.terms import DCAT, ref, split_lines
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

__all__ = ["publish_rehearse"]

# A rehearsal takes the memory of a release: one at a time.
_alone = threading.Lock()


def publish_rehearse(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """What the portal of a target would create, change, delete and drop, and which rules break.

    params: target, against (URL of the portal; else a release), release (id; else the current one),
    profile, lang, kind, allow_private, ignore_robots, pause. What is offered is what `release build
    --hold-back` would take now. Nothing of the catalogue changes. Raises GateRefused and Invalid as
    a build does, NotFound, and what a harvest raises.
    """
    feed = named(params["target"])
    if not isinstance(feed, Feed):
        raise BadInput(f"{feed.name} is no feed: no portal harvests it")
    id, language = params.get("release"), params.get("lang") or "es"
    releases = workspace.releases
    release = releases.get(id) if id and id != "current" else releases.current()
    asked = _asked(feed, params)
    gates = workspace.shelf.load(params.get("profile") or workspace.settings.profile)
    aimed = profiles.aimed(workspace.shelf.load(feed.profile), feed.name) if feed.profile else None
    with _alone:
        progress(0, None, "choosing records")
        with workspace.mutex:
            records = list(workspace.records.all())
        check = gate(workspace, gates, language, progress, of="rehearsal")
        settings = workspace.settings
        content = selection.choose(
            records, check, settings, hold_back=True, waive=None, language=language
        )
        progress(0, None, f"making the feed {feed.name}")
        offer = Offer(feed, content, settings, language)
        outcome = _outcome(workspace, offer, release, asked, progress)
        progress(0, None, "looking at the rules of its portals")
        broken = offer.broken(aimed)
        consequences = foresee(workspace, content, release, language)
    done = outcome.as_dict()
    why = offer.why_gone({record.iri: record.visibility for record in records})
    for fate in done["deleted"]:
        fate["why"], fate["reason"] = why.get(fate["iri"], ("gone", None))
    counts = Counter(problem.severity for problem in broken)
    return {
        "target": feed.name,
        "release": release.id if release else None,
        "url": asked.url if asked else None,
        "profile": gates.label,
        **offer.told(),
        **done,
        **consequences,
        "severities": {severity: counts[severity] for severity in SEVERITIES},
        "broken": [problem.as_dict() for problem in broken],
        "dropped": offer.dropped(),
    }


def _asked(feed: Feed, params: dict[str, Any]) -> Asked | None:
    """How to ask the portal, where it is to be asked. Raises BadInput."""
    if not params.get("against"):
        return None
    if ref(DCAT.Dataset) not in feed.kinds[DATASET].classes:
        words = f"what {feed.name} says cannot be held against a portal's DCAT"
        raise BadInput(words, hint="compare it with a release")
    kind = params.get("kind")
    if kind and kind not in KINDS:
        raise BadInput(f"no kind {kind!r}", hint=f"one of: {', '.join(KINDS)}")
    given = {"pause": params["pause"]} if params.get("pause") is not None else {}
    # Whether it is whole by its own word matters less here than what it shows.
    return Asked(
        params["against"],
        kind,
        ignore_total=True,
        allow_private=bool(params.get("allow_private")),
        ignore_robots=bool(params.get("ignore_robots")),
        **given,
    )


def _outcome(
    workspace: Workspace,
    offer: Offer,
    release: Release | None,
    asked: Asked | None,
    progress: Progress,
) -> Outcome:
    """What the portal would do, by what it shows, else by what was released."""
    released = _released(release, offer.feed)
    if asked is None:
        return offer.against_release(released)
    settings = workspace.settings
    with contextlib.ExitStack() as stack:
        pool = workspace.pool or stack.enter_context(Pool(1, settings.memory_limit))
        harvested = shown(asked, workspace.data, settings, pool, progress)
    return offer.against_portal(harvested.lines, released)


def _released(release: Release | None, feed: Feed) -> Sequence[str]:
    """The statements of a release as the target says them; none before the first."""
    if release is None:
        return []
    out = io.BytesIO()
    exports.write_whole(release, feed.name, "nt", out)
    return split_lines(out.getvalue().decode())
