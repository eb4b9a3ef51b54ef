"""What the pages of a release share is ready before anybody asks, and again after a new release."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving import published

from bilbaokg import settings
from bilbaokg.lineage.duties import duties_of
from bilbaokg.server import Context
from bilbaokg.server.warming import Warmer
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    data = published(tmp_path_factory.mktemp("warm") / "data")
    configured = settings.read(data)
    with Pool(1) as pool, Workspace(data, configured) as workspace:
        yield Context(data, configured, workspace.releases, pool, workspace.accounts, workspace)


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_release_is_ready_before_it_is_asked_for(context: Context) -> None:
    # An index that cannot be read is made again, as one of an older format is.
    index = context.data / "releases" / "r1" / "index.db"
    index.chmod(0o600)
    index.write_bytes(b"")
    with Warmer(context, pause=0.01) as warmer:
        assert list((context.cache / "r1").glob("index-*.db"))
        wait(lambda: warmer.done == context.current_id())
    opened = context.catalogue.current()
    assert opened
    assert {"_lineage", "_compliance", "_terms", "_duties", "results_of"} <= vars(opened).keys()
    assert not warmer.busy
    # Nothing is made again: what there is, is given.
    for lang in ("es", "eu", "en"):
        assert opened.once(("subjects", "", lang), lambda: None) is not None
    ground = opened.ground("es")
    assert all(duties_of(ground, iri) == opened.duties_of(iri) for iri in opened.duties)


def test_what_cannot_be_made_beforehand_holds_up_nothing_else(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    manifest: Path = context.data / "releases" / "r1" / "manifest.json"
    held = manifest.read_bytes()
    manifest.chmod(0o600)
    manifest.write_bytes(b"{")
    try:
        with Warmer(context, pause=0.01) as warmer:
            wait(lambda: warmer.done == "r1")
    finally:
        manifest.write_bytes(held)
    assert "not all ready" in caplog.text
