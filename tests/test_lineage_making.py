"""By which job things are made of others: what pipelines and what people say of it."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from bilbaokg.lineage import Makers, Making
from bilbaokg.store.embedded import EmbeddedStore

EX = "https://data.example/id/"
PREFIXES = f"""
@prefix : <{EX}> . @prefix bkg: <https://data.example/ns#> .
@prefix csvw: <http://www.w3.org/ns/csvw#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix schema: <https://schema.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
JOB = "a prov:Plan ; schema:object :raw ; schema:result :mart ."


def run(name: str, day: int, job: str = "job", more: str = "") -> str:
    return (
        f":{name} a prov:Activity ; prov:endedAtTime '2026-11-{day:02}T03:00:00Z'^^xsd:dateTime ;"
        f" prov:qualifiedAssociation :{name}-plan {more} . :{name}-plan prov:hadPlan :{job} ."
    )


def makers(turtle: str) -> Makers:
    store = EmbeddedStore()
    store.raw.load(PREFIXES + turtle, format=ox.RdfFormat.TURTLE)
    return Makers(store)


def told(turtle: str, source: str = "raw", target: str = "mart") -> list[Making]:
    return makers(turtle).of(EX + source, EX + target)


READ = "; prov:used :raw ; prov:generated :mart"


def test_a_job_that_reads_the_one_and_writes_the_other_makes_it() -> None:
    assert told(f":job {JOB}") == [Making(job=f"{EX}job")]


def test_the_latest_run_of_a_job_says_when() -> None:
    (making,) = told(f":job {JOB} {run('r1', 3, more=READ)} {run('r2', 5, more=READ)}")
    assert (making.job, making.run, making.at) == (f"{EX}job", f"{EX}r2", "2026-11-05T03:00:00Z")
    assert making.state == "done"


@pytest.mark.parametrize(
    ("status", "state"), [("Failed", "failed"), ("Active", "active"), ("Completed", "done")]
)
def test_how_the_run_ended_is_told(status: str, state: str) -> None:
    more = f"{READ} ; schema:actionStatus schema:{status}ActionStatus"
    assert [m.state for m in told(run("r", 3, more=more))] == [state]


def test_runs_that_read_something_else_do_not_count() -> None:
    assert told(run("r", 3, more="; prov:used :other ; prov:generated :mart")) == []


def test_what_people_say_of_a_run_counts_the_same() -> None:
    said = ":mart prov:wasGeneratedBy :r ."
    assert [m.run for m in told(run("r", 3, more="; prov:used :raw") + said)] == [f"{EX}r"]
    # A run of which nobody says what it read is the best that is known.
    assert [m.run for m in told(run("r", 3) + said)] == [f"{EX}r"]


def test_a_step_within_one_run_is_made_by_that_run() -> None:
    steps = run("r", 3, more="; prov:used :raw ; prov:generated :clean, :mart")
    assert [m.run for m in told(steps, "clean")] == [f"{EX}r"]


COLUMNS = """
:a a csvw:Column ; dct:isPartOf :raw . :b a csvw:Column ; dct:isPartOf :mart ;
prov:wasDerivedFrom :a ; prov:qualifiedDerivation :how . :mart prov:wasDerivedFrom :raw .
:how prov:entity :a ; bkg:transformation "Mean"@en, "Media"@es ;
"""


def test_a_column_tells_how_and_its_table_tells_when() -> None:
    turtle = COLUMNS + f"dct:source :job . :job {JOB} {run('r', 3, more=READ)}"
    turtle += run("other", 9, "another", READ)
    (making,) = told(turtle, "a", "b")
    assert making.how == ({"en": "Mean", "es": "Media"},)
    assert (making.job, making.run) == (f"{EX}job", f"{EX}r")


def test_an_activity_of_a_derivation_is_a_run_of_its_job() -> None:
    (making,) = told(COLUMNS + f"prov:hadActivity :r . {run('r', 3)}", "a", "b")
    assert (making.job, making.run) == (f"{EX}job", f"{EX}r")


def test_a_dataset_is_made_by_what_makes_its_tables() -> None:
    parts = ":raw dct:isPartOf :d1 . :mart dct:isPartOf :d2 ; prov:wasDerivedFrom :raw ."
    assert told(f"{parts} :job {JOB}", "d1", "d2") == [Making(job=f"{EX}job")]
    assert told(f"{parts} :job {JOB}", "d2", "d1") == []


def test_of_two_jobs_the_one_that_ran_last_stands_first() -> None:
    turtle = run("r1", 3, "old", READ) + run("r2", 5, "new", READ)
    assert [m.job for m in told(turtle)] == [f"{EX}new", f"{EX}old"]
