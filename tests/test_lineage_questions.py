"""Questions to lineage: paths, where it begins and ends, and who must agree to a change."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import demo_release
import pytest
from serving import operate

from bilbaokg import queries
from bilbaokg.cli import main
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.lineage import answers, coverage, duties, failures
from bilbaokg.lineage.ground import Ground
from bilbaokg.lineage.owners import owners
from bilbaokg.store import GraphChange
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.terms import ADMS, CSVW, DCAT, DCT, PROV, RDF, ref

BASE = "https://bilbaokg.example/id"
MART, FILE = f"{BASE}/table/bus-mart-gtfs", f"{BASE}/distribution/bilbobus-gtfs-zip"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_release.copied(tmp_path_factory)


def iris(found: list[dict[str, Any]]) -> list[str]:
    return [each["iri"] for each in found]


def test_a_path_goes_the_way_of_the_data_whichever_end_is_asked_first(data: Path) -> None:
    down = operate(data, "lineage.path", iri=MART, to=FILE)
    up = operate(data, "lineage.path", iri=FILE, to=MART)
    assert iris(down["path"]) == iris(up["path"]) == [MART, FILE]
    assert (down["direction"], up["direction"]) == ("downstream", "upstream")


def test_where_there_is_no_path_none_is_told(data: Path) -> None:
    other = f"{BASE}/distribution/bilbobus-gtfs-shp"
    assert operate(data, "lineage.path", iri=FILE, to=other) == {
        "iri": FILE, "to": other, "direction": None, "path": [],
    }  # fmt: skip


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_ends_have_nothing_beyond_them(data: Path, direction: str) -> None:
    found = iris(operate(data, "lineage.ends", direction=direction)["found"])
    assert found
    back = "downstream" if direction == "upstream" else "upstream"
    for iri in found[:10]:
        assert not operate(data, "lineage.walk", iri=iri, direction=direction)["found"]
        assert operate(data, "lineage.walk", iri=iri, direction=back)["found"]


def test_a_way_leads_to_a_dataset_by_what_is_part_of_it(data: Path) -> None:
    dataset, raw = f"{BASE}/dataset/calidad-aire-resumen-diario", f"{BASE}/table/aire-raw-lecturas"
    told = operate(data, "lineage.path", iri=raw, to=dataset)
    assert (told["iri"], told["to"], told["direction"]) == (raw, dataset, "downstream")
    clean, mart = f"{BASE}/table/aire-clean-lecturas", f"{BASE}/table/aire-mart-diario"
    assert iris(told["path"]) == [raw, clean, mart]
    back = operate(data, "lineage.path", iri=dataset, to=raw)
    assert (back["direction"], back["path"]) == ("upstream", told["path"])
    # Between two datasets their own way counts.
    source = f"{BASE}/dataset/aire-lecturas-horarias"
    told = operate(data, "lineage.path", iri=source, to=dataset)
    assert iris(told["path"]) == [source, dataset]


def test_whoever_owns_what_depends_on_a_thing_must_agree(data: Path) -> None:
    found = operate(data, "lineage.agree", iri=MART)
    walked = operate(data, "lineage.walk", iri=MART, direction="downstream")["found"]
    assert found["affected"] == len(walked)
    assert not found["unowned"]
    (owner,) = found["owners"]
    assert iris(owner["datasets"]) == [f"{BASE}/dataset/bilbobus-gtfs"]
    assert owner["label"] != owner["iri"]
    for language, word in (("es", "propietario"), ("eu", "jabe"), ("en", "owner")):
        assert word in owner["message"][language]
    assert "- Bilbobus: líneas, paradas y horarios (GTFS)" in owner["message"]["es"]


def test_what_nobody_answers_for_is_told(data: Path) -> None:
    roots = iris(operate(data, "lineage.ends", direction="upstream")["found"])
    answers = [operate(data, "lineage.agree", iri=iri) for iri in roots[:40]]
    assert any(answer["unowned"] for answer in answers)
    for answer in answers:
        unowned = {each["iri"] for each in answer["unowned"]}
        owned = {d["iri"] for owner in answer["owners"] for d in owner["datasets"]}
        assert not unowned & owned


def test_tables_of_whose_columns_nobody_tells_may_depend_on_a_column() -> None:
    store, base = EmbeddedStore(), "https://datos.example.org"
    raw, told, untold = (f"{base}/{name}" for name in ("raw", "told", "untold"))
    lines = [f"<{t}> {ref(RDF.type)} {ref(CSVW.Table)} ." for t in (raw, told, untold)]
    for column, table in ((f"{raw}.a", raw), (f"{raw}.b", raw), (f"{told}.b", told)):
        lines += [
            f"<{column}> {ref(RDF.type)} {ref(CSVW.Column)} .",
            f"<{column}> {ref(DCT.isPartOf)} <{table}> .",
        ]
    lines += [f"<{t}> {ref(PROV.wasDerivedFrom)} <{raw}> ." for t in (told, untold)]
    lines.append(f"<{told}.b> {ref(PROV.wasDerivedFrom)} <{raw}.b> .")
    store.apply([GraphChange(f"{base}/graph/record/x", insert=lines)])
    ground = Ground.over(store, base, "es")
    for column in (f"{raw}.a", f"{raw}.b"):
        assert iris(answers.agree(ground, column)["uncertain"]) == [untold]
    # Whoever asks of the table asks of all that is made of it.
    assert not answers.agree(ground, raw)["uncertain"]


def test_an_attribution_without_a_status_is_in_force_and_one_that_ended_is_not() -> None:
    store = EmbeddedStore()
    lines = [f"<x:d> {ref(PROV.qualifiedAttribution)} <x:{who}-role> ." for who in ("now", "once")]
    for who in ("now", "once"):
        lines += [
            f"<x:{who}-role> {ref(PROV.agent)} <x:{who}> .",
            f"<x:{who}-role> {ref(DCAT.hadRole)} <x:/ns#owner> .",
        ]
    lines.append(f"<x:once-role> {ref(ADMS.status)} <x:/ns#ended> .")
    store.apply([GraphChange("x:/graph/record/d", insert=lines)])
    assert owners(store, "x:", ["x:d"]) == {"x:now": ["x:d"]}


@pytest.mark.parametrize(
    ("iri", "error"), [("no iri", BadInput), (f"{BASE}/table/nada", NotFound), ("", BadInput)]
)
def test_what_the_store_does_not_know_is_refused(
    data: Path, iri: str, error: type[Exception]
) -> None:
    for name, params in (("path", {"to": MART}), ("agree", {})):
        with pytest.raises(error):
            operate(data, f"lineage.{name}", iri=iri, **params)


def test_the_commands_tell_it(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--data", str(data), "lineage", *words])
        return int(ended.value.code or 0), capsys.readouterr().out

    assert said("path", MART, FILE)[0] == 0
    code, text = said("path", FILE, f"{BASE}/distribution/bilbobus-gtfs-shp")
    assert (code, "No way" in text) == (1, True)
    code, text = said("agree", MART, "--message", "en")
    assert (code, "This will be changed" in text) == (0, True)
    assert said("ends", "upstream")[0] == 0
    assert said("agree", "nada")[0] == 2


# ---- saved queries give the same answers


@pytest.fixture(scope="module")
def released(data: Path) -> Ground:
    return Ground.released(data / "releases" / "r2", BASE.removesuffix("/id"), "es")


def saved(ground: Ground, name: str, **params: str) -> list[dict[str, str]]:
    text = queries.bind(queries.load(f"examples/{name}"), **params)
    found: Any = ground.store.query(text)
    names = [variable.value for variable in found.variables]
    return [{n: row[n].value for n in names if row[n] is not None} for row in found]


@pytest.mark.parametrize(
    "iri",
    [MART, FILE, f"{BASE}/dataset/intensidad-trafico", f"{BASE}/column/aire-mart-diario-media"],
)
def test_saved_queries_about_a_thing_answer_as_the_questions_do(released: Ground, iri: str) -> None:
    for direction, name in (("upstream", "source"), ("downstream", "product")):
        told = answers.walked(released, iri, direction)["found"]
        assert {row[name] for row in saved(released, direction, resource=iri)} == {*iris(told)}
        for step in told:
            ends = (iri, step["iri"]) if direction == "downstream" else (step["iri"], iri)
            way = iris(answers.path(released, *ends)["path"])
            rows = saved(released, "lineage-between", resource=ends[0], to=ends[1])
            assert {*pairwise(way)} <= {(row["between"], row["derived"]) for row in rows}
    told = answers.agree(released, iri)["owners"]
    rows = saved(released, "owners-to-agree", resource=iri)
    assert {(row["owner"], row["dataset"]) for row in rows} == {
        (owner["iri"], dataset["iri"]) for owner in told for dataset in owner["datasets"]
    }


def test_saved_queries_follow_columns_that_bear_on_rows() -> None:
    base = "https://datos.example.org"
    key, copied, kept, made, held = (f"{base}/{n}" for n in ("key", "copy", "kept", "made", "held"))
    lines = [
        *(f"<{c}> {ref(RDF.type)} {ref(CSVW.Column)} ." for c in (key, copied)),
        *(f"<{t}> {ref(RDF.type)} {ref(CSVW.Table)} ." for t in (kept, made)),
        f"<{copied}> {ref(PROV.wasDerivedFrom)} <{key}> .",
        f"<{kept}> {ref(PROV.wasInfluencedBy)} <{copied}> .",
        f"<{made}> {ref(PROV.wasDerivedFrom)} <{kept}> .",
        f"<{made}> {ref(DCT.isPartOf)} <{held}> .",
        f"<{held}> {ref(PROV.qualifiedAttribution)} <{held}#a> .",
        f"<{held}#a> {ref(DCAT.hadRole)} <{base}/ns#owner> .",
        f"<{held}#a> {ref(PROV.agent)} <{base}/who> .",
    ]
    store = EmbeddedStore()
    store.apply([GraphChange(f"{base}/graph/record/x", insert=lines)])
    ground = Ground.over(store, base, "es")
    told = iris(answers.walked(ground, key, "downstream")["found"])
    assert told == [copied, kept, made]
    assert {row["product"] for row in saved(ground, "downstream", resource=key)} == set(told)
    assert iris(answers.agree(ground, key)["owners"]) == [f"{base}/who"]
    rows = saved(ground, "owners-to-agree", resource=key)
    assert (f"{base}/who", held) in {(row["owner"], row["dataset"]) for row in rows}
    way = iris(answers.path(ground, key, made)["path"])
    rows = saved(ground, "lineage-between", resource=key, to=made)
    assert {(row["between"], row["derived"]) for row in rows} == {*pairwise(way)}


def test_saved_queries_about_all_lineage_answer_as_the_questions_do(released: Ground) -> None:
    rows = saved(released, "lineage-ends")
    for end, direction in (("root", "upstream"), ("leaf", "downstream")):
        told = iris(answers.ends(released, direction)["found"])
        assert [row["resource"] for row in rows if row["end"] == end] == told
    assert not saved(released, "lineage-circles")
    assert not answers.circles(released)["circles"]
    assert not saved(released, "lineage-dead-ends")
    assert not answers.dead_ends(released)["found"]
    assert not saved(released, "runs-failed")
    assert not failures.spoiled(released)["runs"]
    told = coverage.coverage(released)["areas"]
    assert {
        (row["unit"], *(int(row[name]) for name in ("datasets", "known", "unknown")))
        for row in saved(released, "lineage-of-each-unit")
    } == {(a["iri"], a["datasets"], a["known"], a["unknown"]) for a in told}
    found = {
        kind: {(d["dataset"]["iri"], d["source"]["iri"]) for d in every if d["kind"] == kind}
        for every in [duties.duties(released)["found"]] for kind in ("restricted", "licence")
    }  # fmt: skip
    for name, kind in (
        ("restricted-sources-of-public-data", "restricted"), ("licences-along-lineage", "licence"),
    ):  # fmt: skip
        assert found[kind] <= {(row["dataset"], row["source"]) for row in saved(released, name)}
