"""How fast are the feeds of a release built and served, and how much memory does that take?

    python benchmarks/feeds.py 10000 [--page-size 100] [--port P] [--build-only]

The exports of a generated catalogue of N datasets (65 statements each) are built as a release
builds them, in a process of its own; then the real server is asked for pages of each feed by `wrk`,
16 connections that are kept, each page in turn, plain, packed, and by clients that have it already.
Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from detailed import Detailed
from generate import DEFAULT_BASE
from load_and_release import MIB
from measure import machine, memory, run, table
from serve import serving

__all__ = ["main"]

FEEDS: Final = ("/catalog.rdf", "/feeds/dcat-ap-es/catalog.rdf", "/feeds/ckan/catalog.rdf")
SECONDS: Final = 5
# Asks for the pages in turn; `tags` are the ETags, so that a page that is known is said so.
SCRIPT: Final = """
local paths, tags, turn = {%(paths)s}, {%(tags)s}, 0
request = function()
  turn = turn %% #paths + 1
  local headers = {["Accept-Encoding"] = "%(encoding)s"}
  if tags[turn] then headers["If-None-Match"] = tags[turn] end
  return wrk.format("GET", paths[turn], headers)
end
"""


# ---- building


def build(data: str) -> dict[str, Any]:
    """Build the exports of the working store's records once more, beside the release."""
    from bilbaokg import exports, selection, settings
    from bilbaokg.bundle import Bundle
    from bilbaokg.workspace import Workspace

    known = settings.read(Path(data))
    with Workspace(Path(data), known) as workspace:
        records = selection.select(Bundle(workspace.records.all()), known).records
        start = time.perf_counter()
        left = exports.build(Path(data) / "exports-again", records, known)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "targets": len(left), "records": len(records)}


def prepared(folder: Path, datasets: int, page_size: int) -> Path:
    """A data directory with a published release."""
    data, file = folder / "data", folder / "catalogue.nt"
    with file.open("w", encoding="utf-8") as out:
        Detailed(datasets).write(out, "nt")
    bilbaokg = [sys.executable, "-m", "bilbaokg", "--data", str(data), "--json"]
    run([*bilbaokg, "init", "--base", DEFAULT_BASE])
    with (data / "settings.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"page_size = {page_size}\n")
    run([*bilbaokg, "load", "--source", "benchmark", str(file)])
    step = [sys.executable, str(Path(__file__).with_name("load_and_release.py")), "--step"]
    run([*step, "operate", str(data), "release.build", json.dumps({"unchecked": True})])
    run([*bilbaokg, "release", "publish"])
    return data


# ---- serving


def pages(port: int, path: str, count: int) -> list[tuple[str, str]]:
    """The pages of a feed, up to `count`, each with its ETag when it is packed."""
    found = []
    for number in range(1, count + 1):
        page = f"{path}?page={number}"
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}{page}", headers={"Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310  our own server
            found.append((page, answer.headers["ETag"]))
    return found


def rate(port: int, asked: list[tuple[str, str]], encoding: str, *, known: bool) -> str:
    """Requests a second of these pages in turn."""
    tags = ",".join(json.dumps(tag) for _, tag in asked) if known else ""
    paths = ",".join(json.dumps(path) for path, _ in asked)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % {"paths": paths, "tags": tags, "encoding": encoding})
        script.flush()
        command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", script.name]
        told = run([*command, f"http://127.0.0.1:{port}/"]).output
    found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    wrong = re.search(r"Non-2xx[^\n]*", told)
    return wrong[0] if wrong else f"{float(found[1]):,.0f}" if found else "-"


def served(data: Path, port: int, count: int) -> tuple[list[tuple[str, ...]], int]:
    """For each feed its rates plain, packed and known; and the bytes that the server took."""
    rows = []
    with serving(data, port) as (process, _):
        for path in FEEDS:
            asked = pages(port, path, count)
            plain, packed = (rate(port, asked, way, known=False) for way in ("identity", "gzip"))
            rows.append((path, plain, packed, rate(port, asked, "gzip", known=True)))
        return rows, memory(process.pid)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int, nargs="?", default=10_000)
    parser.add_argument("--page-size", type=int, default=100)
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--step", metavar="DIR", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(build(options.step)))
        return
    os.environ["BILBAOKG_PUBLIC_URL"] = f"http://127.0.0.1:{options.port}"
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bilbaokg-benchmark-") as temporary:
        data = prepared(Path(temporary), options.datasets, options.page_size)
        built = run([sys.executable, __file__, "--step", str(data)])
        told = json.loads(built.output)
        print(f"{options.datasets:,} datasets in pages of {options.page_size}. {before}\n")
        print(
            f"{told['targets']} feeds of {told['records']:,} records were built in "
            f"{told['seconds']:.1f} s; reading the records and building took "
            f"{built.memory / MIB:,.0f} MiB.\n"
        )
        if options.build_only:
            return
        if not shutil.which("wrk"):
            raise SystemExit("wrk is not on the path: only the build was measured")
        count = max(options.datasets // options.page_size, 1)
        rows, peak = served(data, options.port, count)
    print(f"The server with its workers took {peak / MIB:,.0f} MiB.\n")
    print(table(["feed", "plain/s", "packed/s", "known (304)/s"], rows))


if __name__ == "__main__":
    main()
