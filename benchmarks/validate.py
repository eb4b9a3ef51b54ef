"""How fast are catalogues validated, how much memory does it take, and who finds the same?

    python benchmarks/validate.py --reference ../shared --sizes 1000 10000
    python benchmarks/validate.py --reference ../shared --save 10000
    python benchmarks/validate.py --again 10000
    python benchmarks/validate.py --reference ../shared --spanish

The official split shapes of DCAT-AP 3.0.1 over generated catalogues (detailed.py): about 65
statements a dataset, one dataset in a hundred wrong in a known way. Our engines run as `bilbaokg
validate`; pySHACL, TopBraid and pyshifty as their users run them, in environments that this script
makes.
All get the same background. "Once loaded" is the time after data and shapes were read. Results
about the background are not counted; an engine agrees when it names exactly the seeded nodes and
properties. pySHACL above --slow datasets is not run but reckoned from the largest run, in
proportion, and marked ~.

--save: validating one record with what it refers to, in a working store of N datasets.
--again: validating the working store of N datasets once more, after nothing or one title changed.
--spanish: the DCAT-AP-ES shapes, full of SPARQL, over 3,000 statements.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import peers
from detailed import Detailed
from generate import DEFAULT_BASE
from measure import Measured, cpu, machine, run, table

from bilbaokg import profiles
from bilbaokg.shacl import ENGINES
from bilbaokg.shacl.reading import read_files

MIB: Final = 1 << 20
SPLIT: Final = ("shapes", "range", "shapes_recommended", "mdr-vocabularies.shape")
SLOW: Final = {"pyshacl", "pyshacl-cli"}
TOML: Final = 'background = ["authority"]\n[title]\nen = "The official shapes, to measure with"\n'
SAVES: Final = 200
SHORT: Final = 5.0

Pair = tuple[str, str]
"""Focus node and path."""


@dataclass(frozen=True)
class Row:
    """One engine on one size: seconds, bytes, what was found."""

    engine: str
    datasets: int
    wall: float
    cpu: float
    loaded_wall: float
    loaded_cpu: float
    pss: int
    results: int
    agrees: bool
    reckoned: bool = False

    def scaled(self, datasets: int) -> Row:
        """What it would be in proportion."""
        factor = datasets / self.datasets
        times = (self.wall, self.cpu, self.loaded_wall, self.loaded_cpu, self.pss, self.results)
        wall, cpu, loaded_wall, loaded_cpu, pss, results = (factor * value for value in times)
        return replace(
            self,
            datasets=datasets,
            wall=wall,
            cpu=cpu,
            loaded_wall=loaded_wall,
            loaded_cpu=loaded_cpu,
            pss=round(pss),
            results=round(results),
            reckoned=True,
        )

    @property
    def cells(self) -> tuple[str, ...]:
        mark = "~" if self.reckoned else ""
        seconds = (self.wall, self.cpu, self.loaded_wall, self.loaded_cpu)
        return (
            self.engine,
            f"{self.datasets:,}",
            *(f"{mark}{value:.{2 if value < 10 else 1}f}" for value in seconds),
            f"{mark}{self.pss / MIB:,.0f}",
            f"{mark}{self.results:,}",
            "" if self.reckoned else "yes" if self.agrees else "no",
        )


TITLES: Final = (
    "engine",
    "datasets",
    "wall s",
    "CPU s",
    "once loaded, wall s",
    "once loaded, CPU s",
    "peak PSS MiB",
    "results",
    "agrees",
)


# ---- what is validated


@dataclass(frozen=True)
class Task:
    """Files of one size, and the answers."""

    folder: Path
    datasets: int
    answers: frozenset[Pair]
    background: frozenset[str]

    @property
    def data(self) -> Path:
        return self.folder / f"catalogue-{self.datasets}.nt"

    @property
    def with_background(self) -> Path:
        return self.folder / f"catalogue-{self.datasets}-background.nt"

    @property
    def profile(self) -> Path:
        return self.folder / "official" / "3.0.1"

    @property
    def shapes(self) -> Path:
        return self.folder / "shapes.nt"

    def own(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The results that are about the data."""
        return [pair for pair in pairs if pair[0] not in self.background]


def shapes_of(folder: Path, files: Sequence[Path]) -> Path:
    """A profile of these shapes with the product's background; and one file of them for others."""
    profile = folder / "official" / "3.0.1"
    profile.mkdir(parents=True)
    (profile / "profile.toml").write_text(TOML, encoding="utf-8")
    for file in files:
        (profile / file.name).write_bytes(file.read_bytes())
    (folder / "shapes.nt").write_text(_text(read_files(files)), encoding="utf-8")
    return profile


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def task(folder: Path, datasets: int) -> Task:
    """Write a catalogue, with and without the background."""
    catalogue = Detailed(datasets)
    answers = frozenset((answer.focus, answer.path) for answer in catalogue.answers)
    known = read_files(profiles.load("dcat-ap").background)
    subjects = frozenset(re.sub(r"[<>]", "", line.partition(" ")[0]) for line in known)
    made = Task(folder, datasets, answers, subjects)
    with made.data.open("w", encoding="utf-8", newline="\n") as out:
        catalogue.write(out, "nt")
    with made.with_background.open("wb") as out, made.data.open("rb") as data:
        while block := data.read(MIB):
            out.write(block)
        out.write(_text(known).encode())
    return made


def _whole(words: Sequence[str]) -> Measured:
    """A command as a whole. A short one is timed once more with nobody watching its memory."""
    seen = run(words, trail=True)
    if seen.wall > SHORT:
        return seen
    alone = run(words, watched=False)
    return replace(seen, wall=alone.wall, cpu=alone.cpu)


# ---- our engines


def measure_ours(engine: str, task: Task) -> Row:
    """`bilbaokg validate` as a whole, then once more in parts."""
    report = task.folder / f"{engine}.json"
    whole = _whole(
        [
            *(sys.executable, "-m", "bilbaokg", "--quiet", "validate", str(task.data)),
            *("--profile", str(task.profile), "--engine", engine, "--fail-on", "never"),
            *("--format", "json", "--output", str(report)),
        ]
    )
    results = json.loads(report.read_text(encoding="utf-8"))["results"]
    parts = _step("loaded", engine, str(task.data), str(task.profile))
    pairs = [(r["focus"], r["path"]) for r in results]
    return _row(engine, task, whole, (parts["wall"], parts["cpu"]), pairs)


def _loaded(engine: str, data: str, profile: str) -> dict[str, Any]:
    """What validating takes once data and shapes were read, in memory or on disk."""
    from bilbaokg.settings import Settings
    from bilbaokg.shacl import loading
    from bilbaokg.shacl.checking import Checking, room
    from bilbaokg.shacl.prepared import prepare
    from bilbaokg.shacl.reading import source_of

    chosen = profiles.load(profile)
    with room() as (pool, folder):
        prepared = prepare(chosen, pool)
        pool.start()
        with loading.load([source_of(data)], Settings(), pool, folder, prepared) as loaded:
            checking = Checking(chosen, prepared, engine, "es", pool)
            return _timed(lambda: checking.report(loaded))


def _timed(work: Callable[[], object]) -> dict[str, Any]:
    me = os.getpid()
    before, start = cpu(me), time.perf_counter()
    work()
    return {"wall": time.perf_counter() - start, "cpu": cpu(me) - before}


# ---- the others


def measure_peer(engine: str, task: Task, environments: Path) -> Row:
    """A peer as a whole process, and the part after reading."""
    python = peers.environment(engine, environments)
    report = task.folder / f"{engine}.ttl"
    words = peers.command(engine, python, task.with_background, task.shapes, report)
    whole = _whole(words)
    if engine == "topbraid":
        begins = peers.loaded_at(report)
        loaded = whole.wall - begins, whole.cpu_after(begins)
    else:
        told = run([*words, "--loaded"]) if engine == "pyshifty" else whole
        parts = json.loads(told.output)
        loaded = parts["wall"], parts["cpu"]
    return _row(engine, task, whole, loaded, _pairs(report))


def _pairs(report: Path) -> list[Pair]:
    """Focus node and path of every result of a report in Turtle or N-Triples."""
    from pyoxigraph import RdfFormat, parse

    shacl = "http://www.w3.org/ns/shacl#"
    said: dict[Any, dict[str, Any]] = {}
    results = []
    for quad in parse(path=str(report), format=RdfFormat.TURTLE, lenient=True):
        said.setdefault(quad.subject, {})[quad.predicate.value] = quad.object
        if quad.predicate.value == f"{shacl}result":
            results.append(quad.object)
    return [
        tuple(getattr(said[r].get(f"{shacl}{name}"), "value", "") for name in FIELDS)
        for r in results
    ]


FIELDS: Final = ("focusNode", "resultPath")


def _row(
    engine: str, task: Task, whole: Measured, loaded: tuple[float, float], pairs: Iterable[Pair]
) -> Row:
    own = task.own(pairs)
    return Row(
        engine=engine,
        datasets=task.datasets,
        wall=whole.wall,
        cpu=whole.cpu,
        loaded_wall=loaded[0],
        loaded_cpu=loaded[1],
        pss=whole.pss,
        results=len(own),
        agrees=set(own) == task.answers,
    )


def exponents(rows: Sequence[Row]) -> list[str]:
    """How the processor time of each engine grows between its smallest and its largest size."""
    found = []
    for engine in dict.fromkeys(row.engine for row in rows):
        mine = [row for row in rows if row.engine == engine and not row.reckoned]
        first, last = mine[0], mine[-1]
        if last.datasets > first.datasets:
            growth = math.log(last.cpu / first.cpu) / math.log(last.datasets / first.datasets)
            found.append(f"{engine} {growth:.2f}")
    return found


def compare(reference: Path, sizes: Sequence[int], engines: Sequence[str], slow: int) -> None:
    """The table of all engines on all sizes."""
    official = [reference / "profiles" / "dcat-ap-3.0.1" / f"{name}.ttl" for name in SPLIT]
    environments = Path(tempfile.gettempdir()) / "bilbaokg-peers"
    before = machine()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        folder = Path(temporary)
        shapes_of(folder, official)
        for size in sorted(sizes):
            made = task(folder, size)
            for engine in engines:
                rows.append(_measure(engine, made, environments, rows, slow))
                print(" ".join(rows[-1].cells), file=sys.stderr, flush=True)
            made.data.unlink()
            made.with_background.unlink()
    packages = ", ".join(
        p for name in peers.PACKAGES if name in engines for p in peers.PACKAGES[name]
    )
    print(f"DCAT-AP 3.0.1, the official shapes in four files. {before}; {packages}\n")
    print(table(TITLES, [row.cells for row in rows]))
    if grown := exponents(rows):
        print(f"\nGrowth of the CPU time, as an exponent of the size: {', '.join(grown)}.")


def _measure(engine: str, task: Task, environments: Path, rows: Sequence[Row], slow: int) -> Row:
    measured = [row for row in rows if row.engine == engine and not row.reckoned]
    if engine in SLOW and measured and task.datasets > slow:
        return measured[-1].scaled(task.datasets)
    if engine in ENGINES:
        return measure_ours(engine, task)
    return measure_peer(engine, task, environments)


# ---- one record on save


def _saves(engine: str, data: str, profile: str) -> dict[str, Any]:
    """Seconds that validating one record and what it refers to takes, of SAVES datasets."""
    from bilbaokg import settings
    from bilbaokg.holdings import Around
    from bilbaokg.shacl import DEFAULT_ENGINE, check, check_record
    from bilbaokg.workspace import Workspace

    loaded = profiles.load(profile)
    took: list[float] = []
    sizes: list[int] = []
    with Workspace(Path(data), settings.read(Path(data))) as workspace:
        records = workspace.records
        datasets = [id for id in records.ids() if id.startswith("dataset/")]
        chosen = random.Random(1).sample(datasets, min(SAVES, len(datasets)))  # noqa: S311
        for number, id in enumerate([chosen[0], *chosen]):
            start = time.perf_counter()
            around = Around(records, id)
            lines = around.own()
            if engine == DEFAULT_ENGINE:
                check_record(lines, around, loaded)
            else:
                check(lines, loaded, engine=engine, known=around.lines(), partial=True)
            # The first one reads the shapes as well.
            if number:
                took.append(time.perf_counter() - start)
                sizes.append(len(lines))
    return {"seconds": took, "statements": sizes}


def saves(datasets: int, engines: Sequence[str], profile: str) -> None:
    """The table of validating one record on save."""
    before = machine()
    rows = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        data = Path(temporary) / "data"
        file = Path(temporary) / "catalogue.nt"
        with file.open("w", encoding="utf-8", newline="\n") as out:
            Detailed(datasets).write(out, "nt")
        ours = [sys.executable, "-m", "bilbaokg", "--quiet", "--data", str(data)]
        run([*ours, "init", "--base", DEFAULT_BASE])
        run([*ours, "load", "--source", "benchmark", str(file)])
        for engine in engines:
            found = _step("saves", engine, str(data), profile)
            times = sorted(1000 * seconds for seconds in found["seconds"])
            figures = (statistics.median(times), times[int(0.95 * len(times))], times[-1])
            size = f"{statistics.mean(found['statements']):.0f}"
            rows.append((engine, len(times), size, *(f"{ms:.1f}" for ms in figures)))
    print(f"One record on save, in a store of {datasets:,} datasets; {profile}. {before}\n")
    titles = ("engine", "records", "statements each", "median ms", "95 % ms", "largest ms")
    print(table(titles, rows))


# ---- the working store once more, after little or nothing changed


def _again(data: str, profile: str, verdicts: str) -> dict[str, Any]:
    """What validating all records takes, with the verdicts of the last time."""
    from bilbaokg import settings
    from bilbaokg.holdings import Holdings
    from bilbaokg.shacl import check_records
    from bilbaokg.workspace import Workspace

    loaded = profiles.load(profile)
    with Workspace(Path(data), settings.read(Path(data))) as workspace:
        holdings = Holdings(workspace.records)
        return _timed(lambda: check_records(holdings, loaded, Path(verdicts)))


def again(datasets: int, profile: str) -> None:
    """The table of validating the working store the first time, and again."""
    before = machine()
    rows = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        folder = Path(temporary)
        file, data = folder / "catalogue.nt", str(folder / "data")
        with file.open("w", encoding="utf-8", newline="\n") as out:
            Detailed(datasets).write(out, "nt")
        ours = [sys.executable, "-m", "bilbaokg", "--quiet", "--data", data]
        run([*ours, "init", "--base", DEFAULT_BASE])
        for change in ("all, the first time", "nothing changed", "one title changed"):
            if change.startswith("one"):
                _change_a_title(file)
            run([*ours, "load", "--source", "benchmark", str(file)])
            took = _step("again", data, profile, str(folder / "verdicts"))
            rows.append((change, f"{took['wall']:.2f}", f"{took['cpu']:.2f}"))
    print(f"The working store of {datasets:,} datasets; {profile}. {before}\n")
    print(table(("what changed", *TITLES[2:4]), rows))


def _change_a_title(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    changed = re.sub(
        r'(<[^>]*/dataset/\S+> <http://purl.org/dc/terms/title> ")', r"\1x", text, count=1
    )
    file.write_text(changed, encoding="utf-8")


# ---- shapes full of SPARQL


def spanish(reference: Path, engines: Sequence[str]) -> None:
    """The table of the DCAT-AP-ES shapes over 3,000 statements."""
    folder = reference / "profiles" / "dcat-ap-es-1.0.0"
    files = sorted(f for f in folder.glob("*.ttl") if "import" not in f.name)
    before = machine()
    rows = []
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        made = Task(Path(temporary), 1, frozenset(), frozenset())
        shapes_of(made.folder, files)
        statements = _repeat(folder / "examples" / "E_DCAT-AP-ES_full_optional.ttl", made.data, 10)
        for engine in engines:
            row = measure_ours(engine, made)
            seconds = (row.wall, row.cpu, row.loaded_wall, row.loaded_cpu)
            rows.append((engine, *(f"{s:.2f}" for s in seconds), f"{row.results:,}"))
    print(f"DCAT-AP-ES 1.0.0, {statements:,} statements. {before}\n")
    print(table((TITLES[0], *TITLES[2:6], TITLES[7]), rows))


def _repeat(example: Path, output: Path, times: int) -> int:
    """Write copies of an example that share nothing but what it only refers to."""
    lines = read_files([example])
    subjects = sorted({line.partition(" ")[0] for line in lines}, key=len, reverse=True)
    known = re.compile("|".join(re.escape(s) for s in subjects))
    text = []
    for number in range(times):
        text += [known.sub(lambda m, n=number: _renamed(m[0], n), line) for line in lines]
    output.write_text(_text(text), encoding="utf-8")
    return len(text)


def _renamed(term: str, number: int) -> str:
    return f"{term[:-1]}-{number}>" if term.startswith("<") else f"{term}x{number}"


# ---- the program

STEPS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "loaded": _loaded,
    "saves": _saves,
    "again": _again,
}


def _step(name: str, *arguments: str) -> dict[str, Any]:
    """Run a step in a process of its own."""
    found: dict[str, Any] = json.loads(
        run([sys.executable, __file__, "--step", name, *arguments]).output
    )
    return found


def main() -> None:
    """Measure and print."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    engines = [*sorted(ENGINES), *peers.PACKAGES]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reference", type=Path, default=beside, help="official shapes")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000], metavar="N")
    parser.add_argument("--engines", nargs="+", choices=engines, default=engines)
    parser.add_argument("--slow", type=int, default=1000, metavar="N", help="pySHACL up to here")
    parser.add_argument("--save", type=int, metavar="N", help="one record, in a store of N")
    parser.add_argument("--again", type=int, metavar="N", help="a store of N, after changes")
    parser.add_argument("--profile", default="dcat-ap/3.0.1", help="of --save and --again")
    parser.add_argument("--spanish", action="store_true", help="the DCAT-AP-ES shapes")
    options = parser.parse_args()
    ours = [engine for engine in options.engines if engine in ENGINES]
    if options.save:
        saves(options.save, ours, options.profile)
    elif options.again:
        again(options.again, options.profile)
    elif options.spanish:
        spanish(options.reference, ours)
    else:
        compare(options.reference, options.sizes, options.engines, options.slow)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(STEPS[sys.argv[2]](*sys.argv[3:])))
    else:
        main()
