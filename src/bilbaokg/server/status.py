"""What a running server tells of itself over the control socket: how it is used, and by whom."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from bilbaokg.server.context import Context
from bilbaokg.server.query_log import slowest

__all__ = ["status"]

_CLIENTS: Final = 10


def status(context: Context) -> dict[str, Any]:
    """Plain JSON; see docs/howto/operate.md for what each member means."""
    usage, lanes, kept, replays = context.usage, context.lanes, context.kept, context.replays
    # Copies: the event loop goes on counting.
    counts = list(usage.outcomes.items())
    outcomes: Counter[str] = Counter()
    endpoints: Counter[str] = Counter()
    for (endpoint, outcome), count in counts:
        outcomes[outcome] += count
        endpoints[endpoint] += count
    release = context.current()
    log = usage.log
    return {
        "uptime_seconds": round(usage.clock() - usage.started, 1),
        "release": release.id if release else None,
        "queries": {
            "total": outcomes.total(),
            "seconds": round(sum(each.seconds for each in list(usage.times.values())), 3),
            "outcomes": dict(outcomes),
            "endpoints": dict(endpoints),
        },
        "workers": {"total": lanes.size, "busy": lanes.busy, "replaced": lanes.replaced},
        "waiting": lanes.queued,
        "kept": {
            "bytes": kept.size + replays.size,
            "hits": kept.hits + replays.hits,
            "misses": kept.misses,
        },
        "limits": {
            "on": usage.limited,
            "client_query_seconds": context.settings.client_query_seconds,
            "client_errors": context.settings.client_errors,
        },
        "log": {"file": str(log.file) if log.file else None, "lost": log.lost},
        "slowest": slowest(list(log.recent)),
        "clients": _busiest(context),
    }


def _busiest(context: Context) -> list[dict[str, Any]]:
    """The clients that used most query time of those that are known, without saying who."""
    usage = context.usage
    known = list(usage.budgets.accounts.items())
    known.sort(key=lambda item: (-item[1].seconds, -item[1].queries))
    return [
        {
            "client": usage.log.name(client),
            "queries": account.queries,
            "seconds": round(account.seconds, 3),
            "errors": account.errors,
            "refusals": account.refusals,
        }
        for client, account in known[:_CLIENTS]
    ]
