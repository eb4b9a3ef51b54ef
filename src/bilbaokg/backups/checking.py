"""Whether a backup is what it says: every hash, the audit chain, every revision, every release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bilbaokg import integrity, settings
from bilbaokg.audit import HEADS
from bilbaokg.backups.manifest import FORMAT, Manifest, content_hash
from bilbaokg.backups.moment import STORE
from bilbaokg.errors import CorruptStore
from bilbaokg.records import Records
from bilbaokg.release import Builder, Releases
from bilbaokg.store.embedded import EmbeddedStore

__all__ = ["verify"]


def verify(
    directory: Path, progress: Callable[[int, int | None, str], None] = lambda *_: None
) -> Manifest:
    """Read all of a backup and change nothing. Raises NotFound where it is none, CorruptStore."""
    manifest = Manifest.read(directory)
    if manifest.format != FORMAT:
        _differs(directory, f"its format is {manifest.format}, this version knows {FORMAT}")
    progress(0, None, "reading files")
    for name, expected in manifest.files.items():
        if integrity.file_hash(directory / name) != expected:
            _differs(directory / name, "the file is not what was backed up")
    if not (directory / STORE).is_dir():
        _differs(directory / STORE, "it is missing")
    store = EmbeddedStore.read_only(directory / STORE)
    try:
        _verify_store(directory, store, manifest, progress)
    finally:
        store.close()
    return manifest


def _verify_store(
    directory: Path,
    store: EmbeddedStore,
    manifest: Manifest,
    progress: Callable[[int, int | None, str], None],
) -> None:
    progress(0, None, "reading statements")
    if content_hash(store) != (manifest.sha256, manifest.statements):
        _differs(directory / STORE, "its statements are not those that were backed up")
    progress(0, None, "reading records")
    configuration = settings.read(directory, {})
    records = Records(store, configuration, directory / HEADS)
    records.audit.verify()
    last = records.audit.last()
    if (last.seq if last else 0, last and last.hash) != (
        manifest.audit["entries"],
        manifest.audit["hash"],
    ):
        _differs(directory / STORE, "its audit is not the one that was backed up")
    if records.verify() != manifest.records:
        _differs(directory / STORE, "its records are not those that were backed up")
    releases = Releases(directory, configuration)
    builder = Builder(records, releases)
    for number, id in enumerate(manifest.releases):
        progress(number, len(manifest.releases), "reading releases")
        if not (releases.path / id).is_dir():
            _differs(releases.path / id, "it is missing")
        builder.check(releases.get(id))
    if releases.current_id() != manifest.current:
        _differs(releases.path / "current", f"it does not lead to {manifest.current}")


def _differs(where: Path, what: str) -> None:
    raise CorruptStore(what, where=str(where), hint="take another backup")
