"""What the tests of harvesting share: a harvest from this machine, and what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import Catalogue

from bilbaokg.errors import BilbaokgError, UpstreamFault

__all__ = ["counts", "fails", "harvest", "said"]


def harvest(catalogue: Catalogue, url: str, **params: Any) -> dict[str, Any]:
    chosen = {"allow_private": True, "pause": 0.0, "source": "portal", **params}
    return catalogue.do("harvest", url=url, **chosen)


def counts(done: dict[str, Any]) -> tuple[int, int, int, int]:
    found = done["records"]
    return found["new"], found["changed"], found["unchanged"], found["gone"]


def fails(
    catalogue: Catalogue, url: str, error: type[BilbaokgError] = UpstreamFault, **params: Any
) -> str:
    """What a harvest that must fail says; nothing of it may be in the catalogue."""
    before = catalogue.records.current()
    with pytest.raises(error) as raised:
        harvest(catalogue, url, **params)
    assert catalogue.records.current() == before
    return str(raised.value)


def said(catalogue: Catalogue, iri: str, term: str) -> list[str]:
    """The values of a property of a resource, as N-Triples terms."""
    start = f"<{iri}> <{term}> "
    lines = catalogue.text(iri).splitlines()
    return [line.removeprefix(start)[:-2] for line in lines if line.startswith(start)]
