"""The index of a release: what is found, counted and named, and that it can be made again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import demo_release
import pytest
from helpers import BASE, lines

from bilbaokg import index, settings
from bilbaokg.errors import NotFound
from bilbaokg.index import Index, Text, find
from bilbaokg.merging import text_of
from bilbaokg.model import Record, Release
from bilbaokg.release import Releases

Made = Callable[..., Index]


def record(id: str, turtle: str, iri: str = "") -> Record:
    return Record(id, iri or f"{BASE}/id/{id}", text_of(lines(turtle)), "", 1, "public")


TREES = record(
    "dataset/trees",
    f"""
:trees a dcat:Dataset ; dct:title "Árboles"@es, "Zuhaitzak"@eu, "Trees"@en ;
  dct:description "Cada árbol de la ciudad."@es, "Hiriko zuhaitz bakoitza."@eu ;
  dcat:keyword "arbolado"@es ; dcat:theme x:green ; dct:modified "2026-02-01" ;
  dcat:distribution <{BASE}/id/distribution/trees-csv> ; dct:publisher x:city ;
  prov:qualifiedAttribution <{BASE}/id/dataset/trees#owner-1> .
<{BASE}/id/dataset/trees#owner-1> a prov:Attribution ; prov:agent x:parks ;
  dcat:hadRole bkg:owner .
<{BASE}/id/distribution/trees-csv> a dcat:Distribution ; dct:title "Tabla"@es ; dct:format x:CSV ;
  dct:license x:ccby .
""",
)
NOISE = record(
    "dataset/noise",
    """
:noise a dcat:Dataset ; dct:title "Ruido"@es ; dct:description "Sonómetros y árboles."@es ;
  dcat:theme x:air ; dct:modified "2026-03-01" ; dct:creator x:health ; dct:publisher x:city ;
  dcat:distribution x:shared-json .
""",
)
SHARED = record(
    "distribution/0011223344556677",
    'x:shared-json a dcat:Distribution ; dct:title "JSON"@es ; dct:format x:JSON .',
    "https://other.example/shared-json",
)
GONE = record(
    "dataset/old",
    """:old a as:Tombstone ; as:formerType dcat:Dataset ; as:deleted "2026-01-01" ;
    dct:title "Árboles viejos"@es .""",
)
ALL = [TREES, NOISE, SHARED, GONE]


@pytest.fixture
def make(tmp_path: Path) -> Made:
    def made(*records: Record, name: str = "index.db") -> Index:
        index.build(tmp_path / name, records or ALL, BASE)
        return Index(tmp_path / name)

    return made


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    data = demo_release.made(tmp_path_factory)
    found = Releases(data, settings.read(data, {})).current()
    assert found
    return found


def rows(path: Path) -> list[str]:
    return list(sqlite3.connect(path).iterdump())


def ids(found: index.Listing) -> list[str]:
    return [row.id.partition("/")[2] for row in found.rows]


# ---- building


def test_same_records_give_the_same_rows(make: Made) -> None:
    assert rows(make(name="a.db").path) == rows(make(name="b.db").path)


def test_text_is_kept_exactly(make: Made) -> None:
    assert make().text("dataset/trees") == TREES.text


def test_text_of_an_unknown_record_is_not_found(make: Made) -> None:
    with pytest.raises(NotFound):
        make().text("dataset/nope")


def test_ten_thousand_datasets_are_all_found(tmp_path: Path) -> None:
    def many() -> Iterator[Record]:
        for number in range(10_000):
            text = TREES.text.replace("dataset/trees", f"dataset/d{number}")
            text = text.replace("trees-csv", f"csv-{number}")
            yield Record(
                f"dataset/d{number}", f"{BASE}/id/dataset/d{number}", text, "", 1, "public"
            )

    index.build(tmp_path / "i.db", many(), BASE)
    built = Index(tmp_path / "i.db")
    assert find(built, "arbol", {"theme": ["https://other.example/green"]}).total == 10_000
    assert find(built).facets()


# ---- resources


def test_parts_have_the_page_of_their_record_unless_their_kind_has_its_own(make: Made) -> None:
    built = make()
    owner = built.resource(f"{BASE}/id/dataset/trees#owner-1")
    assert owner == (f"{BASE}/id/dataset/trees#owner-1", "dataset/trees", "dataset/trees", False)
    csv = built.resource(f"{BASE}/id/distribution/trees-csv")
    assert csv
    assert csv.record == "dataset/trees"
    assert csv.page == "distribution/trees-csv"


def test_by_id_finds_records_and_parts_with_pages(make: Made) -> None:
    built = make()
    whole = built.by_id("dataset/trees")
    assert whole
    assert whole.whole
    assert whole.iri == f"{BASE}/id/dataset/trees"
    part = built.by_id("distribution/trees-csv")
    assert part
    assert part.record == "dataset/trees"
    assert not part.whole
    assert built.by_id("dataset/nope") is None


def test_what_the_release_does_not_describe_is_no_resource(make: Made) -> None:
    assert make().resource("https://other.example/parks") is None


def test_near_names_records_like_a_wrong_slug(make: Made) -> None:
    assert make().near("dataset", "arboles-2020") == ["dataset/trees"]
    assert make().near("dataset", "?") == []


# ---- names


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("eu", Text("Zuhaitzak", "eu")), ("en", Text("Trees", "en")), ("fr", Text("Árboles", "es"))],
)
def test_labels_come_in_the_language_or_the_nearest(make: Made, lang: str, expected: Text) -> None:
    iri = f"{BASE}/id/dataset/trees"
    assert make().labels([iri], lang) == {iri: expected}


def test_list_says_in_which_language_a_title_stands(make: Made) -> None:
    found = find(make()).page("eu", "title")
    assert {row.title for row in found.rows} == {Text("Zuhaitzak", "eu"), Text("Ruido", "es")}


def test_choose_prefers_the_asked_language_then_ours_then_none_then_any() -> None:
    assert index.choose({"fr": "x", "": "y", "eu": "z"}, "en") == ("z", "eu")
    assert index.choose({"fr": "x", "": "y"}, "en") == ("y", "")
    assert index.choose({"it": "x", "fr": "w"}, "en") == ("w", "fr")
    assert index.choose({}, "en") == ("", "")


# ---- lists


def test_lists_leave_tombstones_out(make: Made) -> None:
    built = make()
    assert built.counts() == {"dataset": 2, "distribution": 1}
    assert ids(find(built).page("es")) == ["noise", "trees"]
    assert built.is_gone("dataset/old")
    assert not built.is_gone("dataset/trees")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("arboles", ["trees", "noise"]),
        ("ÁRBOL", ["trees", "noise"]),
        ("zuhaitz", ["trees"]),
        ("arbolado", ["trees"]),
        ("arbol sonometros", ["noise"]),
        ("nada", []),
        ('" OR *', []),
        ("_", []),
        ("NEAR(a b)", []),
        ("title:ruido", []),
        ("-", []),
    ],
)
def test_search_knows_no_accents_and_no_operators(
    make: Made, words: str, expected: list[str]
) -> None:
    assert ids(find(make(), words).page("es", "relevance")) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("title", ["trees", "noise"]),
        ("modified", ["noise", "trees"]),
        ("issued", ["trees", "noise"]),
    ],
)
def test_sort(make: Made, sort: str, expected: list[str]) -> None:
    assert ids(find(make()).page("es", sort)) == expected


def test_page_beyond_the_last_is_the_last(make: Made) -> None:
    found = find(make()).page("es", page=99, size=1)
    assert (found.page, found.pages, found.total, ids(found)) == (2, 2, 2, ["trees"])


def test_values_of_a_facet_are_alternatives_and_facets_add_up(make: Made) -> None:
    built, x = make(), "https://other.example/"
    assert find(built, filters={"theme": [f"{x}green", f"{x}air"]}).total == 2
    assert find(built, filters={"theme": [f"{x}green"], "area": [f"{x}health"]}).total == 0


def test_area_is_the_owners_unit_else_the_creator(make: Made) -> None:
    areas = dict(find(make()).facets()["area"])
    assert areas == {"https://other.example/parks": 1, "https://other.example/health": 1}


def test_facet_counts_leave_their_own_filter_aside(make: Made) -> None:
    x = "https://other.example/"
    facets = find(make(), filters={"theme": [f"{x}green"]}).facets()
    assert dict(facets["theme"]) == {f"{x}green": 1, f"{x}air": 1}
    assert dict(facets["area"]) == {f"{x}parks": 1}


def test_formats_of_a_shared_distribution_count_for_its_datasets(make: Made) -> None:
    found = find(make(), filters={"format": ["https://other.example/JSON"]}).page("es")
    assert ids(found) == ["noise"]


def test_gaps_say_what_a_dataset_lacks(make: Made) -> None:
    built = make()
    assert built.facets_of("dataset/trees")["gap"] == ["contact", "steward"]
    gaps = built.facets_of("dataset/noise")["gap"]
    assert gaps == ["contact", "licence", "owner", "steward", "translation"]


def test_uses_count_for_how_many_datasets_a_value_is_something(make: Made) -> None:
    assert make().uses("https://other.example/city") == {"publisher": 2}


def test_matches_count_words_in_every_kind(make: Made) -> None:
    assert find(make(), "tabla").kinds() == {"dataset": 1}
    assert find(make(), "json").kinds() == {"dataset": 1, "distribution": 1}
    assert find(make()).kinds() == {}


def test_many_threads_may_read(make: Made) -> None:
    built, found = make(), []
    threads = [
        threading.Thread(target=lambda: found.append(find(built, "arbol").total)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 8


# ---- the index of a release


def test_release_brings_an_index_of_this_format(release: Release, tmp_path: Path) -> None:
    assert index.of(release, tmp_path).path == release.path / "index.db"


def test_index_of_another_format_is_made_again_with_the_same_rows(
    release: Release, tmp_path: Path
) -> None:
    other = Release(
        release.id, tmp_path / "r", release.created_at, None, release.sha256, release.manifest
    )
    other.path.mkdir()
    for name in ("catalogue.nq", "report.json"):
        (other.path / name).symlink_to(release.path / name)
    sqlite3.connect(other.path / "index.db").execute("PRAGMA user_version=999")
    again = index.of(other, tmp_path / "cache")
    assert again.path.parent == tmp_path / "cache" / release.id
    assert rows(again.path) == rows(release.path / "index.db")


def test_index_is_made_in_memory_where_no_cache_can_be_written(
    release: Release, tmp_path: Path
) -> None:
    other = Release(
        release.id, tmp_path / "r", release.created_at, None, release.sha256, release.manifest
    )
    other.path.mkdir()
    (other.path / "catalogue.nq").symlink_to(release.path / "catalogue.nq")
    cache = tmp_path / "cache"
    cache.write_text("no directory")
    made = index.of(other, cache)
    shipped = Index(release.path / "index.db")
    assert made.counts() == shipped.counts()
    assert all(made.text(entry.id) == shipped.text(entry.id) for entry in release.entries)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: index.of(other, cache), range(8)))
    assert set(found) == {made}
    assert find(made).total == find(shipped).total


def test_no_person_is_in_the_demo_index(release: Release, tmp_path: Path) -> None:
    built = index.of(release, tmp_path)
    assert all("foaf/0.1/Person" not in built.text(entry.id) for entry in release.entries)
    assert find(built, "Etxebarria").kinds() == {}
