"""Run one operation on a data directory: python -m faults.operate DATA NAME PARAMS-AS-JSON.

For what the command line does not offer: a release without validation, each step of progress as a
line of JSON at once, and holding a directory (`hold`) until standard input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bilbaokg import settings
from bilbaokg.operations import OPERATIONS
from bilbaokg.workspace import Workspace

__all__: list[str] = []


def _main() -> None:
    data, name = Path(sys.argv[1]), sys.argv[2]
    with Workspace(data, settings.read(data)) as workspace:
        if name == "hold":
            print("held", flush=True)
            sys.stdin.read()
        else:
            _say({"result": OPERATIONS[name](workspace, json.loads(sys.argv[3]), _progress)})


def _progress(done: int, total: int | None, text: str) -> None:
    _say({"progress": [done, total, text]})


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    _main()
