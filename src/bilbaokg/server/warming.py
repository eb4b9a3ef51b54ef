"""What a release is asked for again and again is reckoned before anybody asks.

A thread looks for a new release every few seconds, opens it and makes what its pages share:
templates, the graph of lineage, compliance, duties, and the indexes of the releases before it,
which are made again where they are of an older format.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from bilbaokg import index, render
from bilbaokg.errors import BilbaokgError
from bilbaokg.server import finding_list, findings, history
from bilbaokg.server.dashboards import TREND

if TYPE_CHECKING:
    from bilbaokg.server.context import Context
    from bilbaokg.server.reading import Opened

__all__ = ["Warmer"]

log = logging.getLogger(__name__)

_PAUSE: Final = 3.0
_LEAVE_SECONDS: Final = 1.0


class Warmer:
    """Works beside the server while it is entered; `pause` is how often it looks, in seconds."""

    def __init__(self, context: Context, pause: float = _PAUSE) -> None:
        self.context, self.pause = context, pause
        self.done = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="warmer", daemon=True)

    def __enter__(self) -> Warmer:
        # An index of an older format is made again before the first reader waits for it.
        self._do(self.context.current_id(), self.context.catalogue.current)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(_LEAVE_SECONDS)

    @property
    def busy(self) -> bool:
        """Whether it is still at a step that cannot be stopped."""
        return self._thread.is_alive()

    def _work(self) -> None:
        while not self._stopped.wait(self.pause):
            if (id := self.context.current_id()) != self.done:
                for step in self._steps():
                    if self._stopped.is_set():
                        return
                    self._do(id, step)
                self.done = id

    def _do(self, id: str, step: Callable[[], object]) -> None:
        try:
            step()
        except (BilbaokgError, OSError) as error:
            # Whoever asks for the page is told.
            log.warning("release %s is not all ready beforehand: %s", id, error)

    def _steps(self) -> Iterator[Callable[[], object]]:
        yield render.warm
        for name in render.environment().list_templates(["html"]):
            yield partial(render.environment().get_template, name)
        for part in ("lineage", "compliance", "terms", "results_of"):
            yield partial(self._make, part)
        for id in self.context.public_ids()[-TREND:]:
            yield partial(self._index, id)
        yield partial(self._make, "duties")
        for warm in (history.warm, findings.warm, finding_list.warm):
            yield partial(self._warm, warm)

    def _make(self, part: str) -> None:
        getattr(self.context.catalogue.current(), part, None)

    def _warm(self, warm: Callable[[Context, Opened], None]) -> None:
        if opened := self.context.catalogue.current():
            warm(self.context, opened)

    def _index(self, id: str) -> None:
        index.of(self.context.releases.get(id), self.context.cache)
