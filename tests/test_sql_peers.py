"""The extra `fast`: SQL is read the same by sqlglot as it is compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from test_export_peers import environment

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
TESTS = ("lineage_sql", "sql_*", "dbt", "scan")


def test_compiled_sqlglot_passes_the_tests_of_sql(request: pytest.FixtureRequest) -> None:
    python = environment(request, (f"sqlglot[c]=={version('sqlglot')}",))
    where = "import sysconfig; print(sysconfig.get_path('platlib'))"
    site = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    # Before our own, which has no compiled modules.
    environ = {**os.environ, "PYTHONPATH": site.stdout.strip()}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=HERE.parent, env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        return done.stdout

    assert run("-c", "import sqlglot.parser; print(sqlglot.parser.__file__)").endswith(".so\n")
    files = sorted(str(path) for name in TESTS for path in HERE.glob(f"test_{name}.py"))
    told = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files)
    assert " passed" in told.splitlines()[-1]
