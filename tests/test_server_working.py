"""The Graph Store Protocol over the working store: one record read and changed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import rdflib
from serving import BASE, CATALOGUE, Served, initialise, load, operate, served, token

from bilbaokg.terms import record_id

RECORD = f"{BASE}/graph/record/"
NOISE = f"<{BASE}/id/dataset/noise>"
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
NEW = f"""
@prefix dcat: <{DCAT}> . @prefix dct: <{DCT}> . @prefix id: <{BASE}/id/> .
<{BASE}/id/catalog/main> dcat:dataset <{BASE}/id/dataset/new> .
<{BASE}/id/dataset/new> a dcat:Dataset ; dct:title "Nuevo"@es ; dct:identifier "1" ;
    dcat:contactPoint [ <http://www.w3.org/2006/vcard/ns#fn> "Jardines"@es ;
        a <http://www.w3.org/2006/vcard/ns#Kind> ] .
"""
TURTLE = {"Content-Type": "text/turtle"}


class Store:
    """The graph store of a server, as its users see it."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.reader = token(server.data, "read")
        self.writer = token(server.data, "write")

    def __call__(
        self, method: str, id: str | None = None, content: str | bytes = "", **headers: str
    ) -> httpx.Response:
        parameters = {} if id is None else {"graph": id if ":" in id else RECORD + id}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.client.request(
            method, "/working/graph-store", params=parameters, content=content,
            headers={**self.writer, **(TURTLE if content else {}), **sent},
        )  # fmt: skip

    def text(self, id: str) -> str:
        answer = self("GET", id, accept="application/n-triples")
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    data = initialise(tmp_path_factory.mktemp("working") / "data", body_limit=1 << 20)
    load(data, CATALOGUE)
    with served(data) as server:
        yield Store(server)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Store]:
    """A store that a test may change as it likes."""
    load(initialise(tmp_path / "data"), CATALOGUE)
    with served(tmp_path / "data") as server:
        yield Store(server)


# -- reading -------------------------------------------------------------------------------------


def test_get_gives_the_exact_text(store: Store) -> None:
    answer = store("GET", "dataset/noise", accept="application/n-triples")
    assert answer.status_code == 200
    assert answer.text.splitlines() == sorted(answer.text.splitlines())
    assert f'{NOISE} <{DCT}title> "Ruido"@es .\n' in answer.text
    assert answer.headers["vary"] == "Accept"
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("accept", "parser"),
    [("text/turtle", "turtle"), ("application/rdf+xml", "xml"), ("*/*", "turtle")],
)
def test_get_is_negotiated(store: Store, accept: str, parser: str) -> None:
    graph = rdflib.Graph().parse(
        data=store("GET", "dataset/trees", accept=accept).content, format=parser
    )
    expected = rdflib.Graph().parse(data=store.text("dataset/trees"), format="nt")
    assert set(graph) == set(expected)


def test_head_is_get_without_a_body(store: Store) -> None:
    head, whole = (store(m, "dataset/noise", accept="text/turtle") for m in ("HEAD", "GET"))
    assert head.content == b""
    for name in ("content-type", "content-length", "etag"):
        assert head.headers[name] == whole.headers[name]


def test_a_record_has_an_address_of_its_own(store: Store) -> None:
    answer = store.server.client.get(
        "/working/graph-store/dataset/noise",
        headers={**store.reader, "Accept": "application/n-triples"},
    )
    assert answer.text == store.text("dataset/noise")


def test_etag_is_the_revision_in_its_format(store: Store) -> None:
    etags = {
        accept: store("GET", "dataset/noise", accept=accept).headers["etag"]
        for accept in ("text/turtle", "application/n-triples")
    }
    assert len(set(etags.values())) == 2
    assert len({etag.partition(".")[0] for etag in etags.values()}) == 1
    for accept, etag in etags.items():
        known = store("GET", "dataset/noise", accept=accept, if_none_match=etag)
        assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    ("graph", "status"),
    [
        ("dataset/absent", 404),
        ("https://elsewhere.example/", 404),
        (f"{BASE}/graph/audit", 403),
        (f"{BASE}/graph/history/dataset/noise", 403),
        (f"{BASE}/graph/lineage/x", 403),
        (None, 400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_no_record_is_not_there(
    store: Store, method: str, graph: str | None, status: int
) -> None:
    assert store(method, graph).status_code == status


# -- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_anonymous_is_refused(store: Store, method: str) -> None:
    before = store.text("dataset/noise")
    url = f"/working/graph-store?graph={RECORD}dataset/noise"
    answer = store.server.client.request(method, url, headers=TURTLE)
    assert answer.status_code == 401
    assert store.text("dataset/noise") == before


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_token_that_may_only_read_is_refused(store: Store, method: str) -> None:
    before = store.text("dataset/noise")
    assert store(method, "dataset/noise", before, **store.reader).status_code == 403
    assert store.text("dataset/noise") == before


def test_405_names_reading_and_writing(store: Store) -> None:
    answer = store("PATCH", "dataset/noise")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "POST", "DELETE"}


# -- changing ------------------------------------------------------------------------------------


def test_put_of_what_is_there_changes_nothing(store: Store) -> None:
    for id in ("dataset/trees", "dataset/noise", "catalog/main", "agent/city"):
        etag = store("GET", id).headers["etag"]
        assert store("PUT", id, store.text(id)).status_code == 204
        assert store("GET", id).headers["etag"] == etag


def test_put_is_a_revision_in_the_name_of_the_token(fresh: Store) -> None:
    changed = fresh.text("dataset/noise").replace('"Ruido"', '"Ruidos"')
    assert fresh("PUT", "dataset/noise", changed).status_code == 204
    assert fresh.text("dataset/noise") == changed
    fresh.server.stop()
    entries = operate(fresh.server.data, "audit.list")["entries"]
    assert entries[0]["kind"] == "edit"
    assert entries[0]["actor"] == "token:test-write"
    assert entries[0]["subject"] == NOISE[1:-1]
    history = operate(fresh.server.data, "history", iri=NOISE[1:-1])["revisions"]
    assert [revision["number"] for revision in history] == ["1", "2"]
    assert history[1]["text"] == changed
    assert operate(fresh.server.data, "audit.verify")


def test_put_makes_a_record(fresh: Store) -> None:
    assert fresh("PUT", "dataset/new", NEW).status_code == 201
    text = fresh.text("dataset/new")
    assert f"<{BASE}/id/catalog/main> <{DCAT}dataset> <{BASE}/id/dataset/new> .\n" in text
    assert f"{BASE}/.well-known/genid/" in text
    assert fresh("PUT", "dataset/new", NEW).status_code == 204
    assert fresh.text("dataset/new") == text
    ask = {"query": f"ASK {{ GRAPH <{RECORD}dataset/new> {{ ?s a <{DCAT}Dataset> }} }}"}
    answer = fresh.server.client.get("/working/sparql", params=ask, headers=fresh.reader)
    assert answer.json()["boolean"] is True


def test_blank_nodes_equal_to_those_of_another_record_are_its_own(fresh: Store) -> None:
    # The contact of the trees has the same content.
    assert fresh("PUT", "dataset/new", NEW).status_code == 201
    genid = f"{BASE}/.well-known/genid/"
    nodes = {
        id: {word for word in fresh.text(id).split() if genid in word}
        for id in ("dataset/new", "dataset/trees")
    }
    assert nodes["dataset/new"]
    assert nodes["dataset/trees"]
    assert nodes["dataset/new"].isdisjoint(nodes["dataset/trees"])


def test_post_adds_to_a_record(fresh: Store) -> None:
    before = fresh.text("dataset/noise")
    assert fresh("POST", "dataset/noise", f"<> a <{DCAT}Resource> .").status_code == 422
    more = f'{NOISE} <{DCAT}keyword> "ruido"@es .'
    assert fresh("POST", "dataset/noise", more).status_code == 204
    assert set(fresh.text("dataset/noise").splitlines()) == {*before.splitlines(), more}
    assert fresh("POST", "dataset/new", NEW).status_code == 201


def test_post_takes_the_parts_of_a_form(fresh: Store) -> None:
    more = [f'{NOISE} <{DCAT}keyword> "{word}"@es .' for word in ("ruido", "aire")]
    files = [("file", (f"{n}.ttl", line, "text/turtle")) for n, line in enumerate(more)]
    answer = fresh.server.client.post(
        "/working/graph-store/dataset/noise", files=files, headers=fresh.writer
    )
    assert answer.status_code == 204, answer.text
    assert set(more) <= set(fresh.text("dataset/noise").splitlines())


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/n-triples", f'{NOISE} <{DCT}title> "Ruido"@es .'),
        ("application/ld+json", f'{{"@id": "{NOISE[1:-1]}", "{DCT}title": "Ruido"}}'),
        (
            "application/rdf+xml",
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            f'xmlns:dct="{DCT}"><rdf:Description rdf:about="{NOISE[1:-1]}">'
            "<dct:title>Ruido</dct:title></rdf:Description></rdf:RDF>",
        ),
    ],
)
def test_put_reads_every_syntax(fresh: Store, media_type: str, content: str) -> None:
    answer = fresh("PUT", "dataset/noise", content, Content_Type=media_type)
    assert answer.status_code == 204, answer.text
    assert len(fresh.text("dataset/noise").splitlines()) == 1


def test_relative_iris_are_of_the_graph(fresh: Store) -> None:
    content = f'{NOISE} <{DCT}title> "Ruido" ; <{DCAT}landingPage> <#page> .'
    assert fresh("PUT", "dataset/noise", content).status_code == 204
    assert f"<{RECORD}dataset/noise#page>" in fresh.text("dataset/noise")


def test_delete_leaves_a_tombstone(fresh: Store) -> None:
    assert fresh("DELETE", "dataset/noise").status_code == 204
    for method in ("GET", "HEAD", "DELETE"):
        assert fresh(method, "dataset/noise").status_code == 410
    again = fresh("PUT", "dataset/noise", f"{NOISE} a <{DCAT}Dataset> .")
    assert again.status_code == 410
    assert "restore" in again.json()["hint"]
    fresh.server.stop()
    (revision, tombstone) = operate(fresh.server.data, "history", iri=NOISE[1:-1])["revisions"]
    assert "Tombstone" in tombstone["text"]
    assert "Tombstone" not in revision["text"]


def test_what_others_refer_to_is_not_deleted(store: Store) -> None:
    answer = store("DELETE", "agent/city")
    assert answer.status_code == 409
    assert "refer to it" in answer.json()["detail"]
    assert store("GET", "agent/city").status_code == 200


# -- two editors ---------------------------------------------------------------------------------


def test_if_match_keeps_editors_from_overwriting_each_other(fresh: Store) -> None:
    seen = fresh("GET", "dataset/noise", accept="text/turtle")
    etag, text = seen.headers["etag"], fresh.text("dataset/noise")
    first, second = (text.replace("Ruido", word) for word in ("Uno", "Dos"))
    assert fresh("PUT", "dataset/noise", first, if_match=etag).status_code == 204
    late = fresh("PUT", "dataset/noise", second, if_match=etag)
    assert late.status_code == 412
    assert late.json()["type"] == "urn:bilbaokg:problem:precondition"
    assert fresh("DELETE", "dataset/noise", if_match=etag).status_code == 412
    assert fresh.text("dataset/noise") == first


def test_of_many_at_once_one_wins(fresh: Store) -> None:
    etag, text = fresh("GET", "dataset/noise").headers["etag"], fresh.text("dataset/noise")

    def put(number: int) -> int:
        changed = text.replace("Ruido", f"Ruido {number}")
        return fresh("PUT", "dataset/noise", changed, if_match=etag).status_code

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(put, range(6))) == [204, *[412] * 5]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_match": "*"}, 204),
        ({"if_match": '"0.ttl"'}, 412),
        ({"if_match": 'W/"0.ttl", "1"'}, 412),
        ({"if_none_match": "*"}, 412),
        ({"if_none_match": '"0.ttl"'}, 204),
    ],
)
def test_conditions_on_what_is_there(store: Store, headers: dict[str, str], status: int) -> None:
    text = store.text("dataset/noise")
    assert store("PUT", "dataset/noise", text, **headers).status_code == status


def test_if_none_match_any_only_makes(fresh: Store) -> None:
    assert fresh("PUT", "dataset/new", NEW, if_match="*").status_code == 412
    assert fresh("PUT", "dataset/new", NEW, if_none_match="*").status_code == 201
    assert fresh("PUT", "dataset/new", NEW, if_none_match="*").status_code == 412


def test_a_weak_tag_never_matches(store: Store) -> None:
    etag, text = store("GET", "dataset/noise").headers["etag"], store.text("dataset/noise")
    assert store("PUT", "dataset/noise", text, if_match=f"W/{etag}").status_code == 412


# -- what is refused -----------------------------------------------------------------------------

TITLED = f'{NOISE} <{DCT}title> "x" .'
FOREIGN = record_id(BASE, "dataset", "https://elsewhere.example/d")


@pytest.mark.parametrize(
    ("id", "content", "status", "told"),
    [
        pytest.param(
            "dataset/noise", f'{TITLED} <{BASE}/id/agent/city> <{DCT}title> "y" .', 422,
            f"{RECORD}agent/city", id="statements_of_another_record",
        ),
        pytest.param(
            "dataset/noise", f"{TITLED} <{BASE}/id/dataset/o> a <{DCAT}Dataset> .", 422,
            f"{RECORD}dataset/o", id="a_second_record",
        ),
        pytest.param(
            "dataset/noise", f'{TITLED} <urn:x> <{DCT}title> "y" .',
            422, "nothing in the record leads to urn:x", id="what_nothing_leads_to",
        ),
        pytest.param(
            "dataset/noise", f'{TITLED} [] <{DCT}title> "y" .',
            422, "nothing in the record leads to", id="a_loose_blank_node",
        ),
        pytest.param(
            "dataset/noise",
            f"{NOISE} a <https://www.w3.org/ns/activitystreams#Tombstone> ;"
            f" <https://www.w3.org/ns/activitystreams#formerType> <{DCAT}Dataset> .",
            422, "a tombstone is made by deleting", id="a_tombstone",
        ),
        pytest.param(
            "dataset/other", NEW, 422, "it would be: dataset/new", id="another_id"
        ),
        pytest.param(
            "dataset/new", f'<{BASE}/id/dataset/new> <{DCT}title> "x" .', 422, "a class",
            id="no_class",
        ),
        pytest.param(
            "dataset/x", f"<https://elsewhere.example/d> a <{DCAT}Dataset> .", 422, FOREIGN,
            id="a_foreign_iri_has_another_id",
        ),
        pytest.param("rest/0000000000000000", NEW, 422, "rest of a source", id="a_rest"),
        pytest.param("dataset/noise", "<a> <b> ", 400, '"line":1', id="bad_syntax"),
        pytest.param("dataset/noise", f"{NOISE} <b:c> <<( <a:b> <c:d> <e:f> )>> .", 422,
                     "triple term", id="rdf_1_2"),
        pytest.param("dataset/noise", "x" * (1 << 20) + "y", 413, "body_limit", id="too_large"),
        pytest.param(f"{BASE}/graph/audit", NEW, 403, "kept by the store", id="the_audit"),
        pytest.param(f"{BASE}/graph/history/dataset/noise", NEW, 403, "kept by", id="history"),
        pytest.param("https://x.example/", NEW, 403, "only the graphs", id="a_strange_graph"),
        pytest.param(None, NEW, 400, "no graph is named", id="no_graph"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_content_is_refused(
    store: Store, method: str, id: str | None, content: str, status: int, told: str
) -> None:
    before = store.text("dataset/noise")
    answer = store(method, id, content)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.text
    assert store.text("dataset/noise") == before


def test_a_record_is_never_emptied(store: Store) -> None:
    answer = store("PUT", "dataset/noise", "# nothing")
    assert answer.status_code == 422
    assert "send a DELETE" in answer.json()["hint"]
    assert store("POST", "dataset/noise", "# nothing").status_code == 204


def test_an_identifier_never_changes(fresh: Store) -> None:
    assert fresh("PUT", "dataset/new", NEW).status_code == 201
    answer = fresh("PUT", "dataset/new", NEW.replace('"1"', '"2"'))
    assert answer.status_code == 422
    assert "dct:identifier" in answer.json()["detail"]


def test_graphs_within_the_body_are_refused(store: Store) -> None:
    content = f'<a:g> {{ {NOISE} <{DCT}title> "x" }}'
    answer = store("PUT", "dataset/noise", content, Content_Type="application/trig")
    assert answer.status_code == 422
    assert "graphs of its own" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "text/csv"}, 415),
        ({"Content_Type": ""}, 415),
        ({"Content_Encoding": "br"}, 415),
        ({"Content_Encoding": "gzip"}, 400),
        ({"Content_Type": "multipart/form-data"}, 400),
        ({"Content_Type": "multipart/form-data; boundary=x"}, 400),
    ],
)
def test_other_bodies_are_refused(store: Store, headers: dict[str, str], status: int) -> None:
    assert store("PUT", "dataset/noise", "x", **headers).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_there_is_no_default_graph(store: Store, method: str) -> None:
    answer = store.server.client.request(
        method, "/working/graph-store?default", headers={**store.writer, **TURTLE}
    )
    assert answer.status_code == 403
    assert "every statement belongs to a record" in answer.json()["detail"]


@pytest.mark.parametrize("slug", ["%3Cx%3E", "a%20b", "x%00"])
def test_an_address_that_is_no_iri_is_404(store: Store, slug: str) -> None:
    url = f"/working/graph-store/dataset/{slug}"
    assert store.server.client.get(url, headers=store.reader).status_code == 404


def test_a_body_that_would_end_its_reader_is_refused_and_the_next_is_read(store: Store) -> None:
    text = store.text("dataset/noise")
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    assert (
        store("PUT", "dataset/noise", bomb, Content_Type="application/rdf+xml").status_code == 422
    )
    nested = "[" * 200_000
    answer = store("PUT", "dataset/noise", nested, Content_Type="application/ld+json")
    assert 400 <= answer.status_code < 500
    assert store("PUT", "dataset/noise", text).status_code == 204
