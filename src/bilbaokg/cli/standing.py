"""The verb that tells how the catalogue and its areas stand: dashboard."""

from __future__ import annotations

from typing import Any

import click

from bilbaokg import index
from bilbaokg.cli.base import DONE, group, put_out, verb
from bilbaokg.cli.releasing import chosen_release
from bilbaokg.console import Console
from bilbaokg.index.dashboard import area_of, dashboard

__all__: list[str] = []


@verb(group, "dashboard")
@click.argument("area", required=False)
@click.option("--csv", "as_table", is_flag=True, help="Print all figures as CSV.")
@click.option("--release", "release_id", help="Release [the current one].")
def tell_dashboard(
    console: Console, area: str | None, as_table: bool, release_id: str | None
) -> int:
    """Tell how a release stands: owners, validity, quality, freshness, lineage, principles.

    AREA is the slug or IRI of an area; its figures count the units below it.
    Example: bilbaokg dashboard movilidad-sostenibilidad
    """
    release, _ = chosen_release(console, release_id)
    opened = index.of(release, console.data / "cache")
    told = dashboard(opened, area_of(opened, area) if area else "", console.lang)
    if as_table:
        from bilbaokg.reports.dashboard import as_csv

        put_out(console, as_csv(told), "csv", None)
        return DONE
    about = {"release": release.id, "created_at": release.created_at}
    console.result(about | told, lambda: _tell(console, told, release.id))
    return DONE


def _tell(console: Console, told: dict[str, Any], release: str) -> None:
    name = told["area"]["label"] if told["area"] else "All areas"
    noun = "dataset" if told["datasets"] == 1 else "datasets"
    console.say(f"{name}: {told['datasets']:,} {noun} in {release}{_mean(told)}.")
    columns = ["good", "lacking", "cannot be told", "share"]
    if told["datasets"]:
        console.table(["measure", *columns], [[m["name"], *_cells(m)] for m in told["measures"]])
    if told["datasets"] and told["principles"]:
        rows = [[p["label"], *_cells(p)] for p in told["principles"]]
        console.table(["principle", *columns], rows)
    if told["areas"]:
        rows = [
            [s["area"]["label"], s["area"]["iri"].rpartition("/")[2], s["datasets"],
             _share(s["score"])]
            for s in told["areas"]
        ]  # fmt: skip
        console.table(["area", "slug", "datasets", "mean"], rows)


def _mean(told: dict[str, Any]) -> str:
    return "" if told["score"] is None else f", {told['score']} % on average"


def _cells(figure: dict[str, Any]) -> list[Any]:
    return [figure["good"], figure["lacking"], figure["untold"], _share(figure["share"])]


def _share(share: int | None) -> str:
    return "-" if share is None else f"{share} %"
