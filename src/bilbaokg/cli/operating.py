"""Where the operations of verbs run, and on which settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bilbaokg import settings
from bilbaokg.console import Console
from bilbaokg.errors import NotFound, StoreBusy
from bilbaokg.operations import OPERATIONS
from bilbaokg.server import control
from bilbaokg.workspace import Workspace, is_initialised

__all__ = ["configuration_of", "known_settings", "operate"]


def configuration_of(console: Console) -> settings.Settings:
    """The settings of the data directory. Raises NotFound when there is none."""
    if not is_initialised(console.data):
        raise NotFound(
            "no catalogue here",
            where=str(console.data),
            hint="run: bilbaokg init, or give --data DIR",
        )
    return settings.read(console.data)


def known_settings(console: Console) -> settings.Settings:
    """The settings of the data directory, or the defaults where there is none."""
    return settings.read(console.data if is_initialised(console.data) else None)


def operate(console: Console, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Run an operation: in the server that holds the directory, else here."""
    params = {"lang": console.lang, **params}
    configuration = configuration_of(console)
    with console.progress() as progress:
        if control.available(console.data):
            return _asked(console, name, params, progress)
        try:
            workspace = Workspace(console.data, configuration)
        except StoreBusy:
            # A server takes the directory some time before it answers.
            if not control.available(console.data):
                raise
            return _asked(console, name, params, progress)
        with workspace:
            return OPERATIONS[name](workspace, params, progress)


def _asked(
    console: Console, name: str, params: dict[str, Any], progress: Callable[..., None]
) -> dict[str, Any]:
    """What the server answers that holds the directory."""
    try:
        return control.call(console.data, name, params, progress)
    except KeyboardInterrupt:
        console.note("The server goes on with it to its end.")
        raise
