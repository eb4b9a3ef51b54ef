"""Profiles: found by name, label and path; newest version; extended; clear about what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilbaokg import assets, profiles
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.model import SEVERITIES

SHAPE = "<urn:s> a <http://www.w3.org/ns/shacl#NodeShape> .\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shapes folder and an ontology folder of the test's own."""
    for name in ("shapes", "ontology/authority"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "ontology" / "authority" / "b.ttl").write_text("")
    (tmp_path / "ontology" / "authority" / "a.ttl").write_text("")
    (tmp_path / "ontology" / "terms.ttl").write_text("")
    monkeypatch.setattr(assets, "folder", lambda name: tmp_path / name)
    return tmp_path / "shapes"


def put(shelf: Path, label: str, toml: str = "") -> Path:
    folder = shelf / label
    folder.mkdir(parents=True)
    (folder / "profile.toml").write_text(toml)
    (folder / "shapes.ttl").write_text(SHAPE)
    return folder


def test_bundled_profile_says_what_it_is() -> None:
    profile = profiles.load("dcat-ap/3.0.1")
    assert (profile.name, profile.version, profile.label) == ("dcat-ap", "3.0.1", "dcat-ap/3.0.1")
    assert sorted(profile.title) == ["en", "es", "eu"]
    assert profile.gate == {"violation"}
    assert profile.background
    assert all(file.is_file() for file in (*profile.shapes, *profile.background))


@pytest.mark.parametrize("profile", profiles.available(), ids=lambda p: p.label)
def test_available_profile_loads_by_its_label(profile: profiles.Profile) -> None:
    assert profiles.load(profile.label) == profile
    assert profile.gate <= set(SEVERITIES)


@pytest.mark.parametrize("profile", profiles.available(), ids=lambda p: p.label)
def test_available_profile_stands_in_the_reference(profile: profiles.Profile) -> None:
    page = Path(__file__).parents[1] / "docs" / "reference" / "profiles.md"
    assert f"| `{profile.label}` |" in page.read_text(encoding="utf-8")


def test_name_alone_takes_the_newest_version(shelf: Path) -> None:
    for version in ("3.0.9", "3.0.10", "2.1.1"):
        put(shelf, f"x/{version}")
    assert profiles.load("x").version == "3.0.10"
    assert [p.version for p in profiles.available()] == ["2.1.1", "3.0.9", "3.0.10"]


def test_unknown_name_lists_what_is_available(shelf: Path) -> None:
    put(shelf, "x/1.0")
    with pytest.raises(NotFound, match="no profile 'y'") as caught:
        profiles.load("y")
    assert "x/1.0" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["../x", "x/..", "/x", "x/1.0/..", "X", "", "x\x00"])
def test_name_never_leaves_the_shapes_folder(shelf: Path, name: str) -> None:
    put(shelf, "x/1.0")
    with pytest.raises(NotFound):
        profiles.load(name)
    with pytest.raises(NotFound):
        profiles.Shelf(shelf).named(name)


# ---- the city's own


def test_own_profiles_stand_beside_the_bundled_ones(shelf: Path, tmp_path: Path) -> None:
    put(shelf, "x/1.0")
    own = tmp_path / "own"
    put(own, "x/2.0", 'extends = ["x/1.0"]')
    put(own, "city/1")
    known = profiles.Shelf(own)
    assert known.labels() == ["city/1", "x/1.0", "x/2.0"]
    assert known.load("x").version == known.named("x").version == "2.0"
    assert profiles.load("x").version == "1.0"


def test_bundled_profile_stands_before_an_own_one_of_its_label(shelf: Path, tmp_path: Path) -> None:
    bundled = put(shelf, "x/1.0")
    put(tmp_path / "own", "x/1.0")
    assert profiles.Shelf(tmp_path / "own").load("x").folder == bundled


def test_a_name_from_the_network_is_never_a_path(shelf: Path, tmp_path: Path) -> None:
    put(tmp_path, "loose/1")
    with pytest.raises(NotFound, match="no profile"):
        profiles.Shelf(tmp_path / "own").named(str(tmp_path / "loose" / "1"))


def test_folder_anywhere_is_called_as_it_says_or_as_its_folders_say(
    shelf: Path, tmp_path: Path
) -> None:
    said = put(tmp_path, "work/mine", 'name = "city"\nversion = "2"')
    assert profiles.load(said).label == "city/2"
    assert profiles.load(put(tmp_path, "work/plain")).label == "plain/local"
    assert profiles.load(put(tmp_path, "other/1.2")).label == "other/1.2"


@pytest.mark.parametrize("toml", ['name = "../x"', 'version = "1/2"', 'name = ""'])
def test_name_that_a_folder_cannot_have_is_refused(shelf: Path, tmp_path: Path, toml: str) -> None:
    with pytest.raises(BadInput, match="cannot be its"):
        profiles.load(put(tmp_path, "work/mine", toml))


def test_background_is_the_profiles_own_before_that_of_the_ontology(shelf: Path) -> None:
    folder = put(shelf, "x/1.0", 'background = ["terms.ttl"]')
    (folder / "terms.ttl").write_text("")
    assert profiles.load("x").background == (folder / "terms.ttl",)


# ---- gates


GATES = 'gate = ["violation"]\n[gates]\nfull = []\ndcat-ap = ["violation", "warning"]'


def test_release_is_stopped_by_the_gate_of_any_target(shelf: Path) -> None:
    put(shelf, "x/1.0", GATES)
    put(shelf, "y/1.0", f'targets = ["full"]\n{GATES}'.replace("dcat-ap = ", "# "))
    assert profiles.load("x").stops == {"violation", "warning"}
    assert profiles.load("y").stops == set()


def test_profile_aimed_at_a_target_has_its_gate_alone(shelf: Path) -> None:
    put(shelf, "x/1.0", GATES)
    profile = profiles.load("x")
    assert profiles.aimed(profile, None) is profile
    assert profiles.aimed(profile, "full").stops == set()
    assert profiles.aimed(profile, "ckan").stops == {"violation"}
    with pytest.raises(BadInput, match="not made for the target 'ckan'"):
        profiles.aimed(profiles.aimed(profile, "full"), "ckan")


def test_settings_give_profiles_other_gates(shelf: Path) -> None:
    put(shelf, "x/1.0", GATES)
    put(shelf, "x/2.0", GATES)
    known = profiles.Shelf(None, {"x/2.0": {"": ("info",)}, "x": {"ckan": ("info",)}})
    assert known.load("x/2.0").stops == {"info"}
    assert known.load("x/1.0").gates["ckan"] == {"info"}
    assert known.load("x/1.0").stops == {"violation", "warning", "info"}


def test_settings_that_gate_what_is_not_there_are_refused(shelf: Path) -> None:
    put(shelf, "x/1.0", 'targets = ["full"]')
    for gates, message in (
        ({"z": {"": ("info",)}}, "unknown profile 'z'"),
        ({"x": {"ckan": ("info",)}}, "not made for the target 'ckan'"),
    ):
        with pytest.raises(BadInput, match=message):
            profiles.Shelf(None, gates).load("x")


def test_shapes_of_another_version_are_taken_once(shelf: Path) -> None:
    put(shelf, "x/2.0")
    put(shelf, "x/1.0", 'shapes = ["*.ttl", "../2.0/shapes.ttl"]')
    put(shelf, "y/1.0", 'extends = ["x/1.0", "x/2.0"]')
    found = [file.relative_to(shelf).as_posix() for file in profiles.load("y/1.0").shapes]
    assert found == ["x/1.0/shapes.ttl", "x/2.0/shapes.ttl", "y/1.0/shapes.ttl"]


def test_file_is_a_profile(tmp_path: Path) -> None:
    (tmp_path / "mine.ttl").write_text(SHAPE)
    profile = profiles.load(tmp_path / "mine.ttl")
    assert (profile.label, profile.shapes) == ("mine/local", (tmp_path / "mine.ttl",))
    assert profile.gate == {"violation"}


def test_folder_without_a_profile_file_means_all_its_shapes(tmp_path: Path) -> None:
    for name in ("b.ttl", "a.ttl", "notes.txt"):
        (tmp_path / name).write_text("")
    assert [f.name for f in profiles.load(str(tmp_path)).shapes] == ["a.ttl", "b.ttl"]


def test_folder_without_shapes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file matches '\*\.ttl'"):
        profiles.load(tmp_path)


def test_background_names_files_and_folders_of_the_ontology(shelf: Path) -> None:
    put(shelf, "x/1.0", 'background = ["terms.ttl", "authority"]')
    names = [f.name for f in profiles.load("x").background]
    assert names == ["terms.ttl", "a.ttl", "b.ttl"]


def test_extended_profile_comes_first_and_the_gate_is_its_own(shelf: Path) -> None:
    base = put(shelf, "x/1.0", 'background = ["terms.ttl"]\ngate = ["violation", "warning"]')
    own = put(shelf, "y/1.0", 'extends = ["x/1.0"]\nbackground = ["authority"]')
    profile = profiles.load("y")
    assert profile.shapes == (base / "shapes.ttl", own / "shapes.ttl")
    assert [f.name for f in profile.background] == ["terms.ttl", "a.ttl", "b.ttl"]
    assert (profile.extends, profile.gate) == (("x/1.0",), frozenset({"violation"}))


def test_profiles_that_extend_each_other_are_refused(shelf: Path) -> None:
    put(shelf, "x/1.0", 'extends = ["y/1.0"]')
    put(shelf, "y/1.0", 'extends = ["x/1.0"]')
    with pytest.raises(BadInput, match=r"x/1\.0 > y/1\.0 > x/1\.0"):
        profiles.load("x")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("gate = [", "not valid TOML"),
        ("gat = []", "unknown field 'gat'"),
        ("gates = []", "gates is no table of lists"),
        ("[gates]\nfull = ['error']", "unknown severity 'error' in gates.full"),
        ("targets = ['full']\n[gates]\nckan = []", "not made for the target 'ckan'"),
        ("title = 'x'", "title is no table of texts"),
        ("source = 1", "source is no text"),
        ("shapes = ['../../../other.ttl']", "leads out of the folder"),
        ("shapes = ['/etc/hosts']", "leads out of the folder"),
        ("background = ['../b.ttl']", "leads out of the folder"),
        ('gate = ["error"]', "unknown severity 'error'"),
        ('gate = "violation"', "gate is no list of texts"),
        ("extends = [1]", "extends is no list of texts"),
    ],
)
def test_profile_file_that_cannot_be_used_is_named(shelf: Path, toml: str, message: str) -> None:
    folder = put(shelf, "x/1.0", toml)
    with pytest.raises(BadInput, match=message) as caught:
        profiles.load("x")
    assert caught.value.where == str(folder / "profile.toml")


def test_several_profiles_combine() -> None:
    one = profiles.load("dcat-ap")
    assert profiles.combined([one]) is one
    both = profiles.combined([one, one])
    assert (both.label, both.shapes) == ("dcat-ap+dcat-ap/3.0.1+3.0.1", one.shapes)
