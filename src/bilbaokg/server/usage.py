"""How the server is used: who may ask now, and what was asked, by endpoint and outcome.

Every query goes through `Usage.query`: it lets the client in or raises TooManyRequests, and at the
end writes down what the query used and how it ended. All of it happens on the event loop, in a few
microseconds and without a lock; readers in other threads copy.
"""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from bilbaokg.errors import (
    BadInput,
    BilbaokgError,
    DeadlineExceeded,
    Forbidden,
    MemoryExceeded,
    NotAcceptable,
    Overloaded,
    TooManyRequests,
    WorkerCrashed,
)
from bilbaokg.server.budgets import Budgets
from bilbaokg.server.clients import Clients, is_loopback
from bilbaokg.server.evaluation import Stopped
from bilbaokg.server.query_log import QueryLog
from bilbaokg.settings import Settings

__all__ = ["BUCKETS", "OUTCOMES", "Asking", "Times", "Usage", "endpoint_of", "outcome_of"]

log = logging.getLogger(__name__)

BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, in seconds, of the classes into which query times are counted."""
# First segment of the path -> name of the endpoint; the pages are under their language.
_ENDPOINTS: Final = {
    "sparql": "sparql", "working": "working", "scratch": "scratch", "api": "saved",
}  # fmt: skip
OUTCOMES: Final[tuple[tuple[type[BilbaokgError], str], ...]] = (
    (TooManyRequests, "rate"),
    (DeadlineExceeded, "deadline"),
    (MemoryExceeded, "memory"),
    (Overloaded, "overloaded"),
    (WorkerCrashed, "crashed"),
)
"""How queries end that are stopped, the most special class first."""
# What counts as an error of the client: the query itself was wrong or too much. That the server
# has no room, or that its disk fails, is not held against anybody.
_FAULTS: Final = (
    BadInput, Forbidden, NotAcceptable, WorkerCrashed, DeadlineExceeded, MemoryExceeded,
)  # fmt: skip


def endpoint_of(scope: Any) -> str:
    """Which endpoint a request is for: sparql, working, scratch, saved or page."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return _ENDPOINTS.get(path[1:].partition("/")[0], "page")


def outcome_of(error: BaseException | None) -> str:
    """How a query ended, in a word: done, refused, deadline, memory, cancelled, rate...

    `cancelled` is one whose client went away, or that the end of the server cut.
    """
    if error is None:
        return "done"
    if isinstance(error, Stopped) or not isinstance(error, Exception):
        return "cancelled"
    for kind, outcome in OUTCOMES:
        if isinstance(error, kind):
            return outcome
    known = isinstance(error, BilbaokgError) and error.status < 500
    return "refused" if known else "failed"


@dataclass(slots=True)
class Times:
    """Query times of one endpoint: their sum, and how many are in each class of BUCKETS.

    The last count is of those over the last bound.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    waited: float = 0.0

    def add(self, seconds: float, waited: float) -> None:
        """Count one query."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        self.waited += waited


class Asking:
    """One query under way: a context around it, told of what happens to it.

    `cut` is what ended an answer that had begun; `bytes` what of it was sent.
    """

    __slots__ = (
        "_asked", "_began", "bytes", "client", "cut", "endpoint", "request_id", "text", "usage",
    )  # fmt: skip

    def __init__(
        self, usage: Usage, client: str, endpoint: str, request_id: str | None, text: bytes
    ) -> None:
        self.usage, self.client, self.text = usage, client, text
        self.endpoint, self.request_id = endpoint, request_id
        self.cut: BaseException | None = None
        self.bytes = 0
        self._asked = usage.clock()
        self._began = 0.0

    def begin(self) -> None:
        """A worker takes it: from now on it uses query time."""
        self._began = self.usage.clock()

    def __enter__(self) -> Asking:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        now = self.usage.clock()
        began = self._began or now
        self.usage.finish(self, error or self.cut, now - began, began - self._asked)


class Usage:
    """Limits and counts of one server.

    host: the address that the server is bound to. log: told of every query that was slow, failed
    or was stopped. short: how many queries the application did not have to look at.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        host: str = "127.0.0.1",
        *,
        log: QueryLog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or Settings()
        self.clients = Clients(self.settings.trusted_proxies)
        # Alone on this machine there is nobody to protect from; behind a proxy that is not named
        # everybody would be one client.
        self.limited = bool(self.settings.trusted_proxies) or not is_loopback(host)
        self.budgets = Budgets(
            self.settings.client_query_seconds, self.settings.client_errors, clock=clock
        )
        self.log, self.clock = log or QueryLog(None), clock
        self.started = clock()
        self._warned = False
        self.short = 0
        self.requests: Counter[tuple[str, int]] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.times: dict[str, Times] = {}

    def answered(self, scope: Any, status: int) -> None:
        """Count a request by its action, and the status that it gets."""
        self.requests[scope.get("bilbaokg.action", "none"), status] += 1

    def repeated(self, counted: tuple[str, int]) -> None:
        """Count a request that was answered as one before it: its action and status."""
        self.requests[counted] += 1

    def query(self, scope: Any, text: bytes) -> Asking:
        """Let a query in. Raises TooManyRequests."""
        client, identity = self.clients.of(scope), scope.get("bilbaokg.request_id")
        asking = Asking(self, client, endpoint_of(scope), identity, text)
        if self.limited and (wait := self.budgets.wait(asking.client)):
            self._warn(scope)
            self._refuse(asking, wait)
        return asking

    def admits(self, client: str) -> bool:
        """Whether `query` would let one in."""
        return not self.limited or self.budgets.has_room(client)

    def _warn(self, scope: Any) -> None:
        """A proxy that is not named makes one client of all who come through it."""
        if self._warned or self.settings.trusted_proxies:
            return
        if any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            self._warned = True
            log.warning(
                "a client over its limit sent X-Forwarded-For: "
                "if it is your proxy, name it in trusted_proxies of settings.toml"
            )

    def _refuse(self, asking: Asking, wait: int) -> None:
        self.outcomes[asking.endpoint, "rate"] += 1
        if self.budgets.accounts[asking.client].refused == 1:
            # Who goes on asking is not told of again and again.
            self._tell(asking, "rate", 0.0, 0.0)
        raise TooManyRequests(
            "what one client may ask in a minute is used up",
            hint=f"wait {wait} s; a minute has room for {self.settings.client_query_seconds:g} s "
            f"of query time and {self.settings.client_errors} errors",
            retry_after=wait,
        )

    def finish(
        self, asking: Asking, error: BaseException | None, seconds: float, waited: float
    ) -> None:
        """Count a query that is over, and charge its client."""
        outcome = outcome_of(error)
        self.outcomes[asking.endpoint, outcome] += 1
        times = self.times.get(asking.endpoint)
        if times is None:
            times = self.times[asking.endpoint] = Times()
        times.add(seconds, waited)
        self.budgets.charge(asking.client, seconds, error=isinstance(error, _FAULTS))
        if error is not None or seconds >= self.settings.slow_query_seconds:
            self._tell(asking, outcome, seconds, waited)

    def _tell(self, asking: Asking, outcome: str, seconds: float, waited: float) -> None:
        """Have a query noted. seconds: it held a worker; waited: before it had one."""
        self.log.note({
            "at": time.time(), "endpoint": asking.endpoint, "outcome": outcome,
            "seconds": round(seconds, 4), "waited": round(waited, 4), "bytes": asking.bytes,
            "client": asking.client, "request_id": asking.request_id, "text": asking.text,
        })  # fmt: skip
