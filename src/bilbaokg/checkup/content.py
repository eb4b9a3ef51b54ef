"""Whether what a data directory holds is whole: its store, releases and databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bilbaokg import backups, integrity
from bilbaokg.audit import HEADS
from bilbaokg.backups.copying import size_of
from bilbaokg.checkup.lines import OK, PROBLEM, UNSEEN, WARNING, Said
from bilbaokg.checkup.place import Holder
from bilbaokg.errors import BilbaokgError, CorruptStore
from bilbaokg.model import Release
from bilbaokg.records import Records
from bilbaokg.release import Builder, Releases
from bilbaokg.server import control
from bilbaokg.settings import MIB, Settings
from bilbaokg.store.embedded import EmbeddedStore, storage_errors
from bilbaokg.webhooks import outbox

__all__ = ["accounts", "backed_up", "cache", "releases", "stored", "webhooks"]

_OLD: Final = timedelta(days=8)
_RESTORE: Final = "restore a backup"


def stored(data: Path, configuration: Settings, holder: Holder) -> Said:
    """Whether the working store opens, and its audit and all revisions are as they were written."""
    if holder.server:
        done = control.call(data, "audit.verify", {})
        yield OK, _whole(done["entries"], done["records"]), None
        return
    if not holder.reads:
        yield UNSEEN, f"held by {holder.command}", "look again when it has ended"
        return
    with _opened(data, configuration) as records:
        graph = next(records.store.graphs(), None)
        if graph and not graph.startswith(f"{configuration.base}/graph/"):
            began = graph.partition("/graph/")[0]
            hint = f'set base = "{began}" in settings.toml; the base never changes'
            yield PROBLEM, f"its records have the base {began}", hint
            return
        if graph and not (data / HEADS).exists():
            hint = "the next entry makes it again"
            yield WARNING, f"{HEADS} is missing: a lost end of the audit would not show", hint
        yield OK, _whole(records.audit.verify(), records.verify()), None


def _whole(entries: int, records: int) -> str:
    return f"{entries:,} audit entries and {records:,} records are as they were written"


@contextmanager
def _opened(data: Path, configuration: Settings) -> Iterator[Records]:
    """The records of a store that nobody holds, read only. Raises CorruptStore."""
    folder = data / "working"
    if not (folder / "CURRENT").is_file():
        raise CorruptStore("CURRENT is missing", where=str(folder), hint=_RESTORE)
    store = EmbeddedStore.read_only(folder)
    try:
        yield Records(store, configuration, data / HEADS)
    finally:
        store.close()


def releases(data: Path, configuration: Settings, holder: Holder) -> Said:
    """Whether every file of every release is what was released, and one is published."""
    known = Releases(data, configuration)
    with ExitStack() as opened:
        check: Callable[[Release], None] = integrity.check
        if holder.reads:
            with suppress(BilbaokgError):  # what ails the store is told by its own check
                records = opened.enter_context(_opened(data, configuration))
                records.audit.events()
                check = Builder(records, known).check
        for id in known.ids():
            try:
                check(known.get(id))
            except CorruptStore as error:
                yield PROBLEM, str(error), error.hint
    current = known.current_id()
    if current and current not in known.ids():
        hint = f"restore releases/{current} from a backup, or publish another release"
        yield PROBLEM, f"{current} is published, and is not there", hint
    elif not current and (data / "releases" / "published.json").exists():
        hint = "start the server or run bilbaokg status: the audit tells which one it was"
        yield PROBLEM, "the link releases/current is missing", hint
    elif not current:
        yield OK, "none is published", None
    else:
        yield OK, f"{current} is published, of {len(known.ids())}", None


def accounts(data: Path) -> Said:
    """Whether the tokens can be read."""
    file = data / "accounts.db"
    if not file.exists():
        yield OK, "there are no tokens", None
        return
    with _database(file) as database:
        count = database.execute("SELECT count(*) FROM token WHERE revoked_at IS NULL")
        yield OK, f"{count.fetchone()[0]:,} tokens that were not revoked", None


def webhooks(data: Path, configuration: Settings) -> Said:
    """Whether those who are to be told were told."""
    file = data / outbox.FILE
    if not file.exists():
        yield OK, f"{len(configuration.webhooks)} addresses, nothing was sent", None
        return
    with _database(file) as database:
        told = "SELECT state, attempts > 0, count(*) FROM delivery GROUP BY 1, 2"
        rows: Any = database.execute(told)
        counts = {(state, bool(tried)): count for state, tried, count in rows}
    hint = "see: bilbaokg webhook list; send again: bilbaokg webhook retry"
    if ended := sum(count for (state, _), count in counts.items() if state == outbox.ENDED):
        yield WARNING, f"{ended} deliveries were given up", hint
    if failing := counts.get((outbox.WAITING, True)):
        yield WARNING, f"{failing} deliveries failed and wait for their next attempt", hint
    yield OK, f"{sum(counts.values())} deliveries are noted", None


@contextmanager
def _database(file: Path) -> Iterator[sqlite3.Connection]:
    """A database that is whole, for reading alone. Raises CorruptStore, StorageFault."""
    uri = f"{file.absolute().as_uri()}?mode=ro"
    file.open("rb").close()  # SQLite does not say that it is closed to us
    with storage_errors(file), closing(sqlite3.connect(uri, uri=True)) as database:
        (answer,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if answer != "ok":
            raise CorruptStore(answer, where=str(file), hint=_RESTORE)
        yield database


def cache(data: Path) -> Said:
    """How large it is."""
    sizes = (f"{name}/ {size_of(data / name) / MIB:,.1f} MiB" for name in ("cache", "logs"))
    yield OK, ", ".join(sizes), None


def backed_up(data: Path) -> Said:
    """When the last backup was made from here."""
    hint = "run: bilbaokg backup DIRECTORY, every night"
    try:
        lines = (data / backups.LOG).read_text(encoding="utf-8").splitlines()
        last = json.loads(lines[-1])
        age = datetime.now(UTC) - datetime.fromisoformat(last["at"])
        where = last["directory"]
    except FileNotFoundError:
        yield WARNING, "none is noted", hint
        return
    except (ValueError, KeyError, TypeError, IndexError):
        yield WARNING, f"{backups.LOG} cannot be understood", hint
        return
    there = "" if Path(where).is_dir() else "; it is not there any more"
    text = f"the last is {age.days} days old, in {where}{there}"
    yield (WARNING, text, hint) if age > _OLD else (OK, text, None)
