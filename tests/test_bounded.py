"""What releases are built with when there is more than memory should hold."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from export_helpers import BASE, SETTINGS, record, split
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg import exports
from bilbaokg.bundle import Bundle
from bilbaokg.exports import feed
from bilbaokg.exports.catalogue import Catalogue
from bilbaokg.exports.dcat_ap import DCAT_AP
from bilbaokg.exports.shelf import Shelf
from bilbaokg.exports.targets import feeds
from bilbaokg.sorting import sorted_lines
from bilbaokg.terms import DCAT, DCT, RDF, ref

LINES = st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=6))
GROUPS = st.dictionaries(
    st.integers(0, 50).map(lambda n: f"<s:{n}>"),
    st.lists(st.tuples(st.just("<p:1>"), st.integers(0, 9).map(lambda n: f'"é {n}"')), min_size=1),
)


@given(LINES, st.integers(1, 12))
def test_lines_come_in_the_order_of_their_characters_however_small_the_runs(
    lines: list[str], run_bytes: int
) -> None:
    given_ = [f"{line}\n" for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        coded = (line.encode() for line in given_)
        found = [line.decode() for line in sorted_lines(coded, Path(folder), run_bytes)]
        assert list(Path(folder).iterdir()) == []
    assert found == sorted(given_)


@given(GROUPS, st.lists(st.integers(0, 60)))
def test_shelf_is_like_a_dict(groups: dict[str, list[tuple[str, str]]], asked: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(groups.items(), Path(folder))
        shelf["<s:3>"] = groups["<s:3>"] = [("<p:2>", '"set later"')]
        for term in (f"<s:{n}>" for n in asked):
            assert (term in shelf) == (term in groups)
            assert shelf.get(term, []) == groups.get(term, [])
        assert dict(shelf) == groups
        assert len(shelf) == len(groups)
        with pytest.raises(KeyError):
            shelf["<s:99>"]


def test_bundle_gives_the_same_records_at_each_pass_also_at_the_same_time(tmp_path: Path) -> None:
    records = [record(f"dataset/{n}", [f'<s:{n}> <p:1> "ñ{n}" .']) for n in range(5)]
    bundle = Bundle(iter(records), tmp_path)
    assert len(bundle) == 5
    assert list(bundle) == list(bundle) == records
    assert list(zip(bundle, bundle, strict=True)) == list(zip(records, records, strict=True))
    assert records[3] in bundle


def lines_of_catalogue() -> list[str]:
    """Datasets that share agents, series and distributions, some of them in two kinds."""
    chance = random.Random(7)  # noqa: S311 -- no secret
    said = [f"<{BASE}/id/catalog/c> {ref(RDF.type)} {ref(DCAT.Catalog)} ."]
    for n in range(40):
        dataset, shared = f"<{BASE}/id/dataset/d{n:02}>", f"<x:part-{chance.randrange(12)}>"
        said += [
            f"{dataset} {ref(RDF.type)} {ref(DCAT.Dataset)} .",
            f'{dataset} {ref(DCT["title"])} "Datos {n}"@es .',
            f"{dataset} {ref(DCAT.distribution)} {shared} .",
            f"{dataset} {ref(DCT.conformsTo)} <x:part-{chance.randrange(12)}> .",
            f"{dataset} {ref(DCT.publisher)} <x:agent-{chance.randrange(3)}> .",
            f"{dataset} {ref(DCAT.inSeries)} <{BASE}/id/series/s{chance.randrange(3)}> .",
            f"<{BASE}/id/catalog/c> {ref(DCAT.dataset)} {dataset} .",
        ]
    for n in range(12):
        said += [
            f"<x:part-{n}> {ref(RDF.type)} {ref(DCAT.Distribution)} .",
            f'<x:part-{n}> {ref(DCT["title"])} "Parte {n}"@es .',
            f'<x:part-{n}> {ref(DCT.identifier)} "{n}" .',
            f'<x:part-{n}> <x:unknown> "{n}" .',
        ]
    for n in range(3):
        said += [
            f"<x:agent-{n}> {ref(RDF.type)} <http://xmlns.com/foaf/0.1/Agent> .",
            f"<{BASE}/id/series/s{n}> {ref(RDF.type)} {ref(DCAT.DatasetSeries)} .",
        ]
    return said


@pytest.mark.parametrize("target", [target.name for target in feeds()])
@pytest.mark.parametrize("kept", [0, 7])
def test_what_is_forgotten_between_pages_changes_nothing(
    target: str, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = split({"s": lines_of_catalogue()})
    configuration = type(SETTINGS)(base=BASE, public_url=SETTINGS.public_url, page_size=6)
    chosen = next(each for each in feeds() if each.name == target)

    def all_of(catalogue: Catalogue) -> tuple[list[list[str]], dict[str, int]]:
        walk = chosen.walk(catalogue, configuration)
        return [walk.write(page) for page in walk.pages()], dict(walk.cut())

    in_memory = all_of(Catalogue.of(records, BASE))
    monkeypatch.setattr(feed, "_KEPT", kept)
    monkeypatch.setattr("bilbaokg.exports.shelf._KEPT", kept)
    on_disk = all_of(Catalogue.of(reversed(records), BASE, directory=tmp_path))
    assert on_disk == in_memory
    assert sum(in_memory[1].values())


def test_statements_that_are_not_carried_are_counted_once(tmp_path: Path) -> None:
    cut = exports.cut(split({"s": lines_of_catalogue()}), SETTINGS, DCAT_AP.name)
    assert cut["x:unknown"] == 12
