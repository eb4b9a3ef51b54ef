"""The verb of whoever is on call: doctor."""

from __future__ import annotations

from typing import Final

from bilbaokg import checkup
from bilbaokg.checkup import Line
from bilbaokg.cli.base import DONE, FAILED, FINDINGS, group, verb
from bilbaokg.console import Console

__all__: list[str] = []

_STYLES: Final = {checkup.WARNING: "yellow", checkup.PROBLEM: "bold red", checkup.UNSEEN: "bold"}
_CODES: Final = {checkup.OK: DONE, checkup.UNSEEN: FAILED}


@verb(group, "doctor")
def doctor(console: Console) -> int:
    """Look whether all is well with the data directory and its server; changes nothing.

    Example: bilbaokg doctor

    Exit code 1 with warnings or problems, 2 where it could not look at something.
    """
    found: list[Line] = []
    for line in checkup.examine(console.data):
        found.append(line)
        if not console.as_json and (not console.quiet or line.state != checkup.OK):
            _tell(console, line)
    worst = max((line.state for line in found), key=checkup.STATES.index)
    lines = [line.as_dict() for line in found]
    result = {"data": str(console.data), "state": worst, "checks": lines}
    console.result(result, lambda: None)
    return _CODES.get(worst, FINDINGS)


def _tell(console: Console, line: Line) -> None:
    console.say(f"{line.state:<8} {line.check:<10} {line.text}", _STYLES.get(line.state, ""))
    if line.hint:
        console.say(f"{'':<19} {line.hint}")
