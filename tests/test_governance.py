"""What of a record is published: units answer in public, persons never do."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import BASE, lines
from hypothesis import assume, given
from hypothesis import strategies as st

from bilbaokg import assets, settings
from bilbaokg.governance import People, people, public_lines
from bilbaokg.merging import text_of
from bilbaokg.model import Record
from bilbaokg.operations.loading import load
from bilbaokg.terms import (
    ADMS,
    AS,
    DCAT,
    DCT,
    FOAF,
    ORG,
    PROV,
    RDF,
    literal,
    plain,
    ref,
    split_line,
    split_lines,
)
from bilbaokg.terms import PERSONS as PERSON_CLASSES
from bilbaokg.workers import Pool
from bilbaokg.workspace import Workspace, initialise

NS = f"{BASE}/ns#"
ANE, JON = f"<{BASE}/id/agent/ane>", f"<{BASE}/id/agent/jon>"
CITY, PARKS = f"<{BASE}/id/agent/city>", f"<{BASE}/id/unit/parks>"


def record(id: str, turtle: str) -> Record:
    """A record of some Turtle."""
    return Record(id, f"{BASE}/id/{id}", text_of(lines(turtle)), "", 1, "public")


def public(
    said: str, known: People, excluded: frozenset[str] = frozenset()
) -> tuple[list[str], Counter[str]]:
    """What may be published of a dataset's record."""
    return public_lines(record("dataset/a", said), known, excluded, NS)


def membership(person: str, unit: str, end: str = "") -> Record:
    """The record of a person who works, or worked, for a unit."""
    name = person.partition(":")[2]
    return record(
        f"agent/{name}",
        f"""{person} a foaf:Person ; foaf:name "Ane" ; org:hasMembership x:m-{name}-{unit} .
        x:m-{name}-{unit} a org:Membership ; org:member {person} ; org:organization agent:{unit} ;
            org:memberDuring x:t-{name}-{unit} . x:t-{name}-{unit} dct:x 1 {end} .""",
    )


# ---- who the persons are, and for whom they answer


def test_persons_and_their_units() -> None:
    known = people([membership("agent:ane", "city")])
    assert known.persons == {ANE}
    assert known.units == {ANE: CITY}


@pytest.mark.parametrize("end", ["dcat:endDate", "<https://schema.org/endDate>"])
def test_open_membership_wins_over_one_that_ended(end: str) -> None:
    ended = membership("agent:ane", "aaa", f'; {end} "2023-01-01"')
    later = membership("agent:ane", "zzz", f'; {end} "2023-01-01"')
    present = membership("agent:ane", "city")
    for order in ([ended, present, later], [later, ended, present]):
        assert people(order).units == {ANE: CITY}


def test_member_is_taken_for_a_person_unless_it_is_an_organisation() -> None:
    said = """x:m a org:Membership ; org:member {} ; org:organization agent:city ."""
    parks = record("unit/parks", f"<{BASE}/id/unit/parks> a org:OrganizationalUnit .")
    joined = record("agent/city", "agent:city a org:Organization . " + said.format(PARKS))
    assert people([parks, joined]).persons == people([joined, parks]).persons == set()
    unknown = record("agent/city", "agent:city a org:Organization . " + said.format("x:somebody"))
    assert people([unknown]).persons == {"<https://other.example/somebody>"}


@pytest.mark.parametrize("cls", sorted(PERSON_CLASSES))
def test_person_of_any_vocabulary_is_a_person(cls: str) -> None:
    said = f':a a dcat:Dataset ; dct:creator x:jon . x:jon a {cls} ; foaf:name "Jon" .'
    known = people([record("dataset/a", said)])
    assert known.persons == {"<https://other.example/jon>"}
    assert "jon" not in "".join(public(said, known)[0])


def test_one_who_is_person_and_organisation_is_a_person() -> None:
    both = record("agent/ane", "agent:ane a foaf:Person, org:Organization .")
    assert people([both]).persons == {ANE}


# ---- what of a record is public

KNOWN = People(frozenset({ANE, JON}), {ANE: PARKS})
ATTRIBUTION = """:a a dcat:Dataset ; dct:title "A" ; prov:qualifiedAttribution x:role .
    x:role a prov:Attribution ; prov:agent {} ; dcat:hadRole bkg:owner ; adms:status bkg:{} ;
        dct:temporal x:period . x:period a dct:PeriodOfTime ; dcat:startDate "2024-01-01" ."""


def test_attribution_names_the_unit_in_place_of_the_person() -> None:
    published, cut = public(ATTRIBUTION.format("agent:ane", "active"), KNOWN)
    assert published == lines(ATTRIBUTION.format(PARKS, "active"))
    assert not cut


def test_unit_itself_stays_named() -> None:
    said = ATTRIBUTION.format(PARKS, "active")
    assert public(said, KNOWN) == (lines(said), Counter())


def test_person_without_a_unit_is_cut_from_the_attribution() -> None:
    published, cut = public(ATTRIBUTION.format("agent:jon", "active"), KNOWN)
    assert not any("jon" in line for line in published)
    assert cut == Counter({PROV.agent: 1})


@pytest.mark.parametrize("status", ["nominated", "accepted", "declined", "ended"])
def test_only_active_roles_are_public(status: str) -> None:
    published, cut = public(ATTRIBUTION.format("agent:ane", status), KNOWN)
    assert published == lines(':a a dcat:Dataset ; dct:title "A" .')
    assert cut.total() == 8
    assert cut[PROV.qualifiedAttribution] == 1
    assert cut[RDF.type] == 2


def test_period_that_a_public_thing_has_too_stays() -> None:
    said = (
        ATTRIBUTION.format("agent:ane", "ended") + ":a dct:temporal x:period ; dct:issued '2024' ."
    )
    published, _ = public(said, KNOWN)
    assert lines(":a dct:temporal x:period .")[0] in published
    assert any("startDate" in line for line in published)


def test_value_that_a_hidden_thing_has_too_stays() -> None:
    said = ATTRIBUTION.format("agent:ane", "ended").replace("x:period .", "'2024' .", 1)
    published, _ = public(said + ":a dct:temporal '2024' .", KNOWN)
    assert lines(":a dct:temporal '2024' .")[0] in published


APPOINTMENT = """:a a dcat:Dataset ; prov:qualifiedAttribution x:role .
    x:role a prov:Attribution ; prov:agent agent:ane ; adms:status bkg:active ; dct:source x:app .
    x:app a prov:Entity ; prov:wasGeneratedBy x:offer ; prov:wasInfluencedBy x:answer ;
        prov:wasInvalidatedBy x:end ; dct:temporal x:t . x:t dcat:startDate "2024-01-01" .
    x:offer a as:Offer ; prov:wasAssociatedWith agent:jon ; prov:endedAtTime "2024" ;
        as:object x:app ; as:content x:note . x:note x:p x:deep . x:deep dct:title "Ane" .
    x:answer a as:{} ; as:object x:offer . x:end a as:{} ; as:actor agent:ane ."""


@pytest.mark.parametrize(("answer", "end"), [("Accept", "Leave"), ("Reject", "Remove")])
def test_nothing_of_how_an_appointment_came_about_is_public(answer: str, end: str) -> None:
    said = APPOINTMENT.format(answer, end)
    published, cut = public(said, KNOWN)
    assert published == lines(
        f""":a a dcat:Dataset ; prov:qualifiedAttribution x:role .
        x:role a prov:Attribution ; prov:agent {PARKS} ; adms:status bkg:active ."""
    )
    assert cut.total() == len(lines(said)) - len(published)
    assert cut[DCT.source] == cut[PROV.wasAssociatedWith] == 1


def test_dataset_that_an_offer_points_to_stays() -> None:
    said = ":a a dcat:Dataset . x:offer a as:Offer ; as:object :a ."
    assert public(said, KNOWN)[0] == lines(":a a dcat:Dataset .")


def test_run_that_generated_data_is_no_appointment() -> None:
    said = ":a a dcat:Dataset ; prov:wasGeneratedBy x:run . x:run a prov:Activity ."
    assert public(said, KNOWN) == (lines(said), Counter())


def test_statements_about_persons_and_to_what_is_excluded_are_cut_and_counted() -> None:
    said = f""":a a dcat:Dataset ; dct:creator agent:ane ; dct:relation x:internal, x:open ;
        dct:source "{ANE[1:-1]}", "{ANE[1:-1]}"^^xsd:anyURI .
        agent:ane foaf:mbox <mailto:ane@example.org> ."""
    published, cut = public(said, KNOWN, frozenset({"<https://other.example/internal>"}))
    assert published == lines(":a a dcat:Dataset ; dct:relation x:open .")
    assert cut == Counter({DCT.creator: 1, DCT.relation: 1, DCT.source: 2, FOAF.mbox: 1})


def test_record_without_people_is_untouched() -> None:
    said = ':a a dcat:Dataset ; dct:title "Ane" ; dct:publisher agent:city .'
    assert public(said, People()) == (lines(said), Counter())


# ---- for any attributions and memberships

PERSONS = st.sampled_from([f"<{BASE}/id/agent/p{n}>" for n in range(3)])
UNITS = st.sampled_from([f"<{BASE}/id/unit/u{n}>" for n in range(3)])
PARTS = st.sampled_from([f"<{BASE}/id/dataset/a#{n}>" for n in range(5)])
ROOT = st.just(f"<{BASE}/id/dataset/a>")
CLASSES = [PROV.Attribution, ORG.Membership, AS.Offer, AS.Accept, PROV.Entity, FOAF.Person]
STATUSES = [f"{NS}{name}" for name in ("nominated", "active", "ended")]
LINKS = [PROV.agent, PROV.qualifiedAttribution, ORG.member, ORG.organization, DCT.source]
LINKS += [PROV.wasGeneratedBy, DCT.temporal, AS.actor, DCT.creator, ORG.memberDuring]
NODES = PERSONS | UNITS | PARTS | ROOT
STATEMENTS = st.lists(
    st.tuples(PARTS | PERSONS, st.just(ref(RDF.type)), st.sampled_from(CLASSES).map(ref))
    | st.tuples(PARTS, st.just(ref(ADMS.status)), st.sampled_from(STATUSES).map(ref))
    | st.tuples(PARTS, st.just(ref(DCAT.endDate)), st.just('"2024"'))
    | st.tuples(NODES, st.sampled_from(LINKS).map(ref), NODES)
    | st.tuples(NODES, st.just(ref(DCT.identifier)), PERSONS.map(lambda p: literal(plain(p)))),
    max_size=25,
)


@given(STATEMENTS, STATEMENTS)
def test_no_person_survives(
    said: list[tuple[str, str, str]], elsewhere: list[tuple[str, str, str]]
) -> None:
    records = [
        Record(
            id, f"{BASE}/id/{id}", text_of(f"{s} {p} {o} ." for s, p, o in found), "", 1, "public"
        )
        for id, found in (("dataset/a", said), ("dataset/b", elsewhere))
    ]
    known = people(records)
    assume(known.persons)
    for one in records:
        published, cut = public_lines(one, known, frozenset(), NS)
        names = {plain(person) for person in known.persons}
        for statement in map(split_line, published):
            assert not names & set(map(plain, statement))
        assert len(published) + cut.total() == len(split_lines(one.text))


@given(STATEMENTS)
def test_what_is_published_holds_no_role_that_is_not_active(
    said: list[tuple[str, str, str]],
) -> None:
    one = Record(
        "dataset/a",
        f"{BASE}/id/dataset/a",
        text_of(f"{s} {p} {o} ." for s, p, o in said),
        "",
        1,
        "public",
    )
    published, _ = public_lines(one, people([one]), frozenset(), NS)
    kinds = {(s.subject, s.object) for s in map(split_line, published)}
    for subject, object_ in kinds:
        if object_ in (ref(AS.Offer), ref(AS.Accept), ref(ORG.Membership)):
            pytest.fail(f"{subject} is published")
        if object_ == ref(PROV.Attribution):
            statuses = {o for s, o in kinds if s == subject and o in map(ref, STATUSES)}
            assert len(statuses) != 1 or statuses == {ref(f"{NS}active")}


# ---- the demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, pool: Pool) -> Iterator[Workspace]:
    """The demo catalogue, loaded as anybody's."""
    folder = assets.folder("demo")
    script = tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8"))
    data = tmp_path_factory.mktemp("demo") / "data"
    initialise(data, {"base": script["base"]})
    with Workspace(data, settings.read(data, {}), pool) as workspace:
        load(workspace, {"paths": [str(folder / "catalogue")]}, lambda *_: None)
        yield workspace


def test_demo_publishes_units_and_no_person(demo: Workspace) -> None:
    everything = list(demo.records.all())
    known = people(everything)
    assert len(known.persons) == 23
    assert known.units.keys() == known.persons
    namespace = demo.settings.namespace
    active = published_roles = 0
    for one in everything:
        statements = [split_line(line) for line in split_lines(one.text)]
        active += sum(s[1:] == (ref(ADMS.status), ref(f"{namespace}active")) for s in statements)
        if one.visibility == "internal":
            continue
        published, cut = public_lines(one, known, frozenset(), namespace)
        assert len(published) + cut.total() == len(statements)
        for s in map(split_line, published):
            assert not known.persons & set(s)
            assert not any(plain(t).startswith(f"{plain(p)}#") for t in s for p in known.persons)
            assert s.object not in map(ref, (AS.Offer, AS.Accept, AS.Reject, AS.Leave, AS.Remove))
            if s.predicate == ref(PROV.agent):
                assert s.object not in known.persons
            published_roles += s.object == ref(PROV.Attribution)
    assert published_roles == active > 90


def test_demo_keeps_persons_internal(demo: Workspace) -> None:
    found = Counter(one.visibility for one in demo.records.all() if f"<{FOAF.Person}>" in one.text)
    assert found == Counter({"internal": 23})
    assert Path(assets.folder("demo") / "README.md").read_text(encoding="utf-8").count("23 persons")
