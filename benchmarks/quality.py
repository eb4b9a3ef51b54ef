"""How fast is the quality of a catalogue told, and the linter run?

    python benchmarks/quality.py 10000

A generated catalogue of full records (detailed.py): as a file, and loaded into a working store, in
which the second version of the catalogue then changed a fifth of the datasets. Each line is the
program itself in a process of its own. The first quality of a store validates all of it; later
ones look again only at what changed. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from detailed import Detailed
from measure import Measured, machine, run, table

MIB: Final = 1 << 20
_ME: Final = (sys.executable, "-m", "bilbaokg", "--quiet")


def steps(folder: Path, datasets: int) -> list[tuple[str, Measured]]:
    """Write the catalogue, then run each command."""
    first, second = folder / "first.nt", folder / "second.nt"
    for file, change in ((first, 0.0), (second, 0.2)):
        with file.open("w", encoding="utf-8", newline="\n") as out:
            Detailed(datasets, change=change).write(out, "nt")
    data = ("--data", str(folder / "data"))
    output = ("--format", "json", "--output", str(folder / "quality.json"))
    run([*_ME, *data, "init"])
    for file in (first, second):
        run([*_ME, *data, "load", str(file), "--source", "catalogue"])
    quality = [*_ME, *data, "quality", *output]
    lint = [*_ME, *data, "lint", "--fail-on", "never", *output]
    return [
        ("quality of a file, unvalidated", run([*quality, str(first), "--unvalidated"])),
        ("quality of a file", run([*quality, str(first)])),
        ("quality of the store, unvalidated", run([*quality, "--unvalidated"])),
        ("quality of the store, for the first time", run(quality)),
        ("quality of the store, again", run(quality)),
        ("the same, every dataset with its to-do list", run([*quality, "--by", "dataset"])),
        ("lint of a file", run([*lint, str(first)])),
        ("lint of the store", run(lint)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            (name, f"{m.wall:.1f}", f"{m.cpu:.1f}", f"{m.memory / MIB:,.0f}")
            for name, m in steps(Path(folder), asked.datasets)
        ]
    print(f"{asked.datasets:,} datasets; {machine()}\n")
    print(table(("step", "wall s", "CPU s", "peak MiB"), rows))


if __name__ == "__main__":
    main()
