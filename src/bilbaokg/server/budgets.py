"""What a client may use in a minute: two leaky buckets each, one of query time, one of errors.

A bucket fills with what a client used and runs out evenly, a whole one in a minute. While one is
full the client is refused; as soon as it is no longer, the next request is let in. What a client
owes is reckoned when it asks, so that nothing has to run in between.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["MOST_CLIENTS", "Account", "Budgets"]

MOST_CLIENTS: Final = 10_000
_MINUTE: Final = 60.0
# A part of a bucket, and of a second, that is a matter of rounding.
_PART: Final = 1e-9
_MOMENT: Final = 1e-6


@dataclass(slots=True)
class Account:
    """What a client used: what is in its buckets (at the moment `at`), and in all.

    time_level: seconds of query time; error_level: errors. refused: how often it was refused since
    it was last let in; queries, seconds, errors, refusals: since it is known.
    """

    at: float
    time_level: float = 0.0
    error_level: float = 0.0
    refused: int = 0
    queries: int = 0
    seconds: float = 0.0
    errors: int = 0
    refusals: int = 0


class Budgets:
    """The accounts of the clients that were last here, `most` of them.

    seconds, errors: what each may use in a minute; 0 is without a limit. Not for several threads.
    """

    def __init__(
        self,
        seconds: float,
        errors: float,
        *,
        most: int = MOST_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds, self.errors, self.most, self.clock = seconds, errors, most, clock
        self.accounts: OrderedDict[str, Account] = OrderedDict()

    def has_room(self, client: str) -> bool:
        """Whether the next request of a client is let in."""
        account = self.accounts.get(client)
        return account is None or not self._owes(account)

    def wait(self, client: str) -> int:
        """Seconds until the next request of a client is let in; 0 when it is now."""
        account = self.accounts.get(client)
        if account is None:
            return 0
        wait = self._owes(account)
        if wait:
            self.accounts.move_to_end(client)
            account.refused += 1
            account.refusals += 1
        else:
            account.refused = 0
        return wait

    def charge(self, client: str, seconds: float, *, error: bool = False) -> None:
        """Write down a query: how long it held a worker, and whether it was one more error."""
        account = self.accounts.get(client)
        if account is None:
            account = self.accounts[client] = Account(self.clock())
            if len(self.accounts) > self.most:
                self.accounts.popitem(last=False)
        else:
            self._leak(account)
            self.accounts.move_to_end(client)
        account.time_level += seconds
        account.seconds += seconds
        account.queries += 1
        if error:
            account.error_level += 1
            account.errors += 1

    def _owes(self, account: Account) -> int:
        self._leak(account)
        return max(
            _until(account.time_level, self.seconds), _until(account.error_level, self.errors)
        )

    def _leak(self, account: Account) -> None:
        now = self.clock()
        passed = (now - account.at) / _MINUTE
        account.at = now
        account.time_level = max(account.time_level - passed * self.seconds, 0.0)
        account.error_level = max(account.error_level - passed * self.errors, 0.0)


def _until(level: float, limit: float) -> int:
    """Whole seconds until a bucket is no longer full."""
    if not limit or level < limit * (1 - _PART):
        return 0
    return int((level - limit) * _MINUTE / limit + _MOMENT) + 1
