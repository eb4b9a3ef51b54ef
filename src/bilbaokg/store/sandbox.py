"""The job of the scratch worker: a store that strangers change, opened where it may be killed.

Runs in a worker process (`workers.py`) that alone holds the store and keeps it open from one job to
the next. Each change is one transaction, on disk before the answer. Where the worker is killed in
the middle, nothing of that change is there, and the next worker opens the store.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from bilbaokg import parsing
from bilbaokg.errors import Conflict, Invalid, StorageFull, StoreBusy, SyntaxFault, TooLarge
from bilbaokg.store import updates
from bilbaokg.store.embedded import UPDATE_LIMIT, EmbeddedStore
from bilbaokg.store.evaluate import explain

__all__ = ["current", "job"]

CURRENT: Final = "current"
_WAIT_SECONDS: Final = 5.0

_opened: dict[str, EmbeddedStore] = {}
# Statements of a store when it was last written anew: with as many, nothing was deleted since.
_lengths: dict[Path, int] = {}


def job(params: dict[str, Any], body: bytes, put: parsing.Put) -> None:
    """Do one thing to the store in the directory `path`; `quota` is how many bytes it may have.

    `do` is one of: "update" (a SPARQL update in the body; `base`, `using` and `using_named` as in
    the protocol, None where not given), "put" and "post" (RDF for `graph`, "" for the default
    graph; the body holds the `documents`, each with `size` and what `parsing.job` takes), "delete"
    (`graph`), "checkpoint" (to the directory `to`). One frame, with "existed" where it is about a
    graph. Raises SyntaxFault, BadInput, Forbidden, Conflict, TooLarge,
    StorageFull.
    """
    put(_JOBS[params["do"]](_store(params["path"]), params, body), b"")


def _store(path: str) -> EmbeddedStore:
    """The store, opened once."""
    if path not in _opened:
        _opened[path] = _open(Path(path))
    return _opened[path]


def _open(folder: Path) -> EmbeddedStore:
    """The store that the link CURRENT names; a worker that was killed may take a moment to go."""
    place = current(folder) or folder / "1"
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            store = EmbeddedStore(place)
            break
        except StoreBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
    _point(folder, place)
    return store


def current(folder: Path) -> Path | None:
    """The directory of the store, None before there is one."""
    link = folder / CURRENT
    return folder / link.readlink().name if link.is_symlink() else None


def _point(folder: Path, place: Path) -> None:
    """Let the link name the store, in one step, and remove what else a kill left there."""
    link, part = folder / CURRENT, folder / f"{CURRENT}.part"
    if current(folder) != place:
        part.unlink(missing_ok=True)
        part.symlink_to(place.name)
        part.rename(link)
    for other in folder.iterdir():
        if other not in (link, place):
            shutil.rmtree(other) if other.is_dir() else other.unlink()


# ---- SPARQL Update


def _update(store: EmbeddedStore, params: dict[str, Any], body: bytes) -> dict[str, Any]:
    text = _decode(body)
    update = updates.read(text)
    if update.adds:
        store = _refuse_full(store, params)
    try:
        store.update(update.over(params["using"], params["using_named"]), params["base"])
    except SyntaxError as error:
        raise explain(str(error), text, update.facts, "update") from None
    except RuntimeError as error:
        # How the engine tells of a graph that is not there, or is there already.
        raise Conflict(str(error), where="update", hint="write SILENT after the verb") from None
    return {"updated": True}


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SyntaxFault(
            f"byte {error.start} is not UTF-8", where="update", hint="send the update as UTF-8"
        ) from None


# ---- graphs


def _post(store: EmbeddedStore, params: dict[str, Any], body: bytes) -> dict[str, Any]:
    graph = params["graph"]
    existed = _holds(store, graph)
    store = _refuse_full(store, params)
    store.add(_nquads(_parsed(params["documents"], body), graph))
    return {"existed": existed}


def _put(store: EmbeddedStore, params: dict[str, Any], body: bytes) -> dict[str, Any]:
    graph = params["graph"]
    if not _holds(store, graph):
        return _post(store, params, body)
    lines = _parsed(params["documents"], body)
    if sum(map(len, lines)) > UPDATE_LIMIT:
        raise TooLarge(
            f"over {UPDATE_LIMIT:,} bytes of N-Triples cannot take the place of a graph at once",
            where="body", hint="DELETE the graph first, then PUT",
        )  # fmt: skip
    store = _refuse_full(store, params)
    data = "\n".join(lines)
    put = f"GRAPH {_term(graph)} {{\n{data}\n}}" if graph else data
    store.update(f"{_drop(graph)} ;\nINSERT DATA {{\n{put}\n}}")
    return {"existed": True}


def _delete(store: EmbeddedStore, params: dict[str, Any], body: bytes) -> dict[str, Any]:
    existed = _holds(store, params["graph"])
    if existed:
        store.update(_drop(params["graph"]))
    return {"existed": existed}


def _holds(store: EmbeddedStore, graph: str) -> bool:
    """Whether a graph has a statement: an empty one is none."""
    name = ox.NamedNode(graph) if graph else ox.DefaultGraph()
    return next(store.raw.quads_for_pattern(None, None, None, name), None) is not None


def _drop(graph: str) -> str:
    return f"DROP SILENT GRAPH {_term(graph)}" if graph else "DROP DEFAULT"


def _term(iri: str) -> str:
    return str(ox.NamedNode(iri))


def _parsed(documents: Sequence[dict[str, Any]], body: bytes) -> list[str]:
    """The statements of all documents; their blank nodes stay apart. Raises as `parsing.frames`."""
    lines: list[str] = []
    for number, document in enumerate(documents):
        content, body = body[: document["size"]], body[document["size"] :]
        reading = {**document, "path": None, "locate": False, "blank": f"b{number}x"}
        for header, text in parsing.frames(reading, content):
            if header.get("done", {}).get("graphs_dropped"):
                raise Invalid(
                    "it names graphs of its own", where=document["label"], hint="send triples"
                )
            if "lines" in header and text:
                lines += text.decode().split("\n")
    return lines


def _nquads(lines: Sequence[str], graph: str) -> bytes:
    tail = f"{_term(graph)} ." if graph else "."
    return "".join(f"{line[:-1]}{tail}\n" for line in lines).encode()


# ---- copies and room


def _checkpoint(store: EmbeddedStore, params: dict[str, Any], body: bytes) -> dict[str, Any]:
    store.backup(Path(params["to"]))
    return {"made": True}


def _refuse_full(store: EmbeddedStore, params: dict[str, Any]) -> EmbeddedStore:
    """The store, with room for more; raises StorageFull where it has its quota.

    Oxigraph keeps the texts of what was deleted, so at this point what is left is written anew.
    """
    folder, quota = Path(params["path"]), params["quota"]
    if _used(folder, (".sst", ".log")) < quota:
        return store
    store.flush()
    # RocksDB uses old logs again: only tables tell what is kept.
    if (used := _used(folder, (".sst",))) >= quota and _lengths.get(folder) != len(store.raw):
        store = _opened[params["path"]] = _rebuilt(folder, store)
        used = _used(folder, (".sst",))
    if used >= quota:
        raise StorageFull(
            f"the scratch area has {used:,} of {quota:,} bytes", where="scratch",
            hint="delete graphs, or raise scratch_bytes in settings.toml",
        )  # fmt: skip
    return store


def _used(folder: Path, kinds: tuple[str, ...]) -> int:
    """Bytes of the store's files of some kinds."""
    total = 0
    for file in (folder / CURRENT).iterdir():
        if file.suffix in kinds:
            # RocksDB removes files at any moment.
            with contextlib.suppress(FileNotFoundError):
                total += file.stat().st_size
    return total


def _rebuilt(folder: Path, store: EmbeddedStore) -> EmbeddedStore:
    """A new store with what the old one holds; until its link is set, the old one stands."""
    number = int((folder / CURRENT).readlink().name) + 1
    place, dump = folder / str(number), folder / "dump.nq"
    store.raw.dump(str(dump), ox.RdfFormat.N_QUADS)
    EmbeddedStore.build(place, dump)
    store.close()
    _point(folder, place)
    fresh = EmbeddedStore(place)
    _lengths[folder] = len(fresh.raw)
    return fresh


_JOBS: Final[dict[str, Callable[[EmbeddedStore, dict[str, Any], bytes], dict[str, Any]]]] = {
    "update": _update,
    "put": _put,
    "post": _post,
    "delete": _delete,
    "checkpoint": _checkpoint,
}
