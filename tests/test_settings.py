"""Settings: defaults, the file, the environment, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bilbaokg import settings
from bilbaokg.errors import BadInput
from bilbaokg.settings import MIB, Settings


def in_file(folder: Path, text: str) -> Path:
    (folder / settings.FILE).write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    assert settings.read(None, {}) == settings.read(tmp_path, {}) == Settings()


def test_default_host_belongs_to_nobody() -> None:
    assert Settings().base.endswith(".example")
    assert Settings().namespace == f"{Settings().base}/ns#"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    values = {
        "base": "https://datos.example.org/kg",
        "title": {"es": "Catálogo", "eu": "Katalogoa"},
        "page_size": 50,
        "query_seconds": 2.5,
        "review_required": True,
        "internal_kinds": ["table", "column"],
    }
    settings.write(tmp_path, values)
    read = settings.read(tmp_path, {})
    assert {name: getattr(read, name) for name in values} == {
        **values,
        "internal_kinds": ("table", "column"),
    }
    assert [file.name for file in tmp_path.iterdir()] == [settings.FILE]


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    in_file(tmp_path, 'page_size = 10\nbase = "https://a.example"')
    read = settings.read(
        tmp_path,
        {
            "BILBAOKG_PAGE_SIZE": "20",
            "BILBAOKG_REVIEW_REQUIRED": "true",
            "BILBAOKG_QUERY_SECONDS": "1.5",
            "BILBAOKG_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
            "BILBAOKG_INTERNAL_KINDS": "",
            "BILBAOKG_TITLE": "Datos",
        },
    )
    assert (read.page_size, read.base) == (20, "https://a.example")
    assert (read.review_required, read.query_seconds) == (True, 1.5)
    assert read.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert read.internal_kinds == ()
    assert read.title == {"es": "Datos"}


def test_other_variables_of_the_program_are_no_settings() -> None:
    assert settings.read(None, {"BILBAOKG_DATA": "/x", "BILBAOKG_REFERENCE": "/y"}) == Settings()


def test_unknown_setting_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unknown setting 'bsae'") as error:
        settings.read(in_file(tmp_path, 'bsae = "https://a.example"'), {})
    assert error.value.where == str(tmp_path / settings.FILE)
    assert "base, public_url" in str(error.value.hint)


@pytest.mark.parametrize("text", ["base = ", "\xff"])
def test_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / settings.FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match="not valid TOML") as error:
        settings.read(tmp_path, {})
    assert error.value.where == str(tmp_path / settings.FILE)


@pytest.mark.parametrize("name", ["base", "public_url"])
@pytest.mark.parametrize(
    "value",
    [
        "not an iri",
        "ftp://a.example",
        "urn:x:y",
        "https://a.example/",
        "https:a.example",
        "https://[",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://a.example:99999",
        "https://user:secret@a.example",
        "https://:80",
        "",
    ],
)
def test_addresses_that_cannot_begin_an_iri_are_refused(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=name) as error:
        settings.read(None, {f"BILBAOKG_{name.upper()}": value})
    assert error.value.where == "environment"


@pytest.mark.parametrize(
    "line",
    [
        "page_size = 0",
        "page_size = 1.5",
        'page_size = "many"',
        "page_size = true",
        "workers = -1",
        "file_limit = 0",
        "body_limit = []",
        f"memory_limit = {1024 * MIB - 1}",
        "query_seconds = 0",
        "query_seconds_token = -1",
        "group_seconds = nan",
        'review_required = "yes"',
        "review_required = 1",
        "base = 5",
        "profile = ['a']",
        "internal_kinds = 3",
        "internal_kinds = [1]",
        "title = 3",
        "title = {es = 1}",
        "title = {}",
        'title = "  "',
        'internal_kinds = ["tables"]',
        "page_size = 100001",
        "workers = 65",
        f"memory_limit = {1 << 63}",
        "query_seconds = inf",
    ],
)
def test_values_of_the_wrong_kind_are_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match=line.partition(" ")[0]):
        settings.read(in_file(tmp_path, line), {})


@pytest.mark.parametrize(("name", "value"), [("PAGE_SIZE", "1.5"), ("REVIEW_REQUIRED", "yes")])
def test_variables_of_the_wrong_kind_are_refused(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"{name.lower()} = '{value}'"):
        settings.read(None, {f"BILBAOKG_{name}": value})


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("page_size = 1.5", "a whole number"),
        ("review_required = 1", "true or false"),
        ("internal_kinds = [1]", "a list of texts"),
        ("title = 3", "by language"),
        ('internal_kinds = ["tables"]', "table, column"),
    ],
)
def test_what_is_refused_comes_with_what_to_write(tmp_path: Path, line: str, hint: str) -> None:
    with pytest.raises(BadInput) as error:
        settings.read(in_file(tmp_path, line), {})
    assert hint in str(error.value.hint)


def test_a_whole_number_of_seconds_is_a_number(tmp_path: Path) -> None:
    seconds: Any = settings.read(in_file(tmp_path, "query_seconds = 3"), {}).query_seconds
    assert seconds == 3.0
    assert isinstance(seconds, float)


GATES = {"dcat-ap": {"": ("violation", "warning")}, "city/1": {"full": (), "dcat-ap": ("info",)}}


def test_gates_are_given_by_profile_and_target(tmp_path: Path) -> None:
    table = '"dcat-ap" = ["violation", "warning"]\n"city/1" = { full = [], dcat-ap = ["info"] }'
    assert settings.read(in_file(tmp_path, f"[gates]\n{table}"), {}).gates == GATES
    line = f"{{ {table.replace(chr(10), ', ')} }}"
    assert settings.read(None, {"BILBAOKG_GATES": line}).gates == GATES


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("violation", "no table of severities"),
        ("['violation']", "no table of severities"),
        ("{ dcat-ap = 'violation' }", "no table of severities"),
        ("{ dcat-ap = ['error'] }", "no list of severities"),
        ("{ dcat-ap = { full = 'violation' } }", "no list of severities"),
    ],
)
def test_gates_of_the_wrong_kind_are_refused(value: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        settings.read(None, {"BILBAOKG_GATES": value})
