"""A city of N datasets with all that pages show: units and roles, glossary, lineage, two releases.

    python benchmarks/city.py 10000 --keep DIR

The catalogue of the demo gives the organisation, the glossary, the principles, series, services and
tables; the generated datasets (see generate.py) get owners and stewards among its units, terms of
its glossary, and lineage: every dataset of a group comes from one before it, in groups of 200 and
of 50 by turns. Of the second release a fifth of the datasets changed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from generate import PREFIXES, Catalogue, Node
from measure import run

from bilbaokg import assets

__all__ = ["BASE", "LARGE", "SMALL", "City", "build", "first_of"]

BASE: Final = "https://bilbaokg.example"
LARGE, SMALL = 200, 50
_SPAN: Final = LARGE + SMALL
# How many datasets each dataset of a group gives its data to.
_BRANCHES: Final = 4
_OWNED: Final = 0.9
_STEWARDED: Final = 0.7
_CHANGED: Final = 0.2


def first_of(index: int) -> int:
    """The dataset that all of the group of a dataset come from, by number."""
    within = index % _SPAN
    return index - within + (0 if within < LARGE else LARGE)


def _slugs(file: str, kind: str) -> list[str]:
    text = (assets.folder("demo") / "catalogue" / file).read_text(encoding="utf-8")
    return re.findall(rf"^{kind}:([a-z0-9-]+) a ", text, re.MULTILINE)


class City(Catalogue):
    """Datasets as Catalogue makes them, with what ties them to the rest of the city."""

    def __init__(self, datasets: int, *, change: float = 0.0) -> None:
        super().__init__(datasets, base=BASE, change=change)
        self.units = _slugs("organisation.ttl", "unit")
        self.terms = _slugs("glossary.ttl", "concept")

    def _dataset(self, index: int) -> Iterator[Node]:
        dataset, *rest = super()._dataset(index)
        first = first_of(index)
        if index > first:
            source = first + (index - first - 1) // _BRANCHES
            dataset[1].append(("prov:wasDerivedFrom", self._ref("dataset", f"d{source}")))
        dataset[1].append(
            ("dct:subject", self._ref("concept", self.terms[index % len(self.terms)]))
        )
        parts = list(self._roles(dataset, index))
        yield from (dataset, *rest, *parts)

    def _roles(self, dataset: Node, index: int) -> Iterator[Node]:
        for role, share in (("owner", _OWNED), ("steward", _STEWARDED)):
            if index % 100 >= share * 100:
                continue
            part = f"{dataset[0][:-1]}#{role}>"
            dataset[1].append(("prov:qualifiedAttribution", part))
            unit = self.units[(index // 7 + len(role)) % len(self.units)]
            yield (
                part,
                [
                    ("rdf:type", "<http://www.w3.org/ns/prov#Attribution>"),
                    ("prov:agent", self._ref("unit", unit)),
                    ("dcat:hadRole", f"<{BASE}/ns#{role}>"),
                ],
            )


PREFIXES.setdefault("prov", "http://www.w3.org/ns/prov#")


def build(folder: Path, datasets: int, *, checked: bool = True) -> Path:
    """A data directory below a folder: the releases of the demo, then two with the datasets.

    checked: whether the last release is validated, which takes some minutes.
    """
    data = folder / "data"
    bilbaokg = [sys.executable, "-m", "bilbaokg", "--data", str(data), "--quiet"]
    operate = [sys.executable, str(Path(__file__).with_name("load_and_release.py")), "--step"]
    unchecked = [*operate, "operate", str(data), "release.build", json.dumps({"unchecked": True})]
    waived = [*bilbaokg, "release", "build", "--waive", "seeded errors"]
    _step("the demo", [*bilbaokg, "demo", "--no-serve"])
    for change, release in ((0.0, unchecked), (_CHANGED, waived if checked else unchecked)):
        file = folder / "datasets.nt"
        with file.open("w", encoding="utf-8", newline="\n") as out:
            City(datasets, change=change).write(out, "nt")
        _step("load", [*bilbaokg, "load", "--source", "benchmark", str(file)])
        _step("release", release)
        _step("publish", [*bilbaokg, "release", "publish"])
    return data


def _step(name: str, command: Sequence[str]) -> None:
    start = time.perf_counter()
    run(command, watched=False)
    print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)


def main() -> None:
    """Build and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    parser.add_argument("--keep", type=Path, required=True, metavar="DIR")
    parser.add_argument("--unchecked", action="store_true", help="without validation")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    build(options.keep, options.datasets, checked=not options.unchecked)


if __name__ == "__main__":
    main()
