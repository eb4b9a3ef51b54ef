"""What the tests of the server share: data directories made for real, and real servers on them."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forking
import httpx
from helpers import PATIENCE

from bilbaokg import integrity, settings
from bilbaokg.operations import OPERATIONS
from bilbaokg.operations.loading import load_content
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.workspace import Workspace, is_initialised
from bilbaokg.workspace import initialise as initialise_directory

BASE = "https://data.example"
CATALOGUE = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix id: <https://data.example/id/> .

<https://data.example/id/catalog/main> a dcat:Catalog ;
    dct:title "Datos"@es , "Datuak"@eu ; dct:description "Los datos."@es ;
    dct:publisher <https://data.example/id/agent/city> ;
    dcat:dataset <https://data.example/id/dataset/trees> , <https://data.example/id/dataset/noise> .
<https://data.example/id/agent/city> a foaf:Agent ; foaf:name "La ciudad"@es .
<https://data.example/id/dataset/trees> a dcat:Dataset ;
    dct:title "Árboles"@es , "Zuhaitzak"@eu ; dct:description "Cada árbol."@es ;
    dct:publisher <https://data.example/id/agent/city> ;
    dcat:contactPoint [ a <http://www.w3.org/2006/vcard/ns#Kind> ;
        <http://www.w3.org/2006/vcard/ns#fn> "Jardines"@es ] ;
    dcat:distribution <https://data.example/id/distribution/trees-csv> .
<https://data.example/id/distribution/trees-csv> a dcat:Distribution ;
    dcat:accessURL <https://data.example/trees.csv> .
<https://data.example/id/dataset/noise> a dcat:Dataset ;
    dct:title "Ruido"@es ; dct:description "Sonómetros."@es ;
    dct:publisher <https://data.example/id/agent/city> .
"""
_SERVE = """
import json, sys
from pathlib import Path
from bilbaokg import server, settings
data, options = Path(sys.argv[1]), json.loads(sys.argv[2])
announce = lambda text: print(text, flush=True)
server.serve(data, settings.read(data), announce=announce, **{"port": 0, **options})
"""


def initialise(data: Path, **values: Any) -> Path:
    """An empty data directory."""
    initialise_directory(data, {"base": BASE, "public_url": BASE} | values)
    return data


def operate(data: Path, name: str, /, **params: Any) -> dict[str, Any]:
    """One operation on a directory that nobody serves."""
    with Workspace(data, settings.read(data)) as workspace:
        return OPERATIONS[name](workspace, params, lambda *_: None)


def load(data: Path, turtle: str, source: str = "test") -> dict[str, Any]:
    with Workspace(data, settings.read(data)) as workspace:
        params = {"source": source, "media_type": "text/turtle"}
        return load_content(workspace, params, turtle.encode())


def published(data: Path, turtle: str = CATALOGUE, **values: Any) -> Path:
    """A data directory with one published release."""
    if turtle == CATALOGUE and not is_initialised(data):
        made = _published_once(json.dumps(values, sort_keys=True))
        shutil.copytree(made, data, symlinks=True, dirs_exist_ok=True)
        return data
    if not is_initialised(data):
        initialise(data, **values)
    return _publish(data, turtle)


@functools.cache
def _published_once(values: str) -> Path:
    """The directory that `published` copies; one for each settings."""
    folder = tempfile.mkdtemp(prefix="bilbaokg-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _publish(initialise(Path(folder) / "data", **json.loads(values)), CATALOGUE)


def _publish(data: Path, turtle: str) -> Path:
    load(data, turtle)
    release = operate(data, "release.build", unchecked=True)
    operate(data, "release.publish", id=release["id"])
    return data


def by_hand(data: Path, nquads: str, **values: Any) -> Path:
    """A published release with exactly these graphs, which no import would make."""
    initialise(data, **values)
    release = data / "releases" / "r1"
    release.mkdir()
    (release / "catalogue.nq").write_text(nquads, encoding="utf-8")
    EmbeddedStore.build(release / "store", release / "catalogue.nq")
    files = integrity.hashes(release, "catalogue.nq")
    content = {"base": BASE, "files": files, "entries": [], "counts": {}}
    build = {"id": "r1", "created_at": "2026-01-01T00:00:00.000Z", "previous": None}
    manifest = {"format": 1, "content": content, "build": build}
    (release / "manifest.json").write_text(json.dumps(manifest))
    (data / "releases" / "current").symlink_to("r1")
    return data


class Served:
    """A server in a process of its own."""

    def __init__(self, data: Path, environ: dict[str, str] | None = None, **options: Any) -> None:
        self.data = data
        self.log = data.with_name(f"{data.name}.log")
        with self.log.open("ab") as log:
            self.process = forking.start(
                _SERVE,
                [str(data), json.dumps(options)],
                stderr=log,
                env={**os.environ, **(environ or {})},
            )
        self.url = self.process.stdout.readline().decode().strip().rstrip("/")
        assert self.url, self.log.read_text()[-3000:]
        self.client = httpx.Client(base_url=self.url, timeout=60)

    def logged(self) -> list[dict[str, Any]]:
        """The log lines, each of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        """End it as a service manager would, and return its exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()


@contextlib.contextmanager
def served(data: Path, **options: Any) -> Iterator[Served]:
    """A server on a data directory, stopped afterwards."""
    server = Served(data, **options)
    try:
        yield server
    finally:
        assert server.stop() == 0, server.log.read_text()[-3000:]


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, _, rest = stat.read_text().partition(" ")
            if int(rest.rpartition(")")[2].split()[1]) == pid:
                found.append(int(number))
    return found


def is_evaluating(server: Served) -> bool:
    """Whether a worker is at a query."""
    from bilbaokg.server import control

    return bool(control.call(server.data, "usage", {})["workers"]["busy"])


def token(data: Path, scope: str, name: str | None = None) -> dict[str, str]:
    """Request headers with a new token."""
    from bilbaokg.accounts import Accounts

    made = Accounts(data / "accounts.db").create(name or f"test-{scope}", scope)
    return {"Authorization": f"Bearer {made['token']}"}
