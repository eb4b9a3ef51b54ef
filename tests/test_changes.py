"""Change feeds: what a history of releases tells, and readers who know nothing but the feeds."""

from __future__ import annotations

import json
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from feed_reader import ATOM, TOMBSTONES, Reader, read, split, whole
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as configure
from hypothesis import strategies as st
from serving import BASE, initialise
from starlette.testclient import TestClient

from bilbaokg import published, settings
from bilbaokg.changes import Changes, Difference, difference, feed_of
from bilbaokg.errors import Gone, NotFound
from bilbaokg.operations import OPERATIONS
from bilbaokg.operations.loading import load_content
from bilbaokg.published import Switch
from bilbaokg.server import create_app
from bilbaokg.server.context import Context
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace

PREFIXES = f"""
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix v: <http://www.w3.org/2006/vcard/ns#> .
@prefix id: <{BASE}/id/> . @prefix d: <{BASE}/id/dataset/> . @prefix x: <https://other.example/> .
"""
# A history takes seconds: one that fails is shown as it is.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
TARGETS = ["dcat-ap", "dcat-ap-es", "ckan", "schema.org"]


class City:
    """An open catalogue, its releases, and a client of its public side."""

    def __init__(self, workspace: Workspace, client: TestClient) -> None:
        self.workspace, self.client = workspace, client

    def do(self, name: str, /, **params: Any) -> dict[str, Any]:
        return OPERATIONS[name](self.workspace, params, lambda *_: None)

    def load(self, turtle: str, source: str = "s") -> None:
        params = {"source": source, "media_type": "text/turtle"}
        load_content(self.workspace, params, (PREFIXES + turtle).encode())

    def publish(self) -> str:
        id: str = self.do("release.build", unchecked=True, accept_removals="a test")["id"]
        self.do("release.publish", id=id, accept_removals="a test")
        return id

    def get(self, address: str) -> bytes:
        answer = self.client.get(address.removeprefix(BASE))
        assert answer.status_code == 200, f"{address}: {answer.text}"
        return answer.content

    def atom(self, path: str = "/feeds/changes.atom") -> ElementTree.Element:
        return ElementTree.fromstring(self.get(path))  # noqa: S314  our own

    def reader(self, target: str = "dcat-ap", ext: str = "nt") -> Reader:
        """A reader of a target's feed, which stands where the addresses say."""
        main = target == "dcat-ap"
        feed = "/catalog" if main else f"/feeds/{target}/catalog"
        return Reader(self.get, feed, "/feeds" if main else f"/feeds/{target}", ext)

    def feed(self, target: str = "dcat-ap", ext: str = "nt") -> set[tuple[str, str, str]]:
        return whole(self.get, f"{self.reader(target).feed}.{ext}", ext)


@contextmanager
def opened(data: Path, **values: Any) -> Iterator[City]:
    initialise(data, **values)
    known = settings.read(data)
    with Pool(1) as pool, Workspace(data, known) as workspace:
        context = Context(data, known, workspace.releases, pool, workspace.accounts, workspace)
        with TestClient(create_app(context), base_url="http://localhost") as client:
            yield City(workspace, client)
        context.lanes.close()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with opened(tmp_path / "data", page_size=2) as found:
        yield found


def entries(feed: ElementTree.Element) -> dict[str, str]:
    """What happened to each member: created, changed, restored or gone, by the end of its IRI."""
    found = {}
    for entry in feed.findall(f"{ATOM}entry"):
        name = str(entry.findtext(f"{ATOM}id")).removeprefix(f"{BASE}/id/")
        terms = [c.attrib["term"] for c in entry.findall(f"{ATOM}category")]
        found[name] = terms[1]
    for entry in feed.findall(f"{TOMBSTONES}deleted-entry"):
        found[entry.attrib["ref"].removeprefix(f"{BASE}/id/")] = "gone"
    return found


def dates(feed: ElementTree.Element) -> dict[str, str]:
    """When each member changed last."""
    found = {str(e.findtext(f"{ATOM}id")): str(e.findtext(f"{ATOM}updated"))
             for e in feed.findall(f"{ATOM}entry")}  # fmt: skip
    gone = feed.findall(f"{TOMBSTONES}deleted-entry")
    return found | {e.attrib["ref"]: e.attrib["when"] for e in gone}


# ---- what was public when


def log(folder: Path, *rows: tuple[str, str]) -> Path:
    rows_ = [{"id": id, "at": at} for id, at in rows]
    (folder / published.LOG).write_text(json.dumps(rows_))
    return folder


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000Z"


def test_history_is_what_was_public_in_its_order(tmp_path: Path) -> None:
    log(tmp_path, ("r1", at(1)), ("r3", at(2)), ("r1", at(3)))
    told = published.history(tmp_path, "r1", ())
    assert told == [Switch("r1", at(1)), Switch("r3", at(2)), Switch("r1", at(3))]


def test_switch_that_is_not_done_yet_is_no_history(tmp_path: Path) -> None:
    log(tmp_path, ("r1", at(1)), ("r2", at(2)))
    assert published.history(tmp_path, "r1", ()) == [Switch("r1", at(1))]


def test_clock_that_was_put_back_changes_no_order(tmp_path: Path) -> None:
    log(tmp_path, ("r1", at(30)), ("r2", at(10)), ("r3", at(40)))
    told = published.history(tmp_path, "r3", ())
    assert [s.at for s in told] == [at(30), "2026-01-01T00:00:30.001Z", at(40)]


@pytest.mark.parametrize("content", [None, "", "{}", '[{"id": 1}]', "[1]"])
def test_without_a_log_releases_were_public_when_they_were_made(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / published.LOG).write_text(content)
    built = [Switch("r1", at(1)), Switch("r2", at(2)), Switch("r3", at(3))]
    assert published.history(tmp_path, "r2", built) == built[:2]


def test_log_is_made_again_from_the_audit(city: City) -> None:
    city.load("d:a a dcat:Dataset .")
    city.publish()
    file = city.workspace.releases.path / published.LOG
    told = json.loads(file.read_text())
    file.unlink()
    city.workspace.builder.recover(city.workspace.records.audit.events())
    assert [row["id"] for row in json.loads(file.read_text())] == [row["id"] for row in told]


# ---- the difference


def test_difference_is_by_description() -> None:
    before, after = {"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1", "e": "1"}
    assert difference(before, after, {"e"}) == Difference(["d"], ["b"], ["c"], ["e"])


def test_what_is_internal_or_cut_is_no_change(city: City) -> None:
    city.load("d:a a dcat:Dataset ; dct:title 'A' .")
    city.publish()
    city.load("d:a a dcat:Dataset ; dct:title 'A' ; x:note 'cut' . d:b a dcat:Dataset .")
    city.do("visibility", iri=f"{BASE}/id/dataset/b", to="internal")
    city.publish()
    found = entries(city.atom())
    assert found == {"dataset/a": "created", "catalog/main": "created"}


def test_change_of_what_a_dataset_names_is_a_change_of_the_dataset(city: City) -> None:
    said = "d:a a dcat:Dataset ; dct:publisher id:agent\\/city . d:b a dcat:Dataset . "
    city.load(said + "<https://data.example/id/agent/city> a foaf:Agent ; foaf:name 'City' .")
    city.publish()
    city.load(said + "<https://data.example/id/agent/city> a foaf:Agent ; foaf:name 'Town' .")
    city.publish()
    found = entries(city.atom())
    assert (found["dataset/a"], found["dataset/b"]) == ("changed", "created")


def test_what_came_and_went_and_came_back_is_told_with_its_dates(city: City) -> None:
    iri = f"{BASE}/id/dataset/a"
    city.load("d:a a dcat:Dataset ; dct:modified '2020-02-02' . d:b a dcat:Dataset .")
    city.publish()
    first = dates(city.atom())[iri]
    city.do("visibility", iri=iri, to="internal")
    city.publish()
    assert entries(city.atom())["dataset/a"] == "gone"
    went = dates(city.atom())[iri]
    city.do("visibility", iri=iri, to="public")
    city.publish()
    feed = city.atom()
    assert entries(feed)["dataset/a"] == "restored"
    (entry,) = [e for e in feed.findall(f"{ATOM}entry") if e.findtext(f"{ATOM}id") == iri]
    assert first < went < dates(feed)[iri]
    assert entry.findtext(f"{ATOM}published") == first
    assert entry.findtext("{http://purl.org/dc/terms/}modified") == "2020-02-02"


def test_rollback_is_a_change_back(city: City) -> None:
    city.load("d:a a dcat:Dataset ; dct:title 'One' . d:b a dcat:Dataset .")
    city.publish()
    city.load("d:a a dcat:Dataset ; dct:title 'Secret' . d:c a dcat:Dataset . d:b a dcat:Dataset .")
    city.publish()
    city.do("release.rollback", accept_removals="a test")
    content = city.get("/feeds/changes.atom")
    assert b"Secret" not in content
    assert entries(city.atom()) == {
        "dataset/a": "changed", "dataset/b": "created", "dataset/c": "gone",
        "catalog/main": "created",
    }  # fmt: skip


# ---- versions


def test_pages_are_of_one_moment_while_the_next_release_comes(city: City) -> None:
    city.load(" ".join(f"d:{n} a dcat:Dataset ." for n in "abcde"))
    city.publish()
    page = read(city.get("/catalog.nt?modified_since=2000-01-01"), "nt")
    assert page.next
    city.load(" ".join(f"d:{n} a dcat:Dataset ; dct:title 'new' ." for n in "abcdef"))
    city.publish()
    rest = whole(city.get, page.next, "nt")
    seen = split(page.triples | rest)
    assert {m.rpartition("/")[2] for m in seen} == {
        f"{n}>" for n in ("a", "b", "c", "d", "e", "main")
    }
    assert "new" not in str(seen)


def test_pages_of_what_was_taken_back_are_gone_for_good(city: City) -> None:
    city.load("d:a a dcat:Dataset .")
    city.publish()
    city.load(" ".join(f"d:{n} a dcat:Dataset ." for n in "bcde"))
    city.publish()
    place = read(city.get("/catalog.nt?modified_since=2000-01-01"), "nt").next
    assert place
    city.do("release.rollback", accept_removals="a test")
    assert city.client.get(place.removeprefix(BASE)).status_code == 410
    city.publish()
    assert city.client.get(place.removeprefix(BASE)).status_code == 410


def test_ledgers_are_few_and_made_again(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bilbaokg.changes._KEPT", 2)
    feed, changes = feed_of("ckan"), Changes(city.workspace.releases)
    versions = []
    for title in ("one", "two", "three"):
        city.load(f"d:a a dcat:Dataset ; dct:title '{title}' .")
        city.publish()
        versions.append(changes.ledger(feed).version)
    folder = city.workspace.releases.cache / "changes" / "ckan"
    assert {path.stem for path in folder.glob("*")} == set(versions[1:])
    with pytest.raises(Gone):
        changes.ledger(feed, versions[0])
    last = changes.ledger(feed)
    for path in folder.glob("*"):
        path.write_text("damaged")
    assert Changes(city.workspace.releases).ledger(feed) == last


def test_release_that_was_removed_is_passed_over(city: City) -> None:
    for title in ("one", "two", "three"):
        city.load(f"d:a a dcat:Dataset ; dct:title '{title}' .")
        city.publish()
    shutil.rmtree(city.workspace.releases.path / "r2")
    assert entries(city.atom())["dataset/a"] == "changed"


def test_nothing_is_told_before_the_first_release_nor_of_what_has_no_members(city: City) -> None:
    for path in (
        "/feeds/changes.atom",
        "/feeds/deletions.json",
        "/catalog.ttl?modified_since=2020",
    ):
        assert city.client.get(path).status_code in (400, 404)
    with pytest.raises(NotFound):
        feed_of("full")


# ---- readers


PEOPLE = ("city", "water")
KINDS = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["'A'@es", "'A'@es, 'B'@eu", "'C'"]),
        "publisher": st.sampled_from(PEOPLE),
        "contact": st.sampled_from(["none", "own", "shared"]),
        "series": st.booleans(),
        "record": st.booleans(),
        "file": st.sampled_from(["none", "one", "served"]),
        "maker": st.sampled_from([None, *PEOPLE]),
    }
)
STATE = st.fixed_dictionaries(
    {
        "datasets": st.dictionaries(st.sampled_from("abcdef"), KINDS, max_size=6),
        "names": st.fixed_dictionaries({p: st.sampled_from(["'N'", "'M'@eu"]) for p in PEOPLE}),
        "second": st.booleans(),
        "title": st.sampled_from(["'T'@es", "'U'@es"]),
    }
)
STEP = st.one_of(
    st.tuples(st.just("publish"), STATE, st.sets(st.sampled_from("abc"), max_size=2)),
    st.tuples(st.just("rollback"), st.none(), st.none()),
    st.tuples(st.just("delete"), STATE, st.sets(st.sampled_from("def"), max_size=1)),
)
Step = tuple[str, Any, Any]


def told(state: dict[str, Any]) -> str:
    """The Turtle of a state of the city."""
    found = [
        f"<{BASE}/id/catalog/main> a dcat:Catalog ; dct:title {state['title']} .",
        f"<{BASE}/id/series/s> a dcat:DatasetSeries ; dct:title 'S'@es .",
        f"<{BASE}/id/service/api> a dcat:DataService ; dct:title 'API'@es .",
        f"<{BASE}/id/shared/desk> a v:Kind ; v:fn 'Desk' .",
    ]
    if state["second"]:
        found.append(f"<{BASE}/id/catalog/sub> a dcat:Catalog ; dct:title 'Sub'@es .")
        found.append(f"<{BASE}/id/catalog/main> dcat:catalog <{BASE}/id/catalog/sub> .")
    found += [f"<{BASE}/id/agent/{p}> a foaf:Agent ; foaf:name {n} ."
              for p, n in state["names"].items()]  # fmt: skip
    for name, d in state["datasets"].items():
        found.append(f"d:{name} a dcat:Dataset ; dct:title {d['title']} ;"
                     f" dct:publisher <{BASE}/id/agent/{d['publisher']}> .")  # fmt: skip
        if d["contact"] == "own":
            found.append(f"d:{name} dcat:contactPoint [ a v:Kind ; v:fn '{name}' ] .")
        if d["contact"] == "shared":
            found.append(f"d:{name} dcat:contactPoint <{BASE}/id/shared/desk> .")
        if d["series"]:
            found.append(f"d:{name} dcat:inSeries <{BASE}/id/series/s> .")
        if d["record"]:
            found.append(f"d:{name}-record a dcat:CatalogRecord ; foaf:primaryTopic d:{name} .")
        if d["file"] != "none":
            found.append(f"d:{name} dcat:distribution <{BASE}/id/distribution/{name}> ."
                         f" <{BASE}/id/distribution/{name}> a dcat:Distribution ;"
                         f" dcat:accessURL x:{name} .")  # fmt: skip
        if d["file"] == "served":
            found.append(f"<{BASE}/id/distribution/{name}> dcat:accessService"
                         f" <{BASE}/id/service/api> .")  # fmt: skip
        if d["maker"]:  # the same agent also as another kind of node
            found.append(f"d:{name} dcat:contactPoint <{BASE}/id/agent/{d['maker']}> .")
        if state["second"]:
            found.append(f"<{BASE}/id/catalog/sub> dcat:dataset d:{name} .")
    return " ".join(found)


def take(city: City, step: Step) -> bool:
    """One step of a history; False where it cannot be taken."""
    what, state, names = step
    if what == "rollback":
        if len(city.workspace.releases.ids()) < 2 or city.workspace.releases.current_id() == "r1":
            return False
        city.do("release.rollback", accept_removals="a test")
        return True
    city.load(told(state))
    for name in "abc":
        iri = f"{BASE}/id/dataset/{name}"
        if city.workspace.records.home(f"<{iri}>"):
            to = "internal" if what == "publish" and name in names else "public"
            city.do("visibility", iri=iri, to=to)
    for name in names if what == "delete" else ():
        iri = f"{BASE}/id/dataset/{name}"
        home = city.workspace.records.home(f"<{iri}>")
        if home and "Tombstone" not in city.workspace.records.get(home.id).text:
            city.do("delete", iri=iri, force=True)
    city.publish()
    return True


def follow_atom(reader: Reader, since: str) -> None:
    reader.follow_atom()


def follow_modified(reader: Reader, since: str) -> None:
    reader.follow_modified(since)


FOLLOW: dict[str, Callable[[Reader, str], None]] = {
    "atom": follow_atom, "modified": follow_modified
}  # fmt: skip


@pytest.mark.parametrize(
    "target", [TARGETS[0], *(pytest.param(each, marks=pytest.mark.peers) for each in TARGETS[1:])]
)
@configure(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
@given(history=st.lists(STEP, min_size=2, max_size=4), first=STATE)
def test_whoever_follows_the_feeds_has_the_feed_from_any_release_on(
    target: str, first: dict[str, Any], history: list[Step]
) -> None:
    with tempfile.TemporaryDirectory() as place, opened(Path(place) / "d", page_size=2) as city:
        readers: list[tuple[str, str, Reader]] = []
        for step in [("publish", first, frozenset()), *history]:
            if not take(city, step):
                continue
            current = city.feed(target, "rdf")
            for way, began, reader in readers:
                FOLLOW[way](reader, began)
                assert reader.graph == current, (way, began)
            for way in FOLLOW:
                fresh = city.reader(target, "rdf")
                fresh.begin()
                assert fresh.graph == current
                readers.append((way, city.workspace.releases.history()[-1].at, fresh))
