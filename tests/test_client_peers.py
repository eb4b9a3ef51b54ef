"""Other people's SPARQL clients against the real server: Comunica, by npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Served, published, served

pytestmark = pytest.mark.peers
PACKAGE = "@comunica/query-sparql@4.2.0"


@pytest.fixture(scope="module")
def comunica(request: pytest.FixtureRequest) -> str:
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm is not installed: Comunica cannot be had")
    folder: Path = request.config.cache.mkdir("comunica")
    binary = folder / "node_modules/.bin/comunica-sparql"
    if not binary.exists():
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([*command, PACKAGE], cwd=folder, check=True, timeout=300)
    return str(binary)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("peers") / "data")
    with served(data) as running:
        yield running


def ask(comunica: str, source: str, query: str) -> list[dict[str, str]]:
    command = [comunica, source, query, "-t", "application/sparql-results+json"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    rows: list[dict[str, dict[str, str]]] = json.loads(done.stdout)["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in rows]


TITLES = """SELECT ?title WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> ;
    <http://purl.org/dc/terms/title> ?title . FILTER(LANG(?title) = "es") } ORDER BY ?title"""


def test_comunica_queries_the_endpoint(comunica: str, server: Served) -> None:
    rows = ask(comunica, f"sparql@{server.url}/sparql", TITLES)
    assert [row["title"] for row in rows] == ["Ruido", "Árboles"]


@pytest.mark.parametrize("extension", ["ttl", "rdf", "nt", "jsonld"])
def test_comunica_reads_the_feed_as_a_file(comunica: str, server: Served, extension: str) -> None:
    rows = ask(comunica, f"{server.url}/catalog.{extension}", TITLES)
    assert [row["title"] for row in rows] == ["Ruido", "Árboles"]
