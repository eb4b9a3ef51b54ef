"""`/metrics`: the counts of the server in the text format that Prometheus reads (version 0.0.4).

Nothing is counted for it: what `usage.py` and others know is put into families when somebody asks.
A new figure is a line in `_FIGURES`. No label takes values from requests: actions, statuses,
endpoints and outcomes are few and known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bilbaokg.server.clients import is_loopback
from bilbaokg.server.context import Context
from bilbaokg.server.usage import BUCKETS
from bilbaokg.terms import DCAT

__all__ = ["is_open", "open_routes", "routes"]

Figure = Callable[[Context], float | None]
Family = type[GaugeMetricFamily] | type[CounterMetricFamily]
_PREFIX: Final = "bilbaokg_"
_BOUNDS: Final = (*(str(bound) for bound in BUCKETS), "+Inf")


def is_open(context: Context) -> bool:
    """Whether everybody may read them: where the setting says so, and where only this machine asks.

    A server on loopback may stand behind a proxy, which then says so in `public_url`.
    """
    settings = context.settings
    here = is_loopback(urlsplit(settings.public_url).hostname or "")
    return settings.metrics_public or (here and not context.usage.limited)


def open_routes(context: Context) -> list[BaseRoute]:
    """The address, where it is open."""
    return _routes(context) if is_open(context) else []


def routes(context: Context) -> list[BaseRoute]:
    """The address, where a token is needed."""
    return [] if is_open(context) else _routes(context)


def _routes(context: Context) -> list[BaseRoute]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Families(context))
    headers = {"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_PLAIN_0_0_4}

    def answer(request: Request) -> Response:
        return Response(generate_latest(registry), headers=headers)

    return [Route("/metrics", answer, methods=["GET"], name="metrics")]


# ---- single figures


def _release_time(context: Context) -> float | None:
    release = context.current()
    return datetime.fromisoformat(release.created_at).timestamp() if release else None


def _release_records(context: Context) -> float | None:
    release = context.current()
    return len(release.manifest["content"]["entries"]) if release else None


def _release_datasets(context: Context) -> float | None:
    release = context.current()
    return release.manifest["content"]["counts"].get(DCAT.Dataset, 0) if release else None


# Name -> its family, what it is, and where it comes from; None leaves it out.
_FIGURES: Final[dict[str, tuple[Family, str, Figure]]] = {
    "release_created_timestamp_seconds": (
        GaugeMetricFamily, "When the release that is served was built.", _release_time),
    "release_records": (
        GaugeMetricFamily, "Records of the release that is served.", _release_records),
    "release_datasets": (
        GaugeMetricFamily, "Datasets of the release that is served.", _release_datasets),
    "workers": (GaugeMetricFamily, "Query workers.", lambda c: c.lanes.size),
    "workers_busy": (GaugeMetricFamily, "Query workers that are at work.", lambda c: c.lanes.busy),
    "worker_replacements": (
        CounterMetricFamily, "Workers that were killed or ended, and gave way to new ones.",
        lambda c: c.lanes.replaced),
    "queries_waiting": (
        GaugeMetricFamily, "Queries that wait for a worker.", lambda c: c.lanes.queued),
    "queries_short": (
        CounterMetricFamily,
        "Queries that went from the connection to a worker and back, like others before them.",
        lambda c: c.usage.short),
    "answers_kept_bytes": (
        GaugeMetricFamily, "Answers that are kept for who asks the same again.",
        lambda c: c.kept.size + c.replays.size),
    "answers_kept_hits": (
        CounterMetricFamily, "Requests that were answered from what is kept.",
        lambda c: c.kept.hits + c.replays.hits),
    "answers_kept_misses": (
        CounterMetricFamily, "Queries that were looked for in vain in what is kept.",
        lambda c: c.kept.misses),
    "query_log_lines_lost": (
        CounterMetricFamily, "Lines of the log of queries that could not be written.",
        lambda c: c.usage.log.lost),
}  # fmt: skip


# ---- families with labels


class _Families(Collector):
    """Makes the families anew each time they are asked for."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def collect(self) -> Iterable[Metric]:
        """All families of ours."""
        release = self.context.current()
        yield InfoMetricFamily(
            f"{_PREFIX}release", "The release that is served, empty before the first.",
            {"id": release.id if release else ""},
        )  # fmt: skip
        yield InfoMetricFamily(f"{_PREFIX}build", "The program.", {"version": version("bilbaokg")})
        for name, (family, about, figure) in _FIGURES.items():
            if (value := figure(self.context)) is not None:
                yield family(f"{_PREFIX}{name}", about, value=value)
        yield from self._usage()

    def _usage(self) -> Iterator[Metric]:
        usage = self.context.usage
        requests = CounterMetricFamily(
            f"{_PREFIX}http_requests", "Requests by what they do and the status of the answer.",
            labels=["action", "status"],
        )  # fmt: skip
        # Copies: the event loop goes on counting.
        for (action, status), count in sorted(usage.requests.items()):
            requests.add_metric([action, str(status)], count)
        yield requests
        queries = CounterMetricFamily(
            f"{_PREFIX}queries", "Queries by endpoint and how they ended.",
            labels=["endpoint", "outcome"],
        )  # fmt: skip
        for (endpoint, outcome), count in sorted(usage.outcomes.items()):
            queries.add_metric([endpoint, outcome], count)
        yield queries
        seconds = HistogramMetricFamily(
            f"{_PREFIX}query_seconds", "How long queries hold a worker.", labels=["endpoint"]
        )
        waited = CounterMetricFamily(
            f"{_PREFIX}query_wait_seconds", "How long queries waited for a worker.",
            labels=["endpoint"],
        )  # fmt: skip
        for endpoint, times in sorted(usage.times.items()):
            counts = list(zip(_BOUNDS, accumulate(times.counts), strict=True))
            seconds.add_metric([endpoint], counts, times.seconds)
            waited.add_metric([endpoint], times.waited)
        yield seconds
        yield waited
