"""Operations on single records, as every way in calls them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BASE, Catalogue

from bilbaokg import settings
from bilbaokg.errors import BadInput, NotFound
from bilbaokg.operations import OPERATIONS
from bilbaokg.workspace import Workspace, initialise

IRIS = ["noise", "http://[bad", "https://a.example/x y", "https://a.example:port/", "", "<>", "\0"]


@pytest.mark.parametrize("iri", IRIS)
@pytest.mark.parametrize("name", ["delete", "restore", "visibility", "history"])
def test_what_is_no_iri_is_refused(catalogue: Catalogue, name: str, iri: str) -> None:
    with pytest.raises(BadInput, match="no absolute IRI"):
        catalogue.do(name, iri=iri, to="public")


@pytest.mark.parametrize("iri", IRIS[:4])
def test_nothing_is_replaced_by_what_is_no_iri(catalogue: Catalogue, iri: str) -> None:
    catalogue.load(':noise a dcat:Dataset ; dct:title "Ruido"@es .')
    before = catalogue.hash()
    with pytest.raises(BadInput, match="no absolute IRI"):
        catalogue.do("delete", iri=f"{BASE}/id/dataset/noise", replaced_by=iri)
    assert catalogue.hash() == before


def test_history_of_a_part_is_that_of_its_record(catalogue: Catalogue) -> None:
    catalogue.load(":noise a dcat:Dataset ; dcat:distribution x:csv . x:csv a dcat:Distribution .")
    part = "https://other.example/csv"
    assert catalogue.do("history", iri=part)["id"] == "dataset/noise"
    with pytest.raises(NotFound) as error:
        catalogue.do("delete", iri=part)
    assert error.value.hint == f"it is a part of {BASE}/id/dataset/noise"


def test_copy_for_readers_is_found_from_any_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = Path("data")
    initialise(data, {"base": BASE})
    with Workspace(data, settings.read(data, {})) as workspace:
        copy = OPERATIONS["checkpoint"](workspace, {}, lambda *_: None)["path"]
    assert Path(copy).is_absolute()
    assert (Path(copy) / "CURRENT").is_file()
