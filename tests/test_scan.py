"""The structure of databases becomes draft records, and passwords become nothing."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from helpers import BASE, Catalogue
from sqlalchemy import create_engine, text

from bilbaokg.errors import BadInput, NotFound
from bilbaokg.importers import database
from bilbaokg.lineage.names import Name, column_iri, job_iri, table_iri

PROV, CSVW = "http://www.w3.org/ns/prov#", "http://www.w3.org/ns/csvw#"
TABLES = """
create table meters (code text primary key, district text not null);
create table readings (
  id integer primary key, meter text references meters (code), level numeric(6, 2)
);
create view loud as
  select m.district, max(r.level) as top from readings r join meters m on r.meter = m.code
  group by m.district;
create view copied as select * from loud;
"""
SECRET = "s3cr3t/%pass"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "noise.db"
    with sqlite3.connect(path) as opened:
        opened.executescript(TABLES)
    return path


def scanned(catalogue: Catalogue, url: str, *schemas: str, **params: Any) -> dict[str, Any]:
    return catalogue.do("lineage.scan", found=database.scan(url, schemas), **params)


def says(catalogue: Catalogue, subject: str, predicate: str) -> list[str]:
    found = catalogue.workspace.store.match(f"<{subject}>", f"<{predicate}>")
    return sorted({o for *_, o, g in found if "/graph/record/" in g})


def texts(catalogue: Catalogue) -> dict[str, str]:
    return {record.id: record.text for record in catalogue.records.all()}


def test_tables_columns_types_and_keys_are_internal_records(
    catalogue: Catalogue, file: Path
) -> None:
    done = scanned(catalogue, f"sqlite:///{file}")
    assert (done["tables"], done["columns"], done["foreign_keys"], done["views"]) == (4, 9, 1, 2)
    assert done["problems"] == []
    space = f"sqlite://{file}"
    readings, meters = (table_iri(BASE, Name(space, name)) for name in ("readings", "meters"))
    level = column_iri(BASE, readings, "level")
    assert says(catalogue, level, "https://schema.org/additionalType") == ['"NUMERIC(6, 2)"']
    assert says(catalogue, f"{meters}#schema", f"{CSVW}primaryKey") == ['"code"']
    [key] = says(catalogue, f"{readings}#schema", f"{CSVW}foreignKey")
    assert says(catalogue, key[1:-1], f"{CSVW}columnReference") == ['"meter"']
    [there] = says(catalogue, key[1:-1], f"{CSVW}reference")
    assert says(catalogue, there[1:-1], f"{CSVW}resource") == [f"<{meters}>"]
    tables = [record for record in catalogue.records.all() if record.id.startswith("table/")]
    assert {record.visibility for record in tables} == {"internal"}
    told = [e.detail.get("internal", 0) for e in catalogue.records.audit.events()]
    assert sum(told) == len(tables)


def test_columns_of_views_come_from_those_that_their_sql_reads(
    catalogue: Catalogue, file: Path
) -> None:
    scanned(catalogue, f"sqlite:///{file}")
    space = f"sqlite://{file}"
    loud, readings = (table_iri(BASE, Name(space, name)) for name in ("loud", "readings"))
    copied = table_iri(BASE, Name(space, "copied"))
    derived = f"{PROV}wasDerivedFrom"
    top = column_iri(BASE, loud, "top")
    assert says(catalogue, top, derived) == [f"<{column_iri(BASE, readings, 'level')}>"]
    assert says(catalogue, column_iri(BASE, copied, "top"), derived) == [f"<{top}>"]
    job = job_iri(BASE, Name("scan", "loud"))
    assert says(catalogue, job, "https://schema.org/result") == [f"<{loud}>"]


def test_the_same_database_again_changes_nothing(catalogue: Catalogue, file: Path) -> None:
    scanned(catalogue, f"sqlite:///{file}")
    before = texts(catalogue)
    again = scanned(catalogue, f"sqlite:///{file}")
    assert again["records"] == {"new": 0, "changed": 0, "gone": 0}
    assert texts(catalogue) == before


def test_no_table_of_a_scan_is_public_at_any_moment(catalogue: Catalogue, file: Path) -> None:
    seen: list[set[str]] = []

    def look(_: object) -> None:
        tables = [record for record in catalogue.records.all() if record.id.startswith("table/")]
        seen.append({record.visibility for record in tables})

    catalogue.workspace.store.watchers.append(look)
    scanned(catalogue, f"sqlite:///{file}")
    assert {"internal"} in seen
    assert set().union(*seen) == {"internal"}


def test_what_stewards_set_public_stays_so(catalogue: Catalogue, file: Path) -> None:
    scanned(catalogue, f"sqlite:///{file}")
    iri = table_iri(BASE, Name(f"sqlite://{file}", "meters"))
    catalogue.do("visibility", iri=iri, to="public")
    scanned(catalogue, f"sqlite:///{file}")
    home = catalogue.records.home(f"<{iri}>")
    assert home is not None
    assert catalogue.records.get(home.id).visibility == "public"


def test_a_view_that_is_dropped_takes_its_job_and_its_table_is_told(
    catalogue: Catalogue, file: Path
) -> None:
    scanned(catalogue, f"sqlite:///{file}")
    with sqlite3.connect(file) as opened:
        opened.execute("drop view copied")
    done = scanned(catalogue, f"sqlite:///{file}")
    assert done["records"]["gone"] == 2
    assert [problem["title"] for problem in done["problems"]] == ["copied"]
    copied = table_iri(BASE, Name(f"sqlite://{file}", "copied"))
    assert says(catalogue, copied, f"{PROV}wasDerivedFrom") == []


def test_a_scan_writes_nothing_into_the_database_and_makes_none(tmp_path: Path, file: Path) -> None:
    before = file.read_bytes()
    database.scan(f"sqlite:///{file}")
    assert file.read_bytes() == before
    with pytest.raises(NotFound):
        database.scan(f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()


def test_odd_names_are_names(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with sqlite3.connect(path) as opened:
        opened.execute('create table "a ""b"" / ; drop" ("c.d" int, "ñ" text)')
    done = scanned(catalogue, f"sqlite:///{path}")
    assert (done["tables"], done["columns"]) == (1, 2)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("::", "no address"),
        ("abacus://h/d", "no database 'abacus'"),
        (f"postgresql+pg8000://u:{SECRET.replace('/', '%2F')}@127.0.0.1:1/d", "cannot be read"),
        ("mysql+mysqldb://u:s3cr3t@h/d", "driver is not installed"),
    ],
)
def test_what_cannot_be_scanned_is_told_without_the_password(url: str, told: str) -> None:
    with pytest.raises(BadInput) as error:
        database.scan(url)
    assert told in str(error.value)
    assert error.value.hint
    assert "s3cr3t" not in f"{error.value} {error.value.problem()}"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.db"
    wrong.write_text("no database at all\n" * 100)
    with pytest.raises(BadInput, match="cannot be read"):
        database.scan(f"sqlite:///{wrong}")


def test_an_unknown_schema_is_refused_with_those_that_are_there(file: Path) -> None:
    with pytest.raises(NotFound) as error:
        database.scan(f"sqlite:///{file}", ["mart"])
    assert "main" in (error.value.hint or "")


def test_the_address_may_come_from_the_environment_and_is_shown_nowhere(
    tmp_path: Path, file: Path
) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bilbaokg", *words, "--data", str(tmp_path / "data")]
        given = {**os.environ, "NOISE": f"sqlite:///{file}"}
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)

    assert run("init", "--base", BASE).returncode == 0
    done = run("lineage", "scan", "--url-from", "NOISE")
    assert (done.returncode, "4 tables" in done.stdout) == (0, True), done.stderr
    for words in ((), ("--url-from", "UNSET"), ("sqlite:///x", "--url-from", "NOISE")):
        refused = run("lineage", "scan", *words)
        assert refused.returncode == 2
        assert "hint" in refused.stderr


# ---- PostgreSQL itself


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of a server of its own, with a password."""
    found = [shutil.which("initdb"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    binaries = [Path(path).resolve().parent for path in found if path]
    if not binaries:
        pytest.skip("PostgreSQL is not installed")
    # Not in the folder of the test: that is closed to the user as whom the server runs.
    with tempfile.TemporaryDirectory(prefix="bilbaokg-postgres-") as folder:
        yield from started(binaries[-1], Path(folder))


def started(binaries: Path, place: Path) -> Iterator[str]:
    port, as_user = free_port(), []
    (place / "password").write_text(SECRET)
    if os.getuid() == 0:
        # It refuses to run as root.
        as_user = ["setpriv", "--reuid", "nobody", "--clear-groups"]
        for path in (place, place / "password"):
            shutil.chown(path, "nobody")

    def run(program: str, *words: str) -> None:
        command = [*as_user, binaries / program, "-D", place / "data", *words]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, cwd=place, **quiet)

    given = ("-U", "steward", "-A", "scram-sha-256", f"--pwfile={place / 'password'}")
    run("initdb", *given, "-E", "UTF8", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {place} -F"
    run("pg_ctl", "-w", "-l", str(place / "log"), "-o", options, "start")
    try:
        password = quote(SECRET, safe="")
        yield f"postgresql+pg8000://steward:{password}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.peers
def test_postgresql_tells_schemas_comments_keys_and_views(
    catalogue: Catalogue, postgres: str
) -> None:
    engine = create_engine(postgres)
    with engine.begin() as connection:
        for statement in TABLES.split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
        for statement in (
            "comment on table readings is 'What the meters send.'",
            "comment on column readings.level is 'In decibels.'",
            "create schema mart",
            "create materialized view mart.daily as select district, top as loudest from loud",
        ):
            connection.execute(text(statement))
    engine.dispose()
    done = scanned(catalogue, postgres)
    assert done["problems"] == []
    assert (done["tables"], done["views"], done["foreign_keys"]) == (5, 3, 1)
    port = postgres.rpartition(":")[2].partition("/")[0]
    space = f"postgres://127.0.0.1:{port}"

    def table(name: str) -> str:
        return table_iri(BASE, Name(space, f"postgres.{name}"))

    readings = table("public.readings")
    level = column_iri(BASE, readings, "level")
    described = "http://purl.org/dc/terms/description"
    assert says(catalogue, readings, described) == ['"What the meters send."']
    assert says(catalogue, level, described) == ['"In decibels."']
    loudest = column_iri(BASE, table("mart.daily"), "loudest")
    top = column_iri(BASE, table("public.loud"), "top")
    assert says(catalogue, loudest, f"{PROV}wasDerivedFrom") == [f"<{top}>"]
    assert says(catalogue, top, f"{PROV}wasDerivedFrom") == [f"<{level}>"]
    # One schema alone leaves the others as they are.
    again = scanned(catalogue, postgres, "mart")
    assert again["records"] == {"new": 0, "changed": 0, "gone": 0}
    dumped = "\n".join(f"{s} {p} {o}" for s, p, o, _ in catalogue.workspace.store.match())
    assert SECRET not in dumped
    assert "s3cr3t" not in dumped
    assert "steward" not in dumped
