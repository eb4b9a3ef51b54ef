"""The brake on deletions: what portals would lose by a release, and what stops it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from helpers import BASE, Catalogue
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg import removals
from bilbaokg.errors import BadInput, RemovalRefused
from bilbaokg.removals import Member, Removals, Shown

IDS = st.frozensets(st.integers(0, 30), max_size=30)


def datasets(numbers: Iterable[int]) -> str:
    """Datasets with an identifier, a title and two files each."""
    return "".join(
        f':d{n} a dcat:Dataset ; dct:title "Datos {n}"@es ; dct:identifier "id-{n}" ; '
        f"dcat:distribution x:f{n}a, x:f{n}b .\n"
        f"x:f{n}a a dcat:Distribution . x:f{n}b a dcat:Distribution .\n"
        for n in numbers
    )


def build(catalogue: Catalogue, **params: Any) -> dict[str, Any]:
    return catalogue.do("release.build", unchecked=True, **params)


def publish(catalogue: Catalogue, said: str, **params: Any) -> str:
    """Load, build and publish; the id of the release."""
    catalogue.load(said)
    id: str = build(catalogue, **params)["id"]
    return str(catalogue.do("release.publish", id=id)["id"])


def hide(catalogue: Catalogue, *numbers: int) -> None:
    """What sources no longer list stays until it is deleted: what is made internal goes."""
    for number in numbers:
        catalogue.do("visibility", iri=f"{BASE}/id/dataset/d{number}", to="internal")


def refused(catalogue: Catalogue, operation: str = "release.build", **params: Any) -> Any:
    with pytest.raises(RemovalRefused) as error:
        catalogue.do(operation, unchecked=True, **params)
    assert error.value.exit_code == 1
    assert error.value.status == 409
    return error.value


def test_first_release_has_nothing_to_take_away(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    assert catalogue.workspace.releases.get("r1").manifest["build"]["removals"] is None


def test_release_that_takes_more_than_the_share_is_refused_and_says_what(
    catalogue: Catalogue,
) -> None:
    publish(catalogue, datasets(range(20)))
    hide(catalogue, *range(10, 17))
    error = refused(catalogue)
    assert "7 of 20 datasets would be gone (35.0%, over 5%)" in error.message
    assert f"Datos 10 ({BASE}/id/dataset/d10)" in error.message
    assert "and 2 more" in error.message
    assert error.hint.endswith("--accept-removals REASON")
    told = error.extra["removals"]
    assert [row["iri"] for row in told["removed"]] == [
        f"{BASE}/id/dataset/d{n}" for n in range(10, 17)
    ]
    assert catalogue.workspace.releases.ids() == ["r1"]
    assert not list(catalogue.workspace.releases.path.glob(".building-*"))


def test_share_itself_may_go_without_a_word(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(20)))
    hide(catalogue, 3)
    built = build(catalogue)
    assert built["removals"] == {
        "published": "r1",
        "limit": 0.05,
        "of": {"dataset": 20, "series": 0, "service": 0, "catalog": 0, "distribution": 40},
        "gone": {"dataset": 1},
        "identifiers": 0,
        "accepted": None,
    }


def test_one_of_three_datasets_needs_a_reason(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    hide(catalogue, 1)
    assert "1 of 3 datasets" in refused(catalogue).message


def test_reason_is_kept_in_the_manifest_and_the_audit_and_holds_at_publishing(
    catalogue: Catalogue,
) -> None:
    publish(catalogue, datasets(range(3)))
    hide(catalogue, 1)
    id = build(catalogue, accept_removals="merged into one")["id"]
    manifest = catalogue.workspace.releases.get(id).manifest
    assert manifest["build"]["removals"]["accepted"] == "merged into one"
    catalogue.do("release.publish", id=id)
    events = catalogue.records.audit.events()
    for kind in ("release.build", "release.publish"):
        detail = next(e.detail for e in reversed(events) if e.kind == kind)
        assert detail["removals"]["accepted"] == "merged into one"
    assert "dataset/d1" not in json.dumps(manifest)


def test_reason_that_is_not_needed_is_not_kept(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    assert build(catalogue, accept_removals="in case")["removals"]["accepted"] is None


def test_empty_reason_is_none(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    for operation in ("release.build", "release.publish", "release.rollback"):
        with pytest.raises(BadInput, match="needs a reason"):
            catalogue.do(operation, accept_removals=" ")


def test_waiver_of_findings_waives_no_deletion(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    hide(catalogue, 1)
    with pytest.raises(RemovalRefused):
        catalogue.do("release.build", waive="descriptions follow")


def test_tombstone_counts_as_a_removal(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    catalogue.do("delete", iri=f"{BASE}/id/dataset/d1", why="no longer collected")
    assert f"{BASE}/id/dataset/d1" in refused(catalogue).message


def test_dataset_that_lost_its_class_counts_as_a_removal(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    catalogue.load(datasets(range(3)).replace(":d1 a dcat:Dataset ;", ":d1"))
    catalogue.load(":d1 a dcat:Resource .", "other")
    assert f"{BASE}/id/dataset/d1" in refused(catalogue).message


def test_services_and_series_have_a_share_of_their_own(catalogue: Catalogue) -> None:
    more = f'<{BASE}/id/service/s> a dcat:DataService ; dct:title "API"@es .'
    publish(catalogue, datasets(range(50)) + more)
    catalogue.do("visibility", iri=f"{BASE}/id/service/s", to="internal")
    error = refused(catalogue)
    assert error.extra["removals"]["too_many"] == ["service"]
    assert "1 of 1 service would be gone (100.0%" in error.message


def test_files_that_vanish_from_datasets_that_stay_are_counted(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(10)))
    catalogue.load(
        datasets(range(8)) + ':d8 a dcat:Dataset ; dct:identifier "id-8" ; '
        'dct:title "Datos 8"@es .' + datasets([9])
    )
    error = refused(catalogue)
    assert error.extra["removals"]["gone"] == {"distribution": 2}
    assert "2 of 20 distributions would be gone (10.0%" in error.message


def test_changed_identifier_stops_a_release_whatever_the_share(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(50)))
    hide(catalogue, 7)
    catalogue.load(
        ':d7b a dcat:Dataset ; dct:title "Otra cosa"@es ; dct:identifier "id-7" .', "other"
    )
    error = refused(catalogue)
    assert error.extra["removals"]["too_many"] == []
    assert error.extra["removals"]["changes"] == [
        {
            "iri": f"{BASE}/id/dataset/d7",
            "property": None,
            "before": f"{BASE}/id/dataset/d7",
            "after": f"{BASE}/id/dataset/d7b",
        }
    ]
    assert "1 identifier would change" in error.message
    assert build(catalogue, accept_removals="a new IRI")["removals"]["identifiers"] == 1


def shown(members: dict[str, Member]) -> Shown:
    found = Shown()
    found.members["dataset"] = {f"<{iri}>": member for iri, member in members.items()}
    return found


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (('"a"',), ('"a"',), 0),
        (('"a"',), ('"b"',), 1),
        (('"a"',), (), 1),
        (('"a"',), ('"a"', '"b"'), 1),
        ((), ('"a"',), 0),
    ],
)
def test_identifiers_of_the_same_dataset(
    before: tuple[str, ...], after: tuple[str, ...], changes: int
) -> None:
    old, new = (shown({"d:1": Member("dataset/1", ids, '"T"')}) for ids in (before, after))
    found = removals.between(old, new, "r1", 1.0)
    assert len(found.identifiers) == changes
    assert found.stops == bool(changes)


def test_same_title_under_another_iri_is_a_changed_identifier() -> None:
    old = shown({"d:1": Member("dataset/1", (), '"Ruido"@es')})
    new = shown({"d:2": Member("dataset/2", (), '"Ruido"@es')})
    (change,) = removals.between(old, new, "r1", 1.0).identifiers
    assert (change.before, change.after) == ("d:1", "d:2")


def simple(numbers: Iterable[int]) -> Shown:
    return shown({f"d:{n}": Member(f"dataset/{n}", (f'"{n}"',), f'"{n}"') for n in numbers})


@given(IDS, IDS, st.floats(0, 1))
def test_stops_exactly_over_the_share(
    before: frozenset[int], after: frozenset[int], limit: float
) -> None:
    found = removals.between(simple(before), simple(after), "r1", limit)
    gone = before - after
    assert {row.iri for row in found.gone} == {f"d:{n}" for n in gone}
    assert found.stops == (bool(gone) and len(gone) > limit * len(before))


def test_records_and_the_files_of_a_release_show_the_same(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(5)) + f':d1 dct:title "a <{BASE}/graph/record/x> ."@es .'
            )  # fmt: skip
    of_release = removals.of_release(catalogue.workspace.releases.get("r1"))
    assert of_release == removals.of_records(catalogue.records.all())
    assert of_release.count("dataset") == 5
    assert of_release.count("distribution") == 10


# ---- switching


@pytest.fixture
def grown(catalogue: Catalogue) -> Catalogue:
    """r1 with ten datasets, then r2 with twelve, which is published."""
    publish(catalogue, datasets(range(10)))
    publish(catalogue, datasets(range(12)))
    return catalogue


@pytest.mark.parametrize(
    ("operation", "params"), [("release.rollback", {}), ("release.publish", {"id": "r1"})]
)
def test_going_back_is_stopped_too_where_it_takes_away(
    grown: Catalogue, operation: str, params: dict[str, str]
) -> None:
    error = refused(grown, operation, **params)
    assert "2 of 12 datasets would be gone" in error.message
    assert grown.workspace.releases.current_id() == "r2"
    grown.do(operation, accept_removals="r2 is wrong", **params)
    assert grown.workspace.releases.current_id() == "r1"
    last = grown.records.audit.last()
    assert last is not None
    assert last.detail["removals"]["accepted"] == "r2 is wrong"


def test_reason_of_a_build_holds_for_the_release_it_was_compared_with_alone(
    grown: Catalogue,
) -> None:
    hide(grown, 11)
    built = build(grown, accept_removals="twelve was one too many")
    grown.do("visibility", iri=f"{BASE}/id/dataset/d11", to="public")
    publish(grown, datasets(range(13)))
    assert "2 of 13" in refused(grown, "release.publish", id=built["id"]).message


def test_lower_share_holds_for_a_release_that_was_built_before(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(catalogue, datasets(range(20)))
    hide(catalogue, 3)
    id = build(catalogue)["id"]
    with monkeypatch.context() as patch:
        changed = replace(catalogue.workspace.settings, removal_share=0.0)
        patch.setattr(catalogue.workspace.builder, "settings", changed)
        refused(catalogue, "release.publish", id=id)


def test_damaged_published_release_is_compared_by_the_one_before(grown: Catalogue) -> None:
    (grown.workspace.releases.path / "r2" / "catalogue.nq").unlink()
    hide(grown, *range(5))
    error = refused(grown)
    assert error.extra["removals"]["published"] == "r1"
    assert "5 of 10 datasets" in error.message


def test_nothing_that_can_be_read_needs_a_reason(catalogue: Catalogue) -> None:
    publish(catalogue, datasets(range(3)))
    shutil.rmtree(catalogue.workspace.releases.path / "r1")
    assert "no release that was published can be read" in refused(catalogue).message
    built = build(catalogue, accept_removals="the disk failed")
    assert built["removals"]["accepted"] == "the disk failed"
    assert catalogue.do("release.publish", accept_removals="the disk failed")["id"] == "r2"


def test_text_counts_and_names() -> None:
    few = Removals("r1", 0.025, {"dataset": 3}, {"dataset": 0})
    assert few.text() == ""
    assert not few.stops
