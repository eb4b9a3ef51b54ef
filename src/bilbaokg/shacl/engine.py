"""The engines: their protocol and their table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from bilbaokg.errors import BadInput
from bilbaokg.shacl.finding import Checked
from bilbaokg.shacl.graph import Layers
from bilbaokg.shacl.prepared import Prepared
from bilbaokg.shacl.run import Run, ignore

__all__ = ["BOTH", "COMPARED", "DEFAULT_ENGINE", "ENGINES", "Engine", "load"]

DEFAULT_ENGINE: Final = "fast"
BOTH: Final = "both"
"""Both engines: the report is the first one's, with what they do not agree on."""
COMPARED: Final = ("fast", "pyshacl")


class Engine(Protocol):
    """Validates data against prepared shapes, without inference.

    entering: told the shape before a test that may take for ever, by engines that can. Raises
    Invalid when the shapes are malformed (SHACL, section 3.4.3).
    """

    def __call__(
        self, data: Layers, prepared: Prepared, entering: Callable[[str], None] = ignore
    ) -> Checked: ...


def _fast() -> Engine:
    def engine(
        data: Layers, prepared: Prepared, entering: Callable[[str], None] = ignore
    ) -> Checked:
        run = Run(prepared.program, data, entering)
        return Checked(list(run.findings()), run.focus_nodes)

    return engine


def _pyshacl() -> Engine:
    from bilbaokg.shacl.reference import engine

    return engine


# Each engine is loaded when it is first asked for: rdflib takes half a second.
ENGINES: Final[dict[str, Callable[[], Engine]]] = {"fast": _fast, "pyshacl": _pyshacl}


def load(name: str) -> Engine:
    """The engine of a name. Raises BadInput naming those that there are."""
    if name not in ENGINES:
        names = ", ".join(sorted((*ENGINES, BOTH)))
        raise BadInput(f"unknown engine {name!r}", hint=f"engines: {names}")
    return ENGINES[name]()
