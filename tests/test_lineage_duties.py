"""Duties along lineage: sources not public, personal, under another licence, or that travel."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from helpers import BASE
from serving import CATALOGUE, initialise, load, operate, published, served

from bilbaokg.errors import BadInput, DutyRefused, NotFound
from bilbaokg.lineage import Graph
from bilbaokg.lineage.duties import Duty, duties, duties_of
from bilbaokg.lineage.ground import Ground
from bilbaokg.store.embedded import EmbeddedStore

EX = "https://data.example/id/"
RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
PREFIXES = f"""
@prefix : <{EX}> . @prefix bkg: <{BASE}/ns#> . @prefix right: <{RIGHTS}> .
@prefix csvw: <http://www.w3.org/ns/csvw#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix dpv: <https://w3id.org/dpv#> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
:public a dcat:Dataset ; dct:accessRights right:PUBLIC .
"""
# Column a of raw -> column b of clean -> column c of mart, which is of the public dataset.
COLUMNS = """
:raw a csvw:Table . :clean a csvw:Table ; prov:wasDerivedFrom :raw .
:mart a csvw:Table ; prov:wasDerivedFrom :clean ; dct:isPartOf :public .
:a a csvw:Column ; dct:isPartOf :raw . :b a csvw:Column ; dct:isPartOf :clean ;
prov:wasDerivedFrom :a . :c a csvw:Column ; dct:isPartOf :mart ; prov:wasDerivedFrom :b .
"""


def ground(turtle: str) -> Ground:
    store = EmbeddedStore()
    graph = ox.NamedNode(f"{BASE}/graph/record/x")
    store.raw.load(PREFIXES + turtle, format=ox.RdfFormat.TURTLE, to_graph=graph)
    return Ground(store, BASE, lambda: Graph.of(store), lang="en")


def found(turtle: str, name: str = "public") -> list[tuple[str, str, list[str]]]:
    """Kind, source and path of what is flagged, in short."""
    return [short(duty) for duty in duties_of(ground(turtle), EX + name)]


def short(duty: Duty) -> tuple[str, str, list[str]]:
    return duty.kind, duty.source.removeprefix(EX), [i.removeprefix(EX) for i in duty.path]


def test_a_source_that_is_not_public_is_told_with_the_way_from_it() -> None:
    turtle = """
    :public prov:wasDerivedFrom :middle . :middle a dcat:Dataset ; prov:wasDerivedFrom :secret .
    :secret a dcat:Dataset ; dct:accessRights right:RESTRICTED .
    """
    assert found(turtle) == [("restricted", "secret", ["secret", "middle", "public"])]


def test_tables_of_a_restricted_dataset_count_at_any_level() -> None:
    turtle = COLUMNS + ":secret a dcat:Dataset ; dct:accessRights right:NON_PUBLIC ."
    turtle += ":raw dct:isPartOf :secret ."
    (duty,) = found(turtle)
    assert duty[:2] == ("restricted", "secret")
    assert duty[2][0] in ("raw", "a")


def test_files_come_from_tables_too() -> None:
    turtle = (
        COLUMNS.replace("dct:isPartOf :public", "dcat:byteSize 1")
        + """
    :public dcat:distribution :file . :file prov:wasDerivedFrom :mart .
    :raw dct:isPartOf :secret . :secret a dcat:Dataset ; dct:accessRights right:RESTRICTED .
    """
    )
    assert found(turtle) == [("restricted", "secret", ["raw", "clean", "mart", "file"])]


@pytest.mark.parametrize("rights", ["right:RESTRICTED", "right:NON_PUBLIC"])
def test_only_public_datasets_are_flagged(rights: str) -> None:
    turtle = f":own a dcat:Dataset ; dct:accessRights {rights} ; prov:wasDerivedFrom :other ."
    turtle += ":other a dcat:Dataset ; dct:accessRights right:RESTRICTED ."
    assert found(turtle, "own") == []


def test_personal_data_are_found_down_to_the_column() -> None:
    turtle = COLUMNS + ":a dpv:hasPersonalData dpv:PersonalData ."
    assert found(turtle) == [("personal", "a", ["a", "b", "c"])]


def test_personal_data_end_where_they_were_made_anonymous() -> None:
    turtle = COLUMNS + ":a dpv:hasPersonalData dpv:PersonalData ."
    assert found(turtle + ":b dpv:hasTechnicalMeasure dpv:Anonymisation .") == []
    # A table that was made anonymous has no column that was not.
    assert found(turtle + ":clean dpv:hasTechnicalMeasure dpv:Anonymisation .") == []
    assert found(turtle + ":public dpv:hasTechnicalMeasure dpv:Anonymisation .") == []
    # A pseudonym is still of a person.
    assert len(found(turtle + ":b dpv:hasTechnicalMeasure dpv:Pseudonymisation .")) == 1


def test_personal_data_of_a_public_dataset_itself_are_told() -> None:
    turtle = COLUMNS + ":c dpv:hasPersonalData dpv:PersonalData ."
    assert found(turtle) == [("personal", "c", ["c"])]


LICENSED = """
:public dcat:distribution :file . :file dct:license :open ; prov:wasDerivedFrom :other .
:other a dcat:Dataset ; dct:license {licence} .
"""


def test_another_licence_is_told_and_the_same_is_not() -> None:
    (duty,) = duties_of(ground(LICENSED.format(licence=":strict")), f"{EX}public")
    assert (short(duty), duty.values) == (
        ("licence", "other", ["other", "file"]), (f"{EX}strict",),
    )  # fmt: skip
    assert found(LICENSED.format(licence=":open")) == []


def test_what_travels_is_inherited_unless_it_is_said() -> None:
    turtle = """
    :pledge a skos:Concept ; bkg:travelsAlong prov:wasDerivedFrom .
    :narrow a skos:Concept ; skos:broader :pledge . :still a skos:Concept .
    :public prov:wasDerivedFrom :other . :other a dcat:Dataset ; dct:subject :narrow, :still .
    """
    assert found(turtle) == [("inherited", "other", ["other", "public"])]
    assert found(turtle + ":public dct:conformsTo :pledge .") == []


def test_the_gravest_stands_first_and_circles_end() -> None:
    turtle = """
    :public dct:license :open ; prov:wasDerivedFrom :x . :x a dcat:Dataset ; dct:license :strict ;
    prov:wasDerivedFrom :y, :public . :y a dcat:Dataset ; dct:accessRights right:RESTRICTED .
    """
    assert [kind for kind, *_ in found(turtle)] == ["restricted", "licence"]


def test_all_datasets_or_one_are_asked() -> None:
    turtle = """
    :public prov:wasDerivedFrom :y . :other a dcat:Dataset ; dct:accessRights right:PUBLIC ;
    prov:wasDerivedFrom :y . :y a dcat:Dataset ; dct:accessRights right:RESTRICTED .
    """
    of = ground(turtle)
    told = duties(of)
    assert (told["count"], told["datasets"], told["complete"]) == (2, 2, True)
    assert [each["dataset"]["iri"] for each in duties(of, f"{EX}other")["found"]] == [f"{EX}other"]
    assert (duties(of, limit=1)["count"], duties(of, limit=1)["complete"]) == (2, False)
    with pytest.raises(BadInput):
        duties(ground(turtle + COLUMNS), f"{EX}mart")
    with pytest.raises(NotFound):
        duties(of, f"{EX}nothing")


# ---- releases

CATALOGUED = (
    CATALOGUE
    + f"""
@prefix prov: <http://www.w3.org/ns/prov#> .
<https://data.example/id/dataset/trees> dct:accessRights <{RIGHTS}PUBLIC> ;
    prov:wasDerivedFrom <https://data.example/id/dataset/noise> .
<https://data.example/id/dataset/noise> dct:accessRights <{RIGHTS}RESTRICTED> .
"""
)


def test_a_release_tells_the_duties_of_its_datasets_and_whom_its_changes_reach(
    tmp_path: Path,
) -> None:
    data = published(tmp_path / "data", CATALOGUED)
    load(data, CATALOGUED.replace("Sonómetros.", "Sonómetros, cada hora."))
    built = operate(data, "release.build", unchecked=True)
    assert built["duties"] == {"count": 1, "datasets": 1}
    # Only the noise changed, and the trees come from it.
    assert built["reached"] == 1


def test_kinds_of_the_settings_stop_a_release_until_they_are_waived(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data", duties=["restricted"])
    load(data, CATALOGUED)
    with pytest.raises(DutyRefused) as refused:
        operate(data, "release.build", unchecked=True)
    (duty,) = refused.value.extra["duties"]
    assert duty["dataset"].endswith("/dataset/trees")
    assert "trees: restricted, from" in str(refused.value)
    built = operate(data, "release.build", unchecked=True, waive="agreed with its owner")
    assert built["waived"] == "agreed with its owner"


def test_other_kinds_do_not_stop_and_unknown_ones_are_named(tmp_path: Path) -> None:
    data = initialise(tmp_path / "other", duties=["personal"])
    load(data, CATALOGUED)
    assert operate(data, "release.build", unchecked=True)["id"] == "r1"
    data = initialise(tmp_path / "wrong", duties=["secret"])
    load(data, CATALOGUED)
    with pytest.raises(BadInput, match="unknown kind 'secret'"):
        operate(data, "release.build", unchecked=True)


def test_the_page_of_a_dataset_says_what_its_sources_ask(tmp_path: Path) -> None:
    with served(published(tmp_path / "data", CATALOGUED)) as server:
        headers = {"Accept": "text/html"}
        page = server.client.get("/en/dataset/trees", headers=headers).text
        told = page.partition('id="duties"')[2].partition("</ul>")[0]
        assert "not public" in told
        assert '<a href="/en/dataset/noise"' in told
        assert 'id="duties"' not in server.client.get("/en/dataset/noise", headers=headers).text
