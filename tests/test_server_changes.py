"""The change feeds over HTTP, behind a prefix: addresses, validators, what may be asked."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

import demo_release
import pytest
import rdflib
from feed_reader import ATOM, TOMBSTONES, Reader, whole
from rdflib.namespace import DCAT, DCTERMS, RDF
from serving import BASE, Served, load, operate, published, served

from bilbaokg import exports, settings
from bilbaokg.release import Releases
from bilbaokg.server import control

AS = rdflib.Namespace("https://www.w3.org/ns/activitystreams#")
PUBLIC = "https://data.example/datos"
DATASETS = " ".join(
    f"<{BASE}/id/dataset/d{n}> a <{DCAT.Dataset}> ; <{DCTERMS.title}> 'D{n}'@es ."
    for n in range(120)
)
GONE = rdflib.URIRef(f"{BASE}/id/dataset/d7")
PARSERS = {"ttl": "turtle", "rdf": "xml", "nt": "nt", "jsonld": "json-ld"}
DOCUMENTS = [
    ("/feeds/changes.atom", "application/atom+xml"),
    ("/feeds/ckan/changes.atom?lang=eu", "application/atom+xml"),
    ("/feeds/deletions.json", "application/json"),
    ("/feeds/dcat-ap-es/deletions.ttl", "text/turtle; charset=utf-8"),
    ("/catalog.rdf?modified_since=2020-01-01", "application/rdf+xml"),
    ("/feeds/schema.org/catalog.jsonld?modified_since=2020-01-01", "application/ld+json"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = published(tmp_path_factory.mktemp("changes") / "data", public_url=PUBLIC)
    load(data, DATASETS, "many")
    operate(data, "release.build", unchecked=True)
    operate(data, "release.publish")
    operate(data, "delete", iri=str(GONE), replaced_by=f"{BASE}/id/dataset/d8")
    operate(data, "release.build", unchecked=True)
    operate(data, "release.publish")
    with served(data, root_path="/datos") as server:
        yield server


def atom(server: Served, address: str) -> ElementTree.Element:
    answer = server.client.get(address.removeprefix("https://data.example"))
    assert answer.status_code == 200, answer.text
    return ElementTree.fromstring(answer.text)  # noqa: S314  our own


def link(feed: ElementTree.Element, relation: str) -> str | None:
    links = (e for e in feed.findall(f"{ATOM}link") if e.attrib["rel"] == relation)
    return next((e.attrib["href"] for e in links), None)


@pytest.mark.parametrize(("path", "media"), DOCUMENTS)
def test_documents_have_validators_heads_and_packed_twins(
    server: Served, path: str, media: str
) -> None:
    path = f"/datos{path}"
    plain = server.client.get(path, headers={"Accept-Encoding": "identity"})
    assert (plain.status_code, plain.headers["content-type"]) == (200, media)
    assert plain.headers["access-control-allow-origin"] == "*"
    head = server.client.head(path, headers={"Accept-Encoding": "identity"})
    assert head.headers["content-length"] == str(len(plain.content))
    with server.client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    for known in (
        {"If-None-Match": plain.headers["etag"]},
        {"If-Modified-Since": plain.headers["last-modified"]},
    ):
        again = server.client.get(path, headers=known | {"Accept-Encoding": "identity"})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("modified_since=2026-11-01", 200),
        ("modified_since=2026-11-01T09:30:00Z", 200),
        ("modified_since=2026-11-01t09:30:00.123456789z", 200),
        ("modified_since=2026-11-01T09:30:00", 200),
        ("modified_since=2026-11-01T09:30:00+02:00", 200),
        ("modified_since=2026-11-01T09:30:00%2B02:00", 200),
        ("modified_since=2026-11-01Z", 200),
        ("modified_since=9999-12-31T23:59:59Z", 200),
        ("modified_since=", 400),
        ("modified_since=yesterday", 400),
        ("modified_since=2026", 400),
        ("modified_since=2026-13-01", 400),
        ("modified_since=2026-02-30", 400),
        ("modified_since=2026-11-01T25:00:00Z", 400),
        ("modified_since=2026-11-01T09:30Z", 400),
        ("modified_since=0001-01-01T00:00:00%2B14:00", 400),
        ("modified_since=%D9%A2%D9%A0%D9%A2%D9%A6-11-01", 400),
        ("modified_since=2026-11-01&page=0", 400),
        ("modified_since=2026-11-01&page=99", 404),
        ("modified_since=2026-11-01&lang=fr", 400),
        ("modified_since=2026-11-01&version=x", 400),
        ("modified_since=2026-11-01&version=0000000000000000", 410),
    ],
)
def test_moment_is_a_date_or_a_date_with_a_time(server: Served, query: str, status: int) -> None:
    for path in ("/datos/catalog.ttl", "/datos/feeds/deletions.json"):
        if "lang" in query and "deletions" in path:
            continue
        answer = server.client.get(f"{path}?{query}")
        assert answer.status_code == status, answer.text
        if status == 400:
            assert answer.json()["hint"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feeds/full/changes.atom", 404),
        ("/feeds/nobody/deletions.json", 404),
        ("/feeds/full/catalog.nt?modified_since=2026-01-01", 404),
        ("/feeds/ckan/dump.nt.gz?modified_since=2026-01-01", 400),
        ("/feeds/changes.atom?page=3", 404),
        ("/feeds/changes.atom?lang=fr", 400),
        ("/feeds/deletions.exe", 404),
    ],
)
def test_what_is_not_there_says_so(server: Served, path: str, status: int) -> None:
    answer = server.client.get(f"/datos{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_only_what_changed_is_listed(server: Served) -> None:
    since = server.client.get("/datos/feeds/deletions.json").json()["orderedItems"][0]["published"]
    answer = server.client.get(f"/datos/catalog.ttl?modified_since={since}")
    graph = rdflib.Graph().parse(data=answer.text)
    assert not set(graph.subjects(RDF.type, DCAT.Dataset))
    assert len(set(graph.subjects(RDF.type, DCAT.Catalog))) == 1


def test_atom_is_paged_newest_first_with_every_member_once(server: Served) -> None:
    address: str | None = f"{PUBLIC}/feeds/changes.atom"
    names, times = [], []
    while address:
        feed = atom(server, address)
        for element in feed:
            if element.tag == f"{ATOM}entry":
                names.append(element.findtext(f"{ATOM}id"))
                times.append(str(element.findtext(f"{ATOM}updated")))
            elif element.tag == f"{TOMBSTONES}deleted-entry":
                names.append(element.attrib["ref"])
                times.append(element.attrib["when"])
        assert feed.findtext(f"{ATOM}updated") == times[0]
        address = link(feed, "next")
    assert len(names) == len(set(names)) == 123
    assert times == sorted(times, reverse=True)
    assert names[0] == str(GONE)
    assert link(feed, "last") == link(feed, "self")


@pytest.mark.parametrize("query", ["", "?page=2", "?lang=eu"])
def test_atom_keeps_the_rules_of_its_standards(server: Served, query: str) -> None:
    """RFC 4287, sections 4.1.1, 4.1.2, 4.1.3.3 and 4.2.7; RFC 5005, section 3; RFC 6721."""
    feed = atom(server, f"/datos/feeds/changes.atom{query}")
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert urlsplit(str(element.findtext(f"{ATOM}id"))).scheme
        links = [e.attrib for e in element.findall(f"{ATOM}link")]
        ways = [(e["rel"], e.get("type"), e.get("hreflang")) for e in links]
        assert len(ways) == len(set(ways))
        assert all(urlsplit(e["href"]).netloc for e in links)
    assert feed.findall(f"{ATOM}author/{ATOM}name")
    moments = [e.text for e in feed.iter() if e.tag in (f"{ATOM}updated", f"{ATOM}published")]
    moments += [e.attrib["when"] for e in feed.findall(f"{TOMBSTONES}deleted-entry")]
    for moment in moments:
        assert datetime.fromisoformat(str(moment)).tzinfo
    for content in feed.iter(f"{ATOM}content"):
        assert content.attrib == {"type": "application/rdf+xml"}
        assert len(content) == 1
        assert not str(content.text or "").strip()
    assert {"self", "first", "last", "alternate"} <= {
        e.attrib["rel"] for e in feed.findall(f"{ATOM}link")
    }


def test_atom_leads_to_pages_and_data(server: Served) -> None:
    feed = atom(server, "/datos/feeds/changes.atom?lang=eu")
    (entry,) = [
        e for e in feed.findall(f"{ATOM}entry") if str(e.findtext(f"{ATOM}id")).endswith("/d11")
    ]
    links = [e.attrib for e in entry.findall(f"{ATOM}link")]
    assert {e["rel"] for e in links} == {"alternate"}
    assert {e["href"].rpartition(".")[2] for e in links if "html" not in e["type"]} == set(PARSERS)
    for found in links:
        answer = server.client.get(found["href"].removeprefix("https://data.example"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(found["type"])
    (gone,) = feed.findall(f"{TOMBSTONES}deleted-entry")
    places = {e.attrib["rel"]: e.attrib["href"] for e in gone.findall(f"{ATOM}link")}
    assert places["successor-version"] == f"{BASE}/id/dataset/d8"
    answer = server.client.get(places["alternate"].removeprefix("https://data.example"))
    assert answer.status_code == 410
    for ext in PARSERS:
        assert server.client.get(f"/datos/dataset/d7.{ext}").status_code == 410


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("ext", PARSERS)
def test_deletions_are_activities_with_what_replaces_it(server: Served, ext: str) -> None:
    answer = server.client.get(f"/datos/feeds/deletions.{ext}")
    graph = rdflib.Graph().parse(data=answer.content, format=PARSERS[ext])
    (event,) = graph.subjects(RDF.type, AS.Delete)
    assert graph.value(event, AS.object) == GONE
    assert graph.value(GONE, RDF.type) == AS.Tombstone
    assert graph.value(GONE, AS.formerType) == DCAT.Dataset
    assert graph.value(GONE, DCTERMS.isReplacedBy) == rdflib.URIRef(f"{BASE}/id/dataset/d8")
    published, deleted = graph.value(event, AS.published), graph.value(GONE, AS.deleted)
    assert str(deleted) < str(published)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_deletions_as_json_say_the_same(server: Served) -> None:
    body = server.client.get("/datos/feeds/deletions.json").json()
    assert body["id"].startswith(f"{PUBLIC}/feeds/deletions.json?page=1&version=")
    assert (body["type"], body["totalItems"]) == ("OrderedCollectionPage", 1)
    # The context of ActivityStreams is known to every reader; here it is written out.
    body["@context"][0] = {
        "@vocab": str(AS), "id": "@id", "type": "@type", "orderedItems": {"@id": "as:items"},
        "formerType": {"@id": f"{AS}formerType", "@type": "@id"},
    }  # fmt: skip
    graph = rdflib.Graph().parse(data=json.dumps(body), format="json-ld")
    assert graph.value(GONE, DCTERMS.isReplacedBy) == rdflib.URIRef(f"{BASE}/id/dataset/d8")
    assert graph.value(GONE, AS.formerType) == DCAT.Dataset


def test_feeds_and_pages_lead_to_the_changes(server: Served) -> None:
    page = server.client.get("/datos/eu/").text
    assert 'type="application/atom+xml" href="/datos/feeds/changes.atom?lang=eu"' in page
    for path, place in (("/catalog.rdf", "/feeds"), ("/feeds/ckan/catalog.nt", "/feeds/ckan")):
        told = server.client.head(f"/datos{path}").headers["link"]
        assert (
            told == f'<{PUBLIC}{place}/changes.atom>; rel="alternate"; type="application/atom+xml"'
        )
    assert "link" not in server.client.head("/datos/feeds/full/catalog.nt").headers
    void = server.client.get("/datos/.well-known/void", headers={"Accept": "text/turtle"}).text
    assert f"<{PUBLIC}/feeds/changes.atom>" in void


@pytest.mark.peers
def test_demo_is_followed_from_its_first_release_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = demo_release.copied(tmp_path_factory)
    known = settings.read(data)
    releases = Releases(data, known)
    edit = data.parent / "edit.ttl"
    edit.write_text(
        f"<{known.base}/id/dataset/bilbobus-gtfs> <{DCAT.keyword}> 'cambio'@es ."
        f"<{known.base}/id/dataset/fresh> a <{DCAT.Dataset}> ; <{DCTERMS.title}> 'Nuevo'@es ."
    )
    steps = [
        [("load", {"paths": [str(edit)], "source": "edit"}), ("release.build", {"unchecked": True}),
         ("release.publish", {})],
        [("delete", {"iri": f"{known.base}/id/dataset/fresh"}),
         ("release.build", {"unchecked": True}), ("release.publish", {})],
        [("release.rollback", {})],
    ]  # fmt: skip
    with served(data) as server:

        def get(address: str) -> bytes:
            answer = server.client.get(address.removeprefix(known.public_url))
            assert answer.status_code == 200, f"{address}: {answer.text}"
            return answer.content

        readers = []
        first, since = releases.get("r1"), releases.history()[0].at
        for target in ("dcat-ap", "dcat-ap-es", "ckan", "schema.org"):
            feed = f"/feeds/{target}"
            version = exports.version(first, target)
            begun = whole(get, f"{feed}/catalog.rdf?page=1&version={version}", "rdf")
            for way in ("atom", "modified"):
                reader = Reader(get, f"{feed}/catalog", feed, "rdf")
                if target == "dcat-ap":
                    reader.changes = "/feeds"
                reader.take(begun)
                reader.known = since
                readers.append((way, reader))
        for step in [[], *steps]:
            for name, params in step:
                control.call(data, name, params)
            for way, reader in readers:
                reader.follow_atom() if way == "atom" else reader.follow_modified(since)
                assert reader.graph == whole(get, f"{reader.feed}.rdf", "rdf"), (way, reader.feed)
