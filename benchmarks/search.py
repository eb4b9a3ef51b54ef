"""How long does the index of a release take to make, and a search in it to answer?

    python benchmarks/search.py 100000 [--keep FILE]

Makes the index of a generated catalogue, one record a dataset, as building a release does, and asks
it in this process. A search is everything that a page of the list asks of it: what fits, its
order, twenty rows, the counts of twelve facets, and the hits marked. "First" is with nothing kept
of searches before, "again" the same search once more. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from generate import DEFAULT_BASE, Catalogue, Node, iri
from measure import machine, table

from bilbaokg import index
from bilbaokg.index import Index, corrected, find, marked, suggest
from bilbaokg.model import Record

__all__ = ["main"]

REPEAT: Final = 20
FACETS: Final = (
    "theme", "area", "format", "owner", "steward", "status", "quality", "access", "licence", "hvd",
    "publisher", "gap",
)  # fmt: skip
SEARCHES: Final = {
    "no words: the newest": "",
    "one word": "alumbrado",
    "one word in Basque": "zarata",
    "two words": "ruido distrito",
    "a word and a common one": "licencias de",
    "a code": "d777",
    "the beginning of a word": "movil",
    "a word that all have": "datos",
    "nothing found, spelling looked for": "alumbradro",
}


def records(datasets: int) -> Iterator[Record]:
    """The records of a generated catalogue, without its nameless nodes."""
    held: list[str] = []
    name = ""
    for subject, pairs in Catalogue(datasets).nodes():
        about = subject[1:-1].partition("/id/")[2]
        if subject.startswith("_:") or (about.startswith("catalog/") and name):
            continue
        starts = not about.startswith("distribution/") and "#" not in about
        if starts and held:
            yield _record(name, held)
            held = []
        name = about if starts else name
        held += _lines((subject, pairs))
    yield _record(name, held)


def _record(name: str, held: list[str]) -> Record:
    return Record(name, f"{DEFAULT_BASE}/id/{name}", "".join(sorted(held)), "", 1, "public")


def _lines(node: Node) -> list[str]:
    subject, pairs = node
    return [f"{subject} {iri(p)} {o} .\n" for p, o in pairs if not o.startswith("_:")]


def page(opened: Index, q: str) -> int:
    """What the list of datasets asks of the index; how much was found."""
    found = find(opened, q)
    listing = found.page("es", "relevance" if q else "modified")
    found.facets(FACETS)
    if found.words:
        marked(opened, listing.rows, found.words, "es")
        if not listing.total:
            corrected(opened, found.words)
    return found.total


def timed(path: Path, ask: Callable[[Index], int]) -> tuple[str, ...]:
    """How much was found, and ms: of the clock and of the processor the first time, then again."""
    walls: list[float] = []
    cpus: list[float] = []
    again: list[float] = []
    for _ in range(REPEAT):
        opened = Index(path)
        page(opened, "")  # what a server has read by its second request
        start, used = time.perf_counter(), time.process_time()
        total = ask(opened)
        walls.append(time.perf_counter() - start)
        cpus.append(time.process_time() - used)
        start = time.perf_counter()
        ask(opened)
        again.append(time.perf_counter() - start)
    middle = (statistics.median(seconds) * 1000 for seconds in (walls, cpus, again))
    return f"{total:,}", *(f"{ms:.1f}" for ms in middle)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=100_000)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="make the index here, or take it")
    options = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        path = options.keep or Path(temporary) / "index.db"
        print(f"{options.datasets:,} datasets. {before}\n")
        if not path.exists():
            start, used = time.perf_counter(), time.process_time()
            index.build(path, records(options.datasets), DEFAULT_BASE)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"Made in {time.perf_counter() - start:.1f} s ({time.process_time() - used:.1f} s"
                f" CPU, the records included), {path.stat().st_size / 1e6:,.0f} MB, peak"
                f" {peak:,.0f} MiB.\n"
            )
        rows = [(name, *timed(path, partial(page, q=q))) for name, q in SEARCHES.items()]
        rows.append(("suggestions", *timed(path, lambda i: len(suggest(i, "mo", "es")))))
    print(table(["search", "found", "first, ms", "first, CPU ms", "again, ms"], rows))


if __name__ == "__main__":
    main()
