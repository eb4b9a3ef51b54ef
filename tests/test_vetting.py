"""What is wrong with a profile is said precisely, and what is in one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from profile_folders import SHAPE, put

from bilbaokg import assets, languages, profiles, vetting
from bilbaokg.errors import NotFound
from bilbaokg.profiles import Shelf
from bilbaokg.workers import Pool


@pytest.mark.parametrize("label", Shelf().labels())
def test_bundled_profile_is_sound(label: str, pool: Pool) -> None:
    assert vetting.faults(label, Shelf(), pool) == []


def test_profile_of_ones_own_is_sound(tmp_path: Path, pool: Pool) -> None:
    assert vetting.faults(str(put(tmp_path / "p")), Shelf(), pool) == []


def test_what_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    for name in ("no-such/1", str(tmp_path / "none")):
        with pytest.raises(NotFound, match="no profile"):
            vetting.faults(name, Shelf())


def wrong(shape: str) -> str:
    return SHAPE.replace("sh:minCount 1", shape)


@pytest.mark.parametrize(
    ("toml", "shapes", "severity", "message"),
    [
        ("gate = ['error']", SHAPE, "violation", "unknown severity 'error'"),
        ("shapes = ['x.ttl']", SHAPE, "violation", "no file matches 'x.ttl'"),
        ("background = ['x.ttl']", SHAPE, "violation", "no file matches 'x.ttl'"),
        ("extends = ['none/1']", SHAPE, "violation", "no profile 'none/1'"),
        ("gate = [", SHAPE, "violation", "not valid TOML"),
        ("source = 'a b'", SHAPE, "warning", "source is no IRI: 'a b'"),
        ("[title]\nqq = 'x'", SHAPE, "warning", "title has the unknown language 'qq'"),
        ("", "<urn:s> a", "violation", ""),
        ("", SHAPE.replace("<urn:p>", "<urn:a b>"), "violation", "Invalid IRI"),
        ("", SHAPE.replace("@es", "@qq-es"), "warning", "unknown language 'qq-es'"),
        ("", wrong('sh:minCount "1"'), "violation", "sh:minCount is no whole number"),
        ("", wrong("sh:minCout 1"), "warning", "sh:minCout is not SHACL"),
        ("", wrong("sh:minCount 1 ; sh:severity sh:Error"), "warning", "unknown severity http://"),
        ("", SHAPE.replace("sh:targetClass <urn:C>", "sh:closed false"), "warning", "no shape has"),
        ("", "<urn:s> a <urn:C> .", "violation", "there are no shapes in it"),
    ],
)
def test_fault_is_named(
    tmp_path: Path, pool: Pool, toml: str, shapes: str, severity: str, message: str
) -> None:
    folder = put(tmp_path / "p", toml, shapes=shapes)
    found = vetting.faults(str(folder), Shelf(), pool)
    assert [fault.severity for fault in found] == [severity]
    assert message in found[0].message
    assert str(folder) in f"{found[0].focus} {found[0].message}"


@pytest.mark.parametrize("shapes", ["<urn:s> a", SHAPE.replace("<urn:p>", "<urn:a b>")])
def test_fault_of_a_file_has_its_line(tmp_path: Path, pool: Pool, shapes: str) -> None:
    folder = put(tmp_path / "p", shapes=f"\n{shapes}")
    (fault,) = vetting.faults(str(folder), Shelf(), pool)
    line = 2 if shapes.startswith("<") else 5
    assert fault.focus == f"{folder / 'shapes.ttl'}:{line}"


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path, pool: Pool) -> None:
    folder = put(tmp_path / "p", one="<", two="<", three=SHAPE)
    found = vetting.faults(str(folder), Shelf(), pool)
    assert [Path(fault.focus or "").name.partition(":")[0] for fault in found] == [
        "one.ttl",
        "two.ttl",
    ]


def test_circle_of_extends_is_named(tmp_path: Path, pool: Pool) -> None:
    for name, other in (("x", "y"), ("y", "x")):
        put(tmp_path / name / "1", f'extends = ["{other}/1"]')
    (fault,) = vetting.faults("x/1", Shelf(tmp_path), pool)
    assert "x/1 > y/1 > x/1" in fault.message


def test_bundled_profile_speaks_all_languages_or_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "folder", lambda name: tmp_path / name)
    shape = "<urn:p> a sh:PropertyShape ; sh:path <urn:p> ; sh:severity sh:Info ; "
    texts = 'sh:name "p"@es, "p"@eu ; sh:message "Falta"@es ; sh:description "x"@es, "x"@eu, "x"@en'
    folder = tmp_path / "shapes" / "x" / "1"
    put(folder, '[title]\nes = "x"', shapes=f"{SHAPE} {shape} {texts} .")
    assert [fault.message for fault in vetting.faults("x", Shelf())] == [
        "title is missing in eu, en",
        "urn:p has no sh:name in en",
        "urn:p has no sh:message in eu, en",
    ]


def test_profile_is_described(tmp_path: Path, pool: Pool) -> None:
    folder = put(
        tmp_path / "mine" / "1",
        'extends = ["dcat-ap/3.0.1"]\ngate = ["warning"]\n[gates]\nfull = []\n[title]\nes = "M"',
    )
    shown = vetting.describe(Shelf(tmp_path).load("mine"), "es", pool)
    whole = vetting.describe(profiles.load("dcat-ap/3.0.1"), "es")
    assert shown["counts"]["shapes"] == whole["counts"]["shapes"] + 1
    assert shown["counts"]["concepts"] == whole["counts"]["concepts"] > 400
    assert (shown["gate"], shown["gates"]) == (["warning"], {"full": []})
    assert (shown["title"], shown["extends"]) == ({"es": "M"}, ["dcat-ap/3.0.1"])
    assert shown["folder"] == str(folder)
    own = [shape for shape in shown["shapes"] if shape["path"] == "urn:p"]
    assert [(s["severity"], s["message"]) for s in own] == [("violation", "Falta")]
    assert "urn:C" in shown["looks_at"]
    named = [shape["shape"] for shape in shown["shapes"]]
    assert "urn:bilbaokg:shapes:dcat-ap:3.0.1#dataset-title-required" in named
    assert "the node with sh:path urn:p under <urn:s>" in named


def test_shapes_are_counted_by_severity() -> None:
    counts = vetting.describe(profiles.load("dcat-ap/3.0.1"), "en")["counts"]
    assert counts["shapes"] == counts["violation"] + counts["warning"] + counts["info"] > 200


@pytest.mark.parametrize("tag", ["es", "eu", "EN", "es-ES", "zh-hant", "ast", "mul"])
def test_language_is_known(tag: str) -> None:
    assert languages.is_known(tag)


@pytest.mark.parametrize("tag", ["", "qq", "esp", "spanish", "x"])
def test_language_is_not_known(tag: str) -> None:
    assert not languages.is_known(tag)
