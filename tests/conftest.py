"""Fixtures that several test files share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from helpers import BASE, Catalogue, reference_folder
from sites import Site

from bilbaokg import settings
from bilbaokg.lineage import statements
from bilbaokg.records import Records
from bilbaokg.settings import Settings
from bilbaokg.shacl import ENGINES, checking
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace, initialise

# How long an example takes says more of the machine than of the product.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# A mistake of ours in reading SQL is no fault of the SQL.
statements.RAISES_OURS = True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one validation engine are not selected where that engine is not."""
    absent = [
        item
        for item in items
        if any(mark.args[0] not in ENGINES for mark in item.iter_markers("engine"))
    ]
    config.hook.pytest_deselected(items=absent)
    items[:] = [item for item in items if item not in set(absent)]


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of official and real files: beside the repository, or BILBAOKG_REFERENCE."""
    folder = reference_folder()
    if not (folder / "catalogues").is_dir():
        pytest.skip(f"no reference files at {folder}; set BILBAOKG_REFERENCE")
    return folder


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One worker, kept for all tests of a file."""
    with Pool(1) as opened:
        yield opened


@pytest.fixture(scope="session")
def lasting_pool() -> Iterator[Pool]:
    """Two workers, kept for all tests of a process."""
    with Pool(2) as opened:
        yield opened


@pytest.fixture
def kept_workers(lasting_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validations find their workers running, instead of starting some each and ending them.

    For tests of what a report says; those of workers and of what they cost have their own.
    """
    monkeypatch.setattr(checking, "_workers", lambda: contextlib.nullcontext(lasting_pool))


@pytest.fixture
def workspace(tmp_path: Path, pool: Pool) -> Iterator[Workspace]:
    """An empty catalogue on disk."""
    data = tmp_path / "data"
    initialise(data, {"base": BASE})
    with Workspace(data, settings.read(data, {}), pool) as opened:
        yield opened


@pytest.fixture
def catalogue(workspace: Workspace, tmp_path: Path) -> Catalogue:
    """An empty catalogue on disk, and a folder for files."""
    folder = tmp_path / "files"
    folder.mkdir()
    return Catalogue(workspace, folder)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records over an empty store on disk, without a workspace around them."""
    store = EmbeddedStore(tmp_path / "store")
    yield Records(store, Settings(base=BASE))
    store.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server on this machine."""
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()
