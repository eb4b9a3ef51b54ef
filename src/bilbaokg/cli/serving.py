"""Verbs that serve: serve, and demo, which loads the bundled catalogue first."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from bilbaokg import assets, release, settings
from bilbaokg.cli.base import DONE, group, verb
from bilbaokg.cli.loading import counted
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.console import Console
from bilbaokg.errors import BadInput, Conflict
from bilbaokg.workspace import initialise

__all__: list[str] = []

_HOST: Final = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on."
)
_PORT: Final = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on.",
)


@verb(group, "demo")
@click.option("--no-serve", is_flag=True, help="Load, validate and release, but do not serve.")
@_HOST
@_PORT
def demo(console: Console, no_serve: bool, host: str, port: int) -> int:
    """Load the bundled catalogue of Bilbao, validate it, release it and serve it.

    Example: bilbaokg --data ./demo demo
    """
    folder = assets.folder("demo")
    script = tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8"))
    initialise(console.data, {"base": script["base"], "title": script["title"]})
    _refuse_other_catalogue(console)
    if release.Releases(console.data, configuration_of(console)).current() is None:
        for number, step in enumerate(script["step"], 1):
            _demo_step(console, folder, step, f"[{number}/{len(script['step'])}]")
    else:
        console.note(f"The demo is already loaded in {console.data}.")
    if no_serve:
        return DONE
    return _serve(console, host, port, "", None)


def _refuse_other_catalogue(console: Console) -> None:
    """The demo is never mixed into somebody's own catalogue: what it loads comes first."""
    entries = operate(console, "audit.list", {"limit": 1_000_000})["entries"]
    loaded = [entry["subject"] for entry in reversed(entries) if entry["kind"] == "load"]
    if loaded and not loaded[0].startswith("demo/"):
        raise Conflict(
            "it holds another catalogue",
            where=str(console.data),
            hint="give the demo its own directory: bilbaokg --data ./bilbaokg-demo demo",
        )


def _demo_step(console: Console, folder: Path, step: dict[str, Any], label: str) -> None:
    base = settings.read(console.data).base
    for path in step.get("load", []):
        loads = [(folder / path, f"demo/{Path(path).name}")]
        if replaces := step.get("replaces"):
            loads = [(f, f"demo/{replaces}/{f.name}") for f in sorted((folder / path).iterdir())]
        for file, source in loads:
            done = operate(
                console,
                "load",
                {"paths": [str(file)], "source": source, "base": base, "why": "demo"},
            )
            console.note(f"{label} loaded {source}: {counted(done['records'])}")
    if note := step.get("release"):
        built = operate(console, "release.build", {"hold_back": True, "note": note})
        operate(console, "release.publish", {"id": built["id"], "why": note})
        console.note(
            f"{label} released {built['id']}: {built['records']} records, "
            f"{len(built['held_back'])} held back"
        )


@verb(group, "serve")
@_HOST
@_PORT
@click.option("--root-path", default="", help="Path prefix under a reverse proxy, such as /x.")
@click.option("--workers", type=click.IntRange(1, 64), help="Query workers [2].")
def serve(console: Console, host: str, port: int, root_path: str, workers: int | None) -> int:
    """Serve pages, feeds, SPARQL and the API.

    Example: bilbaokg serve --port 8000
    """
    return _serve(console, host, port, root_path, workers)


def _serve(console: Console, host: str, port: int, root_path: str, workers: int | None) -> int:
    from bilbaokg import server

    configuration = configuration_of(console)
    host, root_path = host.strip("[]"), root_path.rstrip("/")
    if not host:
        raise BadInput("--host is empty", hint="give 127.0.0.1, or 0.0.0.0 for all addresses")
    if not _ROOT_PATH.fullmatch(root_path):
        raise BadInput(f"--root-path {root_path!r} is no path", hint="write it as /catalogue")
    if configuration.public_url == settings.Settings().public_url:
        # Nobody said where the public finds us: then it is where we listen.
        configuration = replace(configuration, public_url=_address(host, port) + root_path)

    def announce(_: str) -> None:
        if not console.quiet:
            address = _address(host, port) + root_path
            console.say(f"Serving {console.data} at {address}/  (Ctrl-C stops)")
            for path, what in _SIGHTS:
                console.say(f"  {address}{path.format(console.lang):<{_PATH_WIDTH}}  {what}")

    server.serve(
        console.data,
        configuration,
        host=host,
        port=port,
        root_path=root_path,
        workers=workers or configuration.workers,
        announce=announce,
    )
    return DONE


_LOCAL: Final = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 -- what to call it, not a bind
_SIGHTS: Final = (
    ("/{}/datasets", "datasets, with search and facets"),
    ("/{}/validation", "what validation found"),
    ("/{}/sparql", "ask the graph"),
    ("/catalog.ttl", "the feed that portals harvest (.rdf .jsonld .nt)"),
    ("/sparql", "the SPARQL endpoint"),
)
_ROOT_PATH: Final = re.compile(r"(?:/[\w.~-]+)*", re.ASCII)
_PATH_WIDTH: Final = max(len(path) for path, _ in _SIGHTS)


def _address(host: str, port: int) -> str:
    name = "localhost" if host in _LOCAL else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"
