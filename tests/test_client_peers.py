"""Other people's clients against the real server, as the documentation says to use them.

What each needs beyond this project's own environment is fetched by npm or uv, or is a program of
the machine; without it the test is skipped and says so.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import CATALOGUE, Served, published, served

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]
COMUNICA = "@comunica/query-sparql@4.2.0"
YASGUI = "@zazuko/yasgui@4.6.2"
PANDAS = "pandas==3.1.1"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "howto" / "tools.md"
PLACE = """
<https://data.example/id/dataset/trees> dct:spatial [ a dct:Location ;
    dcat:centroid "POINT(-2.935 43.263)"^^<http://www.opengis.net/ont/geosparql#wktLiteral> ] .
"""
TITLES = """SELECT ?title WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> ;
    <http://purl.org/dc/terms/title> ?title . FILTER(LANG(?title) = "es") } ORDER BY ?title"""


def example(language: str, server: Served | None = None, containing: str = "") -> str:
    """A block of the page, with the address of a server."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    found = next(block for block in blocks if containing in block)
    return found.replace("http://localhost:8000", server.url) if server else found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that knows its address, with the saved queries of the page."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = tmp_path_factory.mktemp("peers") / "data"
    published(data, CATALOGUE + PLACE, public_url=f"http://127.0.0.1:{port}")
    (data / "queries").mkdir()
    titles = re.sub("^> ", "", example("console", containing="END"), flags=re.MULTILINE)
    titles = titles.partition("<<'END'\n")[2].partition("END\n")[0]
    (data / "queries" / "titles.rq").write_text(titles)
    (data / "queries" / "places.rq").write_text(example("sparql"))
    with served(data, port=port) as running:
        yield running


def run(*command: object, **given: Any) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=300, **given)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode()


def program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def package(request: pytest.FixtureRequest, name: str) -> Path:
    """The folder of an npm package, kept between runs."""
    npm = program("npm")
    kept: Path = request.config.cache.mkdir(re.sub(r"\W+", "-", name).strip("-"))
    folder = kept / "node_modules" / name.rpartition("@")[0]
    if not folder.is_dir():
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", name]
        subprocess.run(command, cwd=kept, check=True, timeout=300)
    return folder


# -- Comunica ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def comunica(request: pytest.FixtureRequest) -> Path:
    return package(request, COMUNICA).parents[1] / ".bin" / "comunica-sparql"


@pytest.mark.parametrize(
    "source",
    [
        "sparql@{}/sparql",
        "{}/sparql",
        *(f"{{}}/catalog.{e}" for e in ("ttl", "rdf", "nt", "jsonld")),
    ],
    ids=["named an endpoint", "found to be one", "ttl", "rdf", "nt", "jsonld"],
)
def test_comunica(comunica: Path, server: Served, source: str) -> None:
    answer = run(
        comunica, source.format(server.url), TITLES, "-t", "application/sparql-results+json"
    )
    rows = json.loads(answer)["results"]["bindings"]
    assert [row["title"]["value"] for row in rows] == ["Ruido", "Árboles"]


@contextlib.contextmanager
def files(folder: Path) -> Iterator[str]:
    """A plain server of files, as a place to which dumps were copied."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.mark.parametrize("target", ["dcat-ap", "dcat-ap-es", "ckan", "full"])
def test_comunica_queries_an_unpacked_dump(
    comunica: Path, server: Served, tmp_path: Path, target: str
) -> None:
    packed = server.client.get(f"/feeds/{target}/dump.ttl.gz").content
    (tmp_path / "dump.ttl").write_bytes(gzip.decompress(packed))
    with files(tmp_path) as address:
        source = f"{address}/dump.ttl"
        answer = run(comunica, source, TITLES, "-t", "application/sparql-results+json")
    rows = json.loads(answer)["results"]["bindings"]
    assert [row["title"]["value"] for row in rows] == ["Ruido", "Árboles"]


# -- tables --------------------------------------------------------------------------------------


def test_pandas(server: Served) -> None:
    with_pandas = ("uv", "run", "--no-project", "--python", sys.executable, "--with", PANDAS)
    answer = run(sys.executable, "-m", *with_pandas, "python", "-c", example("py", server))
    assert [line.split() for line in answer.splitlines()] == [
        ["dataset", "title"],
        ["https://data.example/id/dataset/noise", "Ruido"],
        ["https://data.example/id/dataset/trees", "Árboles"],
    ]


def test_r(server: Served) -> None:
    utf8 = {**os.environ, "LC_ALL": "C.UTF-8"}
    answer = run(program("Rscript"), "-e", example("r", server), env=utf8)
    assert answer.split()[1:] == ['"Ruido"', '"Árboles"']


def test_gdal_by_longitude_and_latitude(server: Served) -> None:
    program("ogr2ogr")
    (feature,) = json.loads(run("bash", "-c", example("sh", server, "ogr2ogr")))["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [-2.935, 43.263]}
    assert feature["properties"]["title"] == "Árboles"


def test_gdal_by_wkt(server: Served) -> None:
    source = f"CSV:/vsicurl_streaming/{server.url}/api/queries/places?format=csv"
    options = ("-f", "GeoJSON", "/vsistdout/", "-oo", "GEOM_POSSIBLE_NAMES=wkt")
    (feature,) = json.loads(run(program("ogr2ogr"), *options, source))["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [-2.935, 43.263]}


def test_curl_gets_it_compressed_where_that_helps(server: Served) -> None:
    url = f"{server.url}/api/queries/titles?format=csv"
    plain = run(program("curl"), "-sS", url)
    assert run("curl", "-sS", "--compressed", url) == plain
    assert "Árboles" in plain


# -- in a browser, from another origin -----------------------------------------------------------


@pytest.fixture
def tab() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = (os.environ.get("BILBAOKG_BROWSER", ""), "chromium", "google-chrome")
    path = next(filter(None, map(shutil.which, filter(None, names))), None)
    if not path:
        pytest.skip("no chromium found; set BILBAOKG_BROWSER")
    with playwright.sync_playwright() as driver:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = driver.chromium.launch(executable_path=path, args=flags)
        yield running.new_page()
        running.close()


@pytest.fixture
def site(request: pytest.FixtureRequest, server: Served) -> Iterator[str]:
    """Another site, with the page of the documentation and the package that it shows."""
    folder, page = package(request, YASGUI) / "build", example("html", server).encode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/":
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()
        thread.join()


def test_yasgui_shows_a_table(tab: Any, site: str) -> None:
    tab.goto(site)
    tab.evaluate("text => { yasgui.getTab().setQuery(text); }", TITLES)
    with tab.expect_response("**/sparql") as answered:
        tab.click(".yasqe_queryButton")
    assert answered.value.status == 200
    assert answered.value.request.method == "POST"
    tab.wait_for_selector(".yasr_results table tbody tr")
    shown = tab.inner_text(".yasr_results")
    assert shown.index("Ruido") < shown.index("Árboles")


def test_browser_asks_first_and_may_post_a_query_directly(
    tab: Any, site: str, server: Served
) -> None:
    """`application/sparql-query` is no simple request: it takes a preflight."""
    tab.goto(site)
    code = """async ([address, query]) => {
        const headers = {"Content-Type": "application/sparql-query", "Accept": "text/csv"};
        const answer = await fetch(address, {method: "POST", headers, body: query});
        return [answer.status, answer.headers.get("X-Request-Id").length, await answer.text()];
    }"""
    status, length, text = tab.evaluate(code, [f"{server.url}/sparql", TITLES])
    assert (status, length) == (200, 16)
    assert text == "title\r\nRuido\r\nÁrboles\r\n"


def test_browser_keeps_what_is_not_public_from_other_sites(
    tab: Any, site: str, server: Served
) -> None:
    tab.goto(site)
    code = "address => fetch(address).then(() => 'read', error => error.name)"
    assert tab.evaluate(code, f"{server.url}/api/status") == "read"
    assert tab.evaluate(code, f"{server.url}/es/") == "TypeError"
    assert tab.evaluate(code, f"{server.url}/working/sparql?query=ASK%7B%7D") == "TypeError"
