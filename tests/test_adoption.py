"""Taking in profiles: whole or not at all, checked before, found afterwards by every way in."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import Catalogue
from profile_folders import SHAPE, put

from bilbaokg.adoption import plan
from bilbaokg.errors import BadInput, Conflict, GateRefused, Invalid, NotFound, UnsupportedFormat
from bilbaokg.profiles import Shelf

RDF_XML = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns:sh="http://www.w3.org/ns/shacl#">
  <sh:NodeShape rdf:about="urn:s"><sh:targetClass rdf:resource="urn:C"/></sh:NodeShape>
</rdf:RDF>"""


def add(catalogue: Catalogue, path: Path, **options: str) -> str:
    return str(catalogue.do("profile.add", path=str(path), **options)["profile"])


def files(catalogue: Catalogue) -> list[str]:
    own = catalogue.workspace.data / "profiles"
    return sorted(f.relative_to(own).as_posix() for f in own.rglob("*") if f.is_file())


def test_folder_becomes_a_profile_with_the_files_that_it_uses(catalogue: Catalogue) -> None:
    folder = put(catalogue.folder / "work", 'name = "city"\nversion = "2"', a=SHAPE)
    (folder / "notes.txt").write_text("not part of it")
    (folder / "background").mkdir()
    (folder / "background" / "terms.ttl").write_text("<urn:c> a <urn:C> .")
    (folder / "profile.toml").write_text(
        'name = "city"\nversion = "2"\nbackground = ["background/*.ttl"]'
    )
    assert add(catalogue, folder) == "city/2"
    assert files(catalogue) == [
        "city/2/a.ttl", "city/2/background/terms.ttl", "city/2/profile.toml",
    ]  # fmt: skip
    assert catalogue.workspace.shelf.named("city").background[0].name == "terms.ttl"


@pytest.mark.parametrize(
    ("name", "content", "label"),
    [("My Shapes.ttl", SHAPE, "my-shapes/1"), ("x[1].rdf", RDF_XML, "x-1/1")],
)
def test_lone_file_becomes_a_profile(
    catalogue: Catalogue, name: str, content: str, label: str
) -> None:
    file = catalogue.folder / name
    file.write_text(content)
    assert add(catalogue, file) == label
    assert catalogue.workspace.shelf.named(label).shapes[0].read_text() == content


def test_folder_without_a_profile_file_becomes_a_profile(catalogue: Catalogue) -> None:
    folder = put(catalogue.folder / "official", one=SHAPE, two=SHAPE)
    (folder / "profile.toml").unlink()
    assert add(catalogue, folder, name="theirs", version="3.0") == "theirs/3.0"
    assert [f.name for f in catalogue.workspace.shelf.named("theirs").shapes] == [
        "one.ttl",
        "two.ttl",
    ]


def test_adding_it_again_changes_nothing(catalogue: Catalogue) -> None:
    folder = put(catalogue.folder / "city" / "1")
    before = add(catalogue, folder), catalogue.hash()
    done = catalogue.do("profile.add", path=str(folder))
    assert (done["profile"], catalogue.hash()) == before
    assert done["added"] is False


def test_another_profile_of_the_same_label_is_refused(catalogue: Catalogue) -> None:
    folder = put(catalogue.folder / "city" / "1")
    add(catalogue, folder)
    put(folder, shapes=f"{SHAPE}\n")
    before = files(catalogue)
    with pytest.raises(Conflict, match="another profile city/1"):
        add(catalogue, folder)
    assert files(catalogue) == before
    assert add(catalogue, folder, version="2") == "city/2"


def test_bundled_profile_is_not_replaced(catalogue: Catalogue) -> None:
    with pytest.raises(Conflict, match="another profile dcat-ap"):
        add(catalogue, put(catalogue.folder / "x"), name="dcat-ap", version="3.0.1")
    assert files(catalogue) == []


def test_profile_that_cannot_be_used_is_refused_and_leaves_nothing(catalogue: Catalogue) -> None:
    folder = put(catalogue.folder / "x", shapes="<urn:s> a")
    with pytest.raises(Invalid) as caught:
        add(catalogue, folder)
    assert caught.value.where == f"{folder / 'shapes.ttl'}:1"
    assert files(catalogue) == []


@pytest.mark.parametrize(("option", "value"), [("name", "../x"), ("version", "1/2"), ("name", "X")])
def test_name_that_is_no_folder_of_its_own_is_refused(
    catalogue: Catalogue, option: str, value: str
) -> None:
    with pytest.raises(BadInput, match=f"cannot be the {option}"):
        add(catalogue, put(catalogue.folder / "x"), **{option: value})


@pytest.mark.parametrize("parent", ["{path}", "city", "city/1"])
def test_profile_builds_on_what_is_there_and_not_on_itself(
    catalogue: Catalogue, parent: str
) -> None:
    other = put(catalogue.folder / "other")
    folder = put(catalogue.folder / "x", f'extends = ["{parent.format(path=other)}"]')
    with pytest.raises((Invalid, NotFound)):
        add(catalogue, folder, name="city", version="1")
    assert files(catalogue) == []


def test_new_version_may_extend_the_one_before(catalogue: Catalogue) -> None:
    add(catalogue, put(catalogue.folder / "city" / "1"))
    later = put(catalogue.folder / "city" / "2", 'extends = ["city/1"]')
    assert add(catalogue, later) == "city/2"
    assert len(catalogue.workspace.shelf.named("city").shapes) == 2
    with pytest.raises(Invalid, match="without a version"):
        add(catalogue, put(catalogue.folder / "city" / "3", 'extends = ["city"]'))


def test_file_of_no_rdf_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(SHAPE)
    with pytest.raises(UnsupportedFormat):
        plan(tmp_path / "x.txt", Shelf(), name=None, version=None)


def test_what_a_kill_left_is_removed(catalogue: Catalogue) -> None:
    put(catalogue.workspace.data / "profiles" / ".adding-1")
    add(catalogue, put(catalogue.folder / "city" / "1"))
    assert files(catalogue) == ["city/1/profile.toml", "city/1/shapes.ttl"]


def test_adding_is_told_to_the_audit(catalogue: Catalogue) -> None:
    add(catalogue, put(catalogue.folder / "city" / "1"))
    last = catalogue.records.audit.last()
    assert last is not None
    assert (last.kind, last.subject) == ("profile.add", "city/1")


# ---- a release under a profile of one's own

DATASET = ':noise a dcat:Dataset ; dct:title "Ruido"@es ; dct:description "Todo"@es .'
STRICT = SHAPE.replace("<urn:C>", "<http://www.w3.org/ns/dcat#Dataset>").replace(
    "sh:minCount 1", "sh:minCount 1 ; sh:severity sh:Warning"
)


@pytest.mark.parametrize(
    ("toml", "gates", "stops"),
    [
        ("", {}, False),
        ('gate = ["warning"]', {}, True),
        ('[gates]\ndcat-ap = ["warning"]', {}, True),
        ('gate = ["warning"]', {"city": {"": ()}}, False),
        ("", {"city/1": {"full": ("warning",)}}, True),
    ],
)
def test_gate_of_a_profile_of_ones_own_decides_on_a_release(
    catalogue: Catalogue, toml: str, gates: dict[str, dict[str, tuple[str, ...]]], stops: bool
) -> None:
    catalogue.load(DATASET)
    add(catalogue, put(catalogue.folder / "city" / "1", toml, shapes=STRICT))
    catalogue.workspace.shelf = Shelf(catalogue.workspace.shelf.own, gates)
    if stops:
        with pytest.raises(GateRefused):
            catalogue.do("release.build", profile="city")
        return
    built = catalogue.workspace.releases.get(catalogue.do("release.build", profile="city")["id"])
    assert built.manifest["content"]["profile"] == "city/1"
    assert built.manifest["content"]["gate"] == ([] if gates else ["violation"])
