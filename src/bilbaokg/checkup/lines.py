"""What a check says: one line, and how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from bilbaokg.errors import BadInput, BilbaokgError, StorageFault

__all__ = ["OK", "PROBLEM", "STATES", "UNSEEN", "WARNING", "Line", "Said", "lines_of"]

OK, WARNING, PROBLEM, UNSEEN = "ok", "warning", "problem", "unseen"
STATES: Final = (OK, WARNING, PROBLEM, UNSEEN)
"""From the lightest to what counts most: where nobody could look, nothing is known."""

Said = Iterable[tuple[str, str, str | None]]
"""What a check finds: (state, text, hint or None)."""


@dataclass(frozen=True, slots=True)
class Line:
    """check: what was looked at; state: one of STATES; hint: how to mend it, None where well."""

    check: str
    state: str
    text: str
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON members."""
        return asdict(self)


def _mending(error: BilbaokgError) -> str:
    if isinstance(error, BadInput):
        return "write a value that fits, as the reference of the settings says"
    if isinstance(error, StorageFault):
        return "look at the disk, and whose the files are"
    return "restore a backup"


def lines_of(check: str, look: Callable[[], Said]) -> Iterator[Line]:
    """The lines of a check; of one that fails, too: what it raises is what it found."""
    try:
        for state, text, hint in look():
            yield Line(check, state, text, hint)
    except BilbaokgError as error:
        yield Line(check, PROBLEM, str(error), error.hint or _mending(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = "run it as the user of the server"
        yield Line(check, UNSEEN, f"{where}{error.strerror or error}", hint)
