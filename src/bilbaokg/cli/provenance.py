"""The verb that hands lineage out: as PROV-O, or as the OpenLineage events that it was told by."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from bilbaokg.cli.base import DONE, global_options, hand_out
from bilbaokg.cli.operating import configuration_of, operate
from bilbaokg.cli.releasing import named_release
from bilbaokg.console import Console
from bilbaokg.errors import BadInput
from bilbaokg.lineage import provenance, recorded, stated
from bilbaokg.lineage.ground import Ground
from bilbaokg.store.embedded import EmbeddedStore
from bilbaokg.writing import write

__all__ = ["export"]

_OPENLINEAGE: Final = "openlineage"


@click.command("export")
@click.argument("iri", required=False)
@click.option(
    "--format", "format_", type=click.Choice(["ttl", "jsonld", "nt", "rdf", _OPENLINEAGE]),
    default="ttl", show_default=True, help="PROV-O, or OpenLineage events.",
)  # fmt: skip
@click.option("--hops", type=click.IntRange(1), help="With an IRI: how far to go [all the way].")
@click.option("--release", metavar="ID", help="Of a release, or the current one, instead.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File [standard output]."
)
@global_options
def export(
    console: Console, iri: str | None, format_: str, hops: int | None, release: str | None,
    output: Path | None,
) -> int:  # fmt: skip
    """Write lineage as PROV-O, all of it or what is around IRI; or as OpenLineage events.

    Events are those that pipelines told, merged: taken in anew they make the same lineage. With
    --release, what it states of tables, jobs and runs.

    Example: bilbaokg lineage export --format openlineage --output events.ndjson
    """
    if format_ == _OPENLINEAGE and (iri or hops):
        raise BadInput("events are of all lineage", hint="leave out IRI and --hops")
    if hops and not iri:
        raise BadInput("--hops from where?", hint="give an IRI with --hops")
    # Nothing goes out before all of it could be written.
    with tempfile.TemporaryFile() as content:
        if format_ == _OPENLINEAGE:
            content.writelines(f"{line}\n".encode() for line in _events(console, release))
        else:
            write(_provenance(console, iri, hops, release), format_, content)
        if not content.tell():
            nothing = (
                "no pipeline told anything"
                if format_ == _OPENLINEAGE and not release
                else "there is no lineage"
            )
            console.note(f"Nothing to write: {nothing} yet.")
        hand_out(console, content, output)
    return DONE


def _working(console: Console) -> tuple[EmbeddedStore, str]:
    """A copy of the working store as it is now, and the base."""
    path = Path(operate(console, "checkpoint", {})["path"])
    return EmbeddedStore.read_only(path), configuration_of(console).base


def _events(console: Console, release: str | None) -> Iterable[str]:
    if release is None:
        return recorded.events(*_working(console))
    ground, at = _released(console, release)
    return stated.events(ground, at)


def _released(console: Console, release: str) -> tuple[Ground, str]:
    """The lineage of a release, and when it was made."""
    found, configuration = named_release(console, release)
    ground = Ground.released(found.path, configuration.base, console.lang)
    return ground, found.created_at


def _provenance(
    console: Console, iri: str | None, hops: int | None, release: str | None
) -> Iterable[str]:
    if release is None:
        ground = Ground.over(*_working(console), console.lang)
    else:
        ground, _ = _released(console, release)
    among = provenance.around(ground, iri, hops) if iri else None
    return provenance.lines(ground, among)
