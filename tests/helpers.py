"""What the tests of the lower layers share: an open catalogue, and RDF written down quickly."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from bilbaokg.operations import OPERATIONS
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.workspace import Workspace

__all__ = [
    "BASE",
    "PATIENCE",
    "PREFIXES",
    "Catalogue",
    "content_hash",
    "eventually",
    "lines",
    "reference_folder",
    "wipe",
]

BASE = "https://datos.example.org"
# Seconds after which something that must happen counts as never happening, on any machine.
PATIENCE = 60.0
PREFIXES = f"""
@prefix : <{BASE}/id/dataset/> .
@prefix agent: <{BASE}/id/agent/> .
@prefix bkg: <{BASE}/ns#> .
@prefix x: <https://other.example/> .
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix as: <https://www.w3.org/ns/activitystreams#> .
@prefix csvw: <http://www.w3.org/ns/csvw#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> .
@prefix odrl: <http://www.w3.org/ns/odrl/2/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def eventually(happened: Callable[[], object]) -> bool:
    """Wait until it has happened; False when patience ends before."""
    until = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def reference_folder() -> Path:
    """Where official and real files are, if they are: beside the repository, or where
    BILBAOKG_REFERENCE says."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get("BILBAOKG_REFERENCE", beside))


def lines(turtle: str) -> list[str]:
    """The canonical N-Triples lines of some Turtle without blank nodes, PREFIXES declared."""
    return sorted({f"{quad.triple} ." for quad in ox.parse(PREFIXES + turtle, ox.RdfFormat.TURTLE)})


def content_hash(store: EmbeddedStore) -> str:
    """The SHA-256 of every quad of a store: history, audit and all."""
    digest = hashlib.sha256()
    for quad in sorted(map(str, store.raw.quads_for_pattern(None, None, None, None))):
        digest.update(quad.encode())
    return digest.hexdigest()


def wipe(store: EmbeddedStore, graph: str, subject: str) -> None:
    """Take away all that a graph says of a subject (IRIs), as damage would."""
    found = store.match(f"<{subject}>", graph=graph)
    store.apply([GraphChange(graph, delete=[f"{s} {p} {o} ." for s, p, o, _ in found])])


class Catalogue:
    """An open workspace, with the shortest words for what tests do to it."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace, self.records, self.folder = workspace, workspace.records, folder

    def do(self, operation: str, **params: Any) -> dict[str, Any]:
        """Run one of the operations."""
        return OPERATIONS[operation](self.workspace, params, lambda *_: None)

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file; text gets PREFIXES where it is Turtle."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = (PREFIXES + content if name.endswith(".ttl") else content).encode()
        path.write_bytes(content)
        return path

    def load(self, content: str | bytes, source: str = "s", name: str = "", **params: Any) -> Any:
        """Load a text as what a source now says."""
        path = self.file(name or f"{source}.ttl", content)
        return self.do("load", paths=[str(path)], source=source, **params)

    def text(self, iri: str) -> str:
        """The exact text of the record that holds an IRI."""
        home = self.records.home(f"<{iri}>")
        assert home is not None
        return self.records.get(home.id).text

    def hash(self) -> str:
        """The hash of the whole store."""
        return content_hash(self.workspace.store)
