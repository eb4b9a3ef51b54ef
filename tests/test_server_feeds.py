"""Feeds and single resources: representations, validators, ranges, tombstones."""

from __future__ import annotations

import gzip
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, RDF, SDO
from serving import BASE, CATALOGUE, Served, initialise, load, operate, published, served

from bilbaokg import exports
from bilbaokg.release import Releases
from bilbaokg.server import control
from bilbaokg.settings import Settings

PARSERS = {"ttl": "turtle", "rdf": "xml", "nt": "nt", "jsonld": "json-ld"}
TYPES = {
    "ttl": "text/turtle; charset=utf-8",
    "rdf": "application/rdf+xml",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
}
TREES = rdflib.URIRef(f"{BASE}/id/dataset/trees")
HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("feeds") / "data", page_size=1)
    load(
        data,
        "<https://data.example/id/dataset/gone> a <http://www.w3.org/ns/dcat#Dataset> .",
        "old",
    )
    operate(data, "delete", iri=f"{BASE}/id/dataset/gone")
    operate(data, "release.build", unchecked=True)
    operate(data, "release.publish")
    with served(data) as server:
        yield server


def parsed(content: bytes, ext: str) -> rdflib.Graph:
    return rdflib.Graph().parse(data=content, format=PARSERS[ext])


def datasets_in(graph: rdflib.Graph) -> set[rdflib.term.Node]:
    return {s for cls in (DCAT.Dataset, SDO.Dataset) for s in graph.subjects(RDF.type, cls)}


# -- feeds ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("ext", PARSERS)
@pytest.mark.parametrize("path", ["/catalog", *(f"/feeds/{t}/catalog" for t in exports.TARGETS)])
def test_feed_is_rdf_with_the_datasets(server: Served, path: str, ext: str) -> None:
    answer = server.client.get(f"{path}.{ext}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[ext]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert datasets_in(parsed(answer.content, ext))


def test_accept_does_not_matter(server: Served) -> None:
    for accept in ("text/html", "application/rdf+xml", "image/png"):
        answer = server.client.get("/catalog.ttl", headers={"Accept": accept})
        assert answer.headers["content-type"] == TYPES["ttl"]


def test_pages_follow_each_other(server: Served) -> None:
    pages = [parsed(server.client.get(f"/catalog.ttl?page={n}").content, "ttl") for n in (1, 2)]
    found = [set(page.subjects(RDF.type, DCAT.Dataset)) for page in pages]
    assert all(len(datasets) == 1 for datasets in found)
    assert found[0] != found[1]
    assert (
        server.client.get("/catalog.ttl").content
        == server.client.get("/catalog.ttl?page=1").content
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/catalog.ttl?page=3", 404),
        ("/catalog.ttl?page=0", 400),
        ("/catalog.ttl?page=-1", 400),
        ("/catalog.ttl?page=x", 400),
        ("/catalog.ttl?page=%C2%B2", 400),
        ("/catalog.ttl?page=99999999999999999999", 400),
        ("/catalog.ttl?lang=fr", 400),
        ("/catalog.exe", 404),
        ("/catalog.ttl?version=x", 400),
        ("/catalog.ttl?version=0000000000000000", 410),
        ("/feeds/nobody/catalog.ttl", 404),
        ("/feeds/nobody/dump.ttl.gz", 404),
        ("/feeds/full/dump.exe.gz", 404),
        ("/feeds/full/dump.nt.gz?lang=es", 404),
        ("/feeds/ckan/dump.nt.gz?lang=fr", 400),
        ("/feeds/..%2f..%2fmanifest/catalog.ttl", 404),
    ],
)
def test_feed_that_is_not_there(server: Served, path: str, status: int) -> None:
    answer = server.client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def next_of(graph: rdflib.Graph) -> str | None:
    return next((str(o).removeprefix(BASE) for o in graph.objects(None, HYDRA.next)), None)


def datasets(*names: str) -> str:
    return "".join(f"<{BASE}/id/dataset/{name}> a <{DCAT.Dataset}> .\n" for name in names)


def build_and_publish(data: Path) -> None:
    accept = {"accept_removals": "a test"}
    control.call(data, "release.build", {"unchecked": True, **accept})
    control.call(data, "release.publish", accept)


@pytest.mark.parametrize("path", ["/catalog.rdf", "/feeds/ckan/catalog.ttl?lang=es"])
def test_pages_go_on_as_they_began_after_another_release(tmp_path: Path, path: str) -> None:
    data = published(tmp_path / "data", CATALOGUE + datasets(*"bcde"), page_size=2)
    load(data, datasets("a", "f"), "newer")
    ext = "rdf" if ".rdf" in path else "ttl"
    with served(data) as server:
        address: str | None = path
        seen: list[str] = []
        for number in range(1, 4):
            assert address
            page = parsed(server.client.get(address).content, ext)
            seen += [str(d).rpartition("/")[2] for d in page.subjects(RDF.type, DCAT.Dataset)]
            address = next_of(page)
            if number == 1:
                build_and_publish(data)
        assert address is None
        assert sorted(seen) == ["b", "c", "d", "e", "noise", "trees"]
        begun = parsed(server.client.get(path).content, ext)
        assert rdflib.URIRef(f"{BASE}/id/dataset/a") in begun.subjects(RDF.type, DCAT.Dataset)


def test_pages_of_a_release_that_was_taken_back_are_gone(tmp_path: Path) -> None:
    data = published(tmp_path / "data", page_size=1)
    load(data, datasets("a"), "newer")
    with served(data) as server:
        build_and_publish(data)
        address = next_of(parsed(server.client.get("/catalog.ttl").content, "ttl"))
        control.call(data, "release.rollback", {"accept_removals": "a test"})
        assert address
        answer = server.client.get(address)
        assert answer.status_code == 410
        assert answer.json()["hint"] == f"begin again with {BASE}/catalog.rdf"


@pytest.mark.parametrize("target", exports.TARGETS)
def test_dump_is_all_of_a_target_in_one_packed_file(server: Served, target: str) -> None:
    answer = server.client.get(f"/feeds/{target}/dump.nt.gz", headers=GZIP)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/gzip"
    assert "content-encoding" not in answer.headers
    graph = parsed(gzip.decompress(answer.content), "nt")
    assert len(datasets_in(graph)) == 2
    assert not set(graph.subjects(RDF.type, HYDRA.PagedCollection))
    head = server.client.head(f"/feeds/{target}/dump.nt.gz")
    assert int(head.headers["content-length"]) == len(answer.content)
    part = server.client.get(f"/feeds/{target}/dump.nt.gz", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, answer.content[2:6])
    known = {"If-None-Match": answer.headers["etag"]}
    assert server.client.get(f"/feeds/{target}/dump.nt.gz", headers=known).status_code == 304


def test_dump_in_one_language(server: Served) -> None:
    content = server.client.get("/feeds/dcat-ap/dump.ttl.gz?lang=eu").content
    titles = parsed(gzip.decompress(content), "ttl").objects(TREES, DCTERMS.title)
    assert {title.language for title in titles} == {"eu"}


def test_language_leaves_the_other_texts_out(server: Served) -> None:
    spanish = parsed(server.client.get("/catalog.ttl?lang=es&page=2").content, "ttl")
    assert {title.language for title in spanish.objects(TREES, DCTERMS.title)} == {"es"}


def test_validators_are_strong_and_bring_304(server: Served) -> None:
    first = server.client.get("/catalog.rdf", headers=PLAIN)
    assert first.headers["etag"].startswith('"')
    assert first.headers["last-modified"].endswith("GMT")
    for headers in (
        {"If-None-Match": first.headers["etag"]},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):
        again = server.client.get("/catalog.rdf", headers=PLAIN | headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    for headers in (
        {"If-None-Match": '"other"'},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "nonsense"},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If-None-Match": '"other"', "If-Modified-Since": first.headers["last-modified"]},
    ):
        assert server.client.get("/catalog.rdf", headers=PLAIN | headers).status_code == 200


@pytest.mark.parametrize("headers", [PLAIN, GZIP], ids=["plain", "gzip"])
def test_answer_is_the_same_the_first_time_and_from_memory(
    server: Served, headers: dict[str, str]
) -> None:
    path = "/feeds/ckan/catalog.nt?lang=en"
    tag = server.client.get(path, headers=headers | {"If-None-Match": '"other"'}).headers["etag"]
    first, again = (server.client.get(path, headers=headers) for _ in range(2))
    ignored = {"x-request-id", "date"}
    assert first.content == again.content
    for name in set(first.headers) | set(again.headers) - ignored:
        assert (name, first.headers[name]) == (name, again.headers[name]) or name in ignored
    assert again.headers["etag"] == tag
    for known in (tag, f"W/{tag}", f'"a", {tag}', "*"):
        answer = server.client.get(path, headers=headers | {"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert "content-length" not in answer.headers or answer.headers["content-length"] == "0"


def test_only_what_may_be_asked_is_answered(server: Served) -> None:
    assert server.client.post("/catalog.ttl").status_code == 405
    options = server.client.options("/catalog.ttl")
    assert options.status_code == 204
    assert "GET" in options.headers["allow"]


def test_etags_differ_by_representation(server: Served) -> None:
    paths = ["/catalog.ttl", "/catalog.rdf", "/catalog.ttl?page=2", "/catalog.ttl?lang=es",
             "/feeds/full/catalog.ttl"]  # fmt: skip
    tags = [server.client.get(p, headers=h).headers["etag"] for p in paths for h in (PLAIN, GZIP)]
    assert len(set(tags)) == 2 * len(paths)


def test_gzip_is_the_same_smaller(server: Served) -> None:
    plain = server.client.get("/catalog.ttl", headers=PLAIN)
    assert "content-encoding" not in plain.headers
    for _ in range(2):
        with server.client.stream("GET", "/catalog.ttl", headers=GZIP) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["vary"]
            body = b"".join(answer.iter_raw())
        assert gzip.decompress(body) == plain.content
        assert int(answer.headers["content-length"]) == len(body) < len(plain.content)


@pytest.fixture
def uncached(tmp_path: Path) -> Iterator[Served]:
    """A server whose cache cannot be written, and whose release was built for another address."""
    data = published(tmp_path / "data", page_size=1)
    shutil.rmtree(data / "cache")
    (data / "cache").write_text("no directory")
    with served(data, environ={"BILBAOKG_PUBLIC_URL": "https://moved.example"}) as server:
        yield server


@pytest.mark.parametrize("name", ["catalog", "feeds/full/catalog"])
def test_feed_is_the_same_where_no_cache_can_be_written(
    uncached: Served, tmp_path: Path, name: str
) -> None:
    release = uncached.data / "releases" / "r1"
    for ext in PARSERS:
        answer = uncached.client.get(f"/{name}.{ext}", headers=GZIP)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == TYPES[ext]
        assert "content-encoding" not in answer.headers
        target = "full" if "full" in name else "dcat-ap"
        settings = Settings(base=BASE, public_url="https://moved.example")
        made = Releases(uncached.data, settings).get(release.name)
        path = exports.representation(made, settings, target, ext, cache=tmp_path)
        assert answer.content == path.read_bytes()
        known = {"If-None-Match": answer.headers["etag"]}
        assert uncached.client.get(f"/{name}.{ext}", headers=known).status_code == 304
    assert uncached.client.get(f"/{name}.ttl?page=3").status_code == 404
    assert (uncached.data / "cache").read_text() == "no directory"


def test_dump_is_the_same_where_no_cache_can_be_written(uncached: Served, tmp_path: Path) -> None:
    release = Releases(uncached.data, Settings(base=BASE)).get("r1")
    kept = exports.dump(release, "dcat-ap", "ttl", cache=tmp_path)
    assert uncached.client.get("/feeds/dcat-ap/dump.ttl.gz").content == kept.read_bytes()


def test_packed_twin_is_left_out_where_it_cannot_be_written(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    shutil.rmtree(data / "cache")
    (data / "cache").write_text("no directory")
    with served(data) as server:
        plain, packed = (server.client.get("/catalog.ttl", headers=h) for h in (PLAIN, GZIP))
        assert "content-encoding" not in packed.headers
        assert packed.headers["etag"] == plain.headers["etag"]
        assert packed.content == plain.content


def test_long_feed_is_sent_whole_where_no_cache_can_be_written(tmp_path: Path) -> None:
    datasets = "".join(
        f"<{BASE}/id/dataset/d{n}> a <http://www.w3.org/ns/dcat#Dataset> ;"
        f' <http://purl.org/dc/terms/title> "{n} {"x" * 1000}"@es .\n'
        for n in range(500)
    )
    data = published(tmp_path / "data", datasets)
    shutil.rmtree(data / "cache")
    (data / "cache").write_text("no directory")
    with served(data) as server:
        whole = server.client.get("/feeds/full/catalog.nt")
        assert whole.content.count(b"#Dataset>") == 500
        for _ in range(3):
            with server.client.stream("GET", "/feeds/full/catalog.nt") as left_early:
                assert next(left_early.iter_raw())
        assert server.client.get("/feeds/full/catalog.nt").content == whole.content


def test_head_has_the_same_headers(server: Served) -> None:
    get, head = (server.client.request(m, "/catalog.ttl", headers=PLAIN) for m in ("GET", "HEAD"))
    assert head.content == b""
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert head.headers[name] == get.headers[name]


def test_range_gives_the_part(server: Served) -> None:
    whole = server.client.get("/catalog.ttl", headers=PLAIN).content
    part = server.client.get("/catalog.ttl", headers=PLAIN | {"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole[10:20]


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("ext", PARSERS)
def test_before_the_first_release_the_feed_is_an_empty_catalogue(tmp_path: Path, ext: str) -> None:
    with served(initialise(tmp_path / "data")) as server:
        answer = server.client.get(f"/catalog.{ext}")
        assert answer.status_code == 200
        graph = parsed(answer.content, ext)
        assert len(set(graph.subjects(RDF.type, DCAT.Catalog))) == 1
        assert not set(graph.subjects(RDF.type, DCAT.Dataset))
        assert server.client.get("/feeds/nobody/catalog.ttl").status_code == 404
        assert server.client.get("/dataset/trees.ttl").status_code == 404


# -- resources -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "location"),
    [
        ("text/html", "/es/dataset/trees"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", "/es/dataset/trees"),
        ("text/turtle", "/dataset/trees.ttl"),
        ("application/rdf+xml", "/dataset/trees.rdf"),
        ("application/ld+json", "/dataset/trees.jsonld"),
        ("application/n-triples", "/dataset/trees.nt"),
        ("*/*", "/dataset/trees.ttl"),
    ],
)
def test_identity_redirects_by_negotiation(server: Served, accept: str, location: str) -> None:
    headers = {"Accept": accept, "Accept-Language": "es"}
    answer = server.client.get("/id/dataset/trees", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["location"] == location
    assert {"Accept", "Accept-Language"} <= set(answer.headers["vary"].split(", "))
    assert 'rel="alternate"' in answer.headers["link"]


def test_identity_follows_the_language(server: Served) -> None:
    headers = {"Accept": "text/html", "Accept-Language": "eu"}
    answer = server.client.get("/id/dataset/trees", headers=headers)
    assert answer.headers["location"] == "/eu/dataset/trees"


def test_identity_that_nobody_can_read_is_406(server: Served) -> None:
    answer = server.client.get("/id/dataset/trees", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/turtle" in answer.json()["available"]


@pytest.mark.parametrize(
    "path",
    [
        "/id/dataset/nothing",
        "/dataset/nothing.ttl",
        "/id/x/y",
        "/dataset/trees.exe",
        "/id/dataset/%00",
    ],
)
def test_unknown_resource_is_404(server: Served, path: str) -> None:
    assert server.client.get(path).status_code == 404


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("ext", PARSERS)
def test_resource_says_all_about_itself(server: Served, ext: str) -> None:
    answer = server.client.get(f"/dataset/trees.{ext}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[ext]
    graph = parsed(answer.content, ext)
    assert (TREES, DCTERMS.title, rdflib.Literal("Zuhaitzak", "eu")) in graph
    (contact,) = graph.objects(TREES, DCAT.contactPoint)
    assert isinstance(contact, rdflib.BNode)
    again = server.client.get(
        f"/dataset/trees.{ext}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


def test_part_with_an_iri_has_data_of_its_own(server: Served) -> None:
    answer = server.client.get("/distribution/trees-csv.ttl")
    assert answer.status_code == 200
    assert "trees.csv" in answer.text


def test_deleted_resource_is_410_with_its_tombstone(server: Served) -> None:
    answer = server.client.get("/dataset/gone.ttl", headers={"Accept": "text/turtle"})
    assert answer.status_code == 410
    assert "Tombstone" in answer.text
    assert answer.headers["content-type"] == TYPES["ttl"]


def test_ontology_is_served_at_its_namespace(server: Served) -> None:
    for accept, parser in (
        ("text/turtle", "turtle"),
        ("application/rdf+xml", "xml"),
        ("*/*", "turtle"),
    ):
        answer = server.client.get("/ns", headers={"Accept": accept})
        graph = rdflib.Graph().parse(data=answer.content, format=parser)
        assert (rdflib.URIRef(f"{BASE}/ns#verifiedBy"), None, None) in graph


def test_a_new_release_changes_validators(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    load(data, CATALOGUE.replace("Ruido", "Sonido"))
    with served(data) as server:
        before = server.client.get("/catalog.ttl")
        control.call(data, "release.build", {"unchecked": True})
        assert server.client.get("/catalog.ttl").headers["etag"] == before.headers["etag"]
        control.call(data, "release.publish", {})
        after = server.client.get("/catalog.ttl", headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert "Sonido" in after.text


def test_rollback_is_seen_by_clients_that_know_dates_only(tmp_path: Path) -> None:
    data = published(tmp_path / "data")
    # Dates are of one second.
    time.sleep(1.1)
    load(data, CATALOGUE.replace("Ruido", "Sonido"))
    operate(data, "release.build", unchecked=True)
    operate(data, "release.publish")
    with served(data) as server:
        newer = server.client.get("/catalog.ttl").headers["last-modified"]
        control.call(data, "release.rollback", {"accept_removals": "a test"})
        for path in ("/catalog.ttl", "/dataset/noise.ttl", "/es/dataset/noise"):
            answer = server.client.get(path, headers={"If-Modified-Since": newer})
            assert answer.status_code == 200
            assert "Ruido" in answer.text


def test_what_was_taken_back_or_never_published_is_not_served_later(tmp_path: Path) -> None:
    data = published(tmp_path / "data", page_size=1)
    with served(data) as server:
        for name in ("a", "b"):
            load_again(data, tmp_path, datasets(name))
            build_and_publish(data)
        address = next_of(parsed(server.client.get("/catalog.ttl").content, "ttl"))
        assert address
        control.call(data, "release.rollback", {"accept_removals": "a test"})
        load_again(data, tmp_path, datasets("c"))
        control.call(data, "release.build", {"unchecked": True, "accept_removals": "a test"})
        load_again(data, tmp_path, datasets("d"))
        build_and_publish(data)
        assert server.client.get(address).status_code == 410
        told = server.client.get("/api/releases").json()
        rows = told["releases"] if isinstance(told, dict) else told
        assert [row["id"] for row in rows] == ["r5", "r2", "r1"]
        for id, status in (("r5", 200), ("r4", 404), ("r3", 404), ("r2", 200)):
            assert server.client.get(f"/api/releases/{id}").status_code == status
            assert server.client.get(f"/en/releases/{id}").status_code == status


def load_again(data: Path, folder: Path, turtle: str) -> None:
    """Load while the server runs."""
    file = folder / "again.ttl"
    file.write_text(turtle)
    control.call(data, "load", {"paths": [str(file)], "source": "again"})
