"""What the tests of harvesting share: a harvest from this machine, and what came of it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from helpers import PATIENCE, Catalogue, eventually

from bilbaokg.errors import BilbaokgError, UpstreamFault

__all__ = ["counts", "fails", "harvest", "portal", "said"]


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


@contextlib.contextmanager
def portal(data: Path) -> Iterator[str]:
    """A server as a portal runs it, which knows its own address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://localhost:{port}/"

    def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}health/ready").is_success
        return False

    try:
        eventually(ready)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)
