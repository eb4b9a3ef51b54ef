"""What people and jobs do to a catalogue: one table of operations over one workspace.

The command line, the control socket and the HTTP API call the same functions: parameters and
results are plain JSON. The workspace is the working store of a data directory, held by one process.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final

from bilbaokg import profiles, quality, release, settings, shacl
from bilbaokg.accounts import Accounts
from bilbaokg.errors import BadInput, Conflict, Invalid, NotFound, StoreBusy
from bilbaokg.importers import importer_for
from bilbaokg.importers.rdf import discover
from bilbaokg.model import Problem, Profile, Release, Report, Source
from bilbaokg.records import Plan, Records
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.terms import PREFIXES, split_line
from bilbaokg.workers import Parsed, Pool

__all__ = ["OPERATIONS", "Progress", "Workspace", "initialise", "is_initialised", "operator"]

Progress = Callable[[int, int | None, str], None]
_FOLDERS: Final = ("working", "scratch", "releases", "cache", "logs")
_WAIT_SECONDS: Final = 1.5


def operator() -> str:
    """The name under which the local operator acts."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"operator:{os.getuid()}"


def is_initialised(data: Path) -> bool:
    """Whether the directory is a bilbaokg data directory."""
    return (data / settings.FILE).is_file() and (data / "working").is_dir()


def initialise(data: Path, values: dict[str, Any]) -> bool:
    """Make a data directory; False when it already was one with the same base.

    Raises Conflict when it has another base, BadInput when it holds other things.
    """
    if is_initialised(data):
        present = settings.read(data).base
        if values.get("base", present) != present:
            raise Conflict(
                f"it already has the base {present}",
                where=str(data),
                hint="the base of a catalogue never changes: use another --data directory",
            )
        return False
    if data.is_dir() and any(data.iterdir()):
        raise BadInput("the directory is not empty", where=str(data), hint="choose another --data")
    with storage_errors(data):
        for name in _FOLDERS:
            (data / name).mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        settings.write(data, values)
        settings.read(data)
    return True


class Workspace:
    """The working store of a data directory, held by this process alone.

    `pool` is the pool of workers that reads foreign RDF; without one, each reading starts its own.
    Raises NotFound when there is no catalogue, StoreBusy naming the process that holds it.
    """

    def __init__(self, data: Path, configuration: Settings, pool: Pool | None = None) -> None:
        if not is_initialised(data):
            raise NotFound("no catalogue here", where=str(data), hint="run: bilbaokg init")
        self.data, self.settings, self.pool = data, configuration, pool
        self.mutex = threading.RLock()
        self._lock = _take_lock(data)
        try:
            self.store = EmbeddedStore(data / "working")
            self.records = Records(self.store, configuration)
            self.releases = release.Releases(data, configuration)
            self.builder = release.Builder(self.records, self.releases)
            self.accounts = Accounts(data / "accounts.db")
            with self.mutex:
                self.builder.recover()
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and let others have the directory."""
        self.store.close()
        self._lock.close()

    def checkpoint(self) -> Path:
        """A read-only copy of the working store as it is now, made once per state."""
        with self.mutex:
            last = self.records.audit.last()
            path = self.data / "cache" / f"working-{last.seq if last else 0}"
            if not path.is_dir():
                for old in self.data.glob("cache/working-*"):
                    shutil.rmtree(old, ignore_errors=True)
                part = path.with_suffix(".part")
                shutil.rmtree(part, ignore_errors=True)
                self.store.backup(part)
                part.rename(path)
        return path


def _take_lock(data: Path) -> Any:
    """Lock the directory for this process, or say who holds it."""
    file = (data / "lock").open("a+", encoding="utf-8")
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            raise _busy(file, data) from None
    file.seek(0)
    file.truncate()
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    json.dump({"pid": os.getpid(), "host": socket.gethostname(), "command": command}, file)
    file.flush()
    return file


def _busy(file: Any, data: Path) -> StoreBusy:
    file.seek(0)
    try:
        holder = json.load(file)
        who = f"process {holder['pid']} on {holder['host']} ({holder['command']})"
    except (ValueError, KeyError):
        who = "another process"
    file.close()
    return StoreBusy(f"in use by {who}", where=str(data), hint="wait for it, or stop it")


# ---- loading


def load(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Import files and folders.

    params: paths (absolute), format, base, source, dry_run, actor, why. All files are parsed whole
    before the first commit. The result is the document of `load --json`.
    """
    paths = [Path(p) for p in params["paths"]]
    sources = discover(
        paths,
        workspace.settings,
        format=params.get("format"),
        base=params.get("base"),
        name=params.get("source"),
    )
    return _import(workspace, sources, paths, params, progress)


def load_content(workspace: Workspace, params: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Import one HTTP body. params: source, media_type, base, dry_run, actor, why."""
    source = Source(params["source"], None, params["media_type"], content, params.get("base"))
    return _import(workspace, [source], [], params, lambda *_: None)


def _import(
    workspace: Workspace,
    sources: list[Source],
    paths: list[Path],
    params: dict[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    parsed = _parse_all(workspace, sources, progress)
    with workspace.mutex:
        missing = _missing(workspace.records, sources, paths, params.get("source"))
        progress(0, None, "comparing with the catalogue")
        plan = workspace.records.plan({n: p.lines for n, p in parsed.items()}, missing=missing)
        if not params.get("dry_run"):
            _commit(workspace, plan, sources, params, progress)
    return _outcome(parsed, plan, dry_run=bool(params.get("dry_run")))


def _parse_all(
    workspace: Workspace, sources: list[Source], progress: Progress
) -> dict[str, Parsed]:
    """Parse every source in one worker, in turn; nothing is written yet."""
    parsed: dict[str, Parsed] = {}
    count = 0

    def on_lines(lines: int) -> None:
        nonlocal count
        count += lines
        progress(len(parsed), len(sources), f"reading: {count:,} statements")

    with contextlib.ExitStack() as stack:
        pool = workspace.pool or stack.enter_context(Pool(1, workspace.settings.memory_limit))
        for source in sources:
            parsed[source.name] = importer_for(source)(source, workspace.settings, pool, on_lines)
    return parsed


def _missing(
    records: Records, sources: list[Source], paths: Iterable[Path], name: str | None
) -> set[str]:
    """Sources below a loaded folder that spoke before and whose file is not there any more."""
    present = {source.name for source in sources}
    folders = tuple(f"{name or path.absolute()}/" for path in paths if path.is_dir())
    return {s for s in records.sources() - present if folders and s.startswith(folders)}


def _commit(
    workspace: Workspace,
    plan: Plan,
    sources: list[Source],
    params: dict[str, Any],
    progress: Progress,
) -> None:
    saved = 0

    def on_saved(records: int) -> None:
        nonlocal saved
        saved += records
        progress(saved, len(plan.changes), "saving records")

    subject = ", ".join(source.name for source in sources[:3])
    if len(sources) > 3:
        subject += f" and {len(sources) - 3} more"
    workspace.records.commit(
        plan,
        actor=params.get("actor") or operator(),
        kind="load",
        subject=subject,
        why=params.get("why") or "import",
        detail={"files": len(sources)},
        on_saved=on_saved,
    )
    if len(plan.changes) > 1000:
        workspace.store.flush()


def _outcome(parsed: dict[str, Parsed], plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    distinct = set().union(*(p.lines for p in parsed.values()))
    statements = [split_line(line) for line in distinct]
    total = sum(p.parsed for p in parsed.values())
    problems = list(plan.problems)
    if doubled := total - len(distinct):
        problems.append(
            Problem("info", f"{doubled:,} statements stood more than once and are held once")
        )
    if dropped := sum(p.graphs_dropped for p in parsed.values()):
        problems.append(
            Problem("info", f"{dropped} graph names were dropped: records have their own")
        )
    problems += quality.lacks(statements, PREFIXES)
    return {
        "files": len(parsed),
        "records": plan.counts,
        "statements": {"parsed": total, "distinct": len(distinct), "rest": plan.rest},
        "graphs_dropped": dropped,
        "classes": {
            quality.curie(c, PREFIXES): n for c, n in quality.class_counts(statements).items()
        },
        "problems": [problem.as_dict() for problem in problems],
        "dry_run": dry_run,
    }


# ---- records


def delete(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Replace a record by its tombstone. params: iri, replaced_by, force, actor, why.

    Records that still refer to it are listed first: Conflict unless `force`.
    """
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None or home.iri != params["iri"]:
            raise NotFound(f"no record has the IRI {params['iri']}")
        referring = [h.iri for h in workspace.records.referrers(f"<{home.iri}>") if h.id != home.id]
        if referring and not params.get("force"):
            raise Conflict(
                f"{len(referring)} records still refer to it: {', '.join(referring[:5])}",
                where=home.iri,
                hint="mend them first, or repeat with --force",
            )
        event = workspace.records.delete(
            home.id,
            replaced_by=params.get("replaced_by"),
            actor=params.get("actor") or operator(),
            why=params.get("why") or "",
        )
    return {"id": home.id, "iri": home.iri, "event": event.seq, "referring": referring}


def visibility(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Set a record public or internal. params: iri, to, actor, why."""
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None or home.iri != params["iri"]:
            raise NotFound(f"no record has the IRI {params['iri']}")
        workspace.records.set_visibility(
            home.id,
            params["to"],
            actor=params.get("actor") or operator(),
            why=params.get("why") or "",
        )
    return {"id": home.id, "iri": home.iri, "visibility": params["to"]}


def dump(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the exact text of all records to a file. params: path."""
    count = 0
    with workspace.mutex, Path(params["path"]).open("w", encoding="utf-8", newline="\n") as out:
        for record in workspace.records.all():
            out.write(record.text)
            count += 1
    return {"path": params["path"], "records": count}


def checkpoint(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """A read-only copy of the working store that queries may open."""
    return {"path": str(workspace.checkpoint())}


def history(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The revisions of a record. params: iri."""
    with workspace.mutex:
        home = workspace.records.home(f"<{params['iri']}>")
        if home is None:
            raise NotFound(f"no record has the IRI {params['iri']}")
        return {"id": home.id, "revisions": workspace.records.revisions(home.id)}


# ---- releases


def release_build(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Build a release. params: profile, hold_back, waive, note, actor. Raises GateRefused."""
    profile = profiles.load(params.get("profile") or workspace.settings.profile)
    waive = params.get("waive")
    if waive is not None and not waive.strip():
        raise BadInput("--waive needs a reason")

    def check(lines: Iterable[str]) -> Report:
        progress(0, None, f"validating against {profile.label}")
        return _check(list(lines), profile, params)

    with workspace.mutex:
        content = workspace.builder.choose(
            None if params.get("unchecked") else check,
            hold_back=bool(params.get("hold_back")),
            waive=waive,
        )
        blocking = content.report is not None and content.report.blocks_release
        built = workspace.builder.build(
            content,
            profile=profile.label,
            actor=params.get("actor") or operator(),
            note=params.get("note") or "",
            waive=waive if blocking else None,
            progress=lambda text: progress(0, None, text),
        )
    return _summary(built) | {"report": content.report.counts if content.report else None}


def _check(lines: list[str], profile: Profile, params: dict[str, Any]) -> Report:
    return shacl.check(lines, profile, language=params.get("lang") or "es")


def _summary(built: Release) -> dict[str, Any]:
    content = built.manifest["content"]
    return {
        "id": built.id,
        "created_at": built.created_at,
        "previous": built.previous,
        "sha256": built.sha256,
        "records": len(content["entries"]),
        "datasets": content["counts"].get(f"{PREFIXES['dcat']}Dataset", 0),
        "held_back": content["held_back"],
        "waived": content["waived"],
        "note": built.manifest["build"]["note"],
    }


def release_publish(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Make a release current. params: id (default: the newest), why, actor."""
    with workspace.mutex:
        releases = workspace.releases.list()
        if not releases:
            raise NotFound("there is no release yet", hint="run: bilbaokg release build")
        chosen = params.get("id") or releases[-1].id
        published = workspace.builder.switch(
            chosen,
            actor=params.get("actor") or operator(),
            kind="release.publish",
            why=params.get("why") or "",
        )
    return _summary(published)


def release_rollback(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Make the release before the current one current again. params: id, why, actor."""
    with workspace.mutex:
        current = workspace.releases.current()
        if current is None:
            raise NotFound("nothing is published yet")
        earlier = [r.id for r in workspace.releases.list() if int(r.id[1:]) < int(current.id[1:])]
        target = params.get("id") or (earlier[-1] if earlier else None)
        if target is None:
            raise Invalid(f"there is no release before {current.id}")
        restored = workspace.builder.switch(
            target,
            actor=params.get("actor") or operator(),
            kind="release.rollback",
            why=params.get("why") or "",
        )
    return _summary(restored)


# ---- tokens and status


def token_create(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Make an API token, shown this once. params: name, scope, expires (YYYY-MM-DD), actor."""
    expires = params.get("expires")
    try:
        day = date.fromisoformat(expires) if expires else None
    except ValueError:
        raise BadInput(f"--expires {expires!r} is no date", hint="write YYYY-MM-DD") from None
    created = workspace.accounts.create(params["name"], params["scope"], expires=day)
    _tell(workspace, params, "token.create", created["name"], {"scope": created["scope"]})
    return created


def token_list(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """All tokens, without their secrets."""
    return {"tokens": workspace.accounts.list()}


def token_revoke(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Revoke a token by name or id. params: name, actor."""
    revoked = workspace.accounts.revoke(params["name"])
    _tell(workspace, params, "token.revoke", params["name"], {})
    return revoked


def _tell(
    workspace: Workspace, params: dict[str, Any], kind: str, subject: str, detail: dict[str, Any]
) -> None:
    """Write an audit entry of its own."""
    with workspace.mutex:
        actor = params.get("actor") or operator()
        event, entry = workspace.records.audit.next(actor, kind, subject, detail)
        workspace.store.apply([entry])
        workspace.records.audit.written(event)


def status(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """What the catalogue holds and what is published."""
    with workspace.mutex:
        kinds: dict[str, int] = {}
        for id in workspace.records.ids():
            kind = id.partition("/")[0]
            kinds[kind] = kinds.get(kind, 0) + 1
        last = workspace.records.audit.last()
        current = workspace.releases.current()
        return {
            "data": str(workspace.data),
            "base": workspace.settings.base,
            "records": kinds,
            "releases": [r.id for r in workspace.releases.list()],
            "current": current.id if current else None,
            "audit_entries": last.seq if last else 0,
        }


def audit_verify(
    workspace: Workspace, params: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Check the audit chain and every record's revision. Raises CorruptStore naming the entry."""
    with workspace.mutex:
        return {"entries": workspace.records.audit.verify(), "records": workspace.records.verify()}


def audit_list(workspace: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The newest audit entries, newest first. params: limit."""
    with workspace.mutex:
        events = workspace.records.audit.events()[-(params.get("limit") or 20) :]
    return {"entries": [_event(event) for event in reversed(events)]}


def _event(event: Any) -> dict[str, Any]:
    return {
        name: getattr(event, name)
        for name in ("seq", "at", "actor", "kind", "subject", "detail", "hash")
    }


Operation = Callable[[Workspace, dict[str, Any], Progress], dict[str, Any]]
OPERATIONS: Final[dict[str, Operation]] = {
    "load": load,
    "delete": delete,
    "visibility": visibility,
    "dump": dump,
    "checkpoint": checkpoint,
    "history": history,
    "release.build": release_build,
    "release.publish": release_publish,
    "release.rollback": release_rollback,
    "token.create": token_create,
    "token.list": token_list,
    "token.revoke": token_revoke,
    "status": status,
    "audit.verify": audit_verify,
    "audit.list": audit_list,
}
