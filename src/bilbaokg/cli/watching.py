"""The verb that looks at a catalogue and its server: status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from bilbaokg import wording
from bilbaokg.cli.base import DONE, group, verb
from bilbaokg.cli.operating import operate
from bilbaokg.console import Console
from bilbaokg.server import control, query_log
from bilbaokg.settings import MIB

__all__: list[str] = []

_TEXT: Final = 300


@verb(group, "status")
def status(console: Console) -> int:
    """Say what the catalogue holds, what is published, and how the server is used.

    Example: bilbaokg status
    """
    done = operate(console, "status", {})
    if control.available(console.data):
        done["server"] = control.call(console.data, "usage", {})
    else:
        done["server"] = None
        done["last_queries"] = query_log.tail(console.data)
    console.result(done, lambda: _Telling(console).all(done))
    return DONE


class _Telling:
    """The status for a person, in their language."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def all(self, done: dict[str, Any]) -> None:
        self._catalogue(done)
        if done["server"]:
            self._server(done["server"])
        elif done["last_queries"]:
            self.console.say("")
            self._say("stopped")
            self._slowest(query_log.slowest(done["last_queries"]))

    def _text(self, key: str, **values: object) -> str:
        return wording.say(f"status.{key}", self.console.lang, **values)

    def _outcome(self, name: str) -> str:
        return wording.say(f"outcome.{name}", self.console.lang)

    def _say(self, key: str, **values: object) -> None:
        self.console.say(self._text(key, **values))

    def _table(self, columns: Iterable[str], rows: list[list[Any]]) -> None:
        self.console.table([self._text(column) for column in columns], rows)

    def _catalogue(self, done: dict[str, Any]) -> None:
        self._say("catalogue", data=done["data"], base=done["base"])
        self._table(["records", "count"], [[k, n] for k, n in sorted(done["records"].items())])
        none = self._text("none")
        self._say(
            "release", current=done["current"] or none, all=", ".join(done["releases"]) or none
        )

        if told := done["webhooks"]:
            self._say("unsent" if "error" in told else "webhooks", **told)

    def _server(self, told: dict[str, Any]) -> None:
        time = timedelta(seconds=int(told["uptime_seconds"]))
        self.console.say("")
        self._say("running", time=time, release=told["release"] or self._text("nothing"))
        queries = told["queries"]
        self._say("queries", total=f"{queries['total']:,}", seconds=f"{queries['seconds']:,.1f}")
        outcomes = sorted(queries["outcomes"].items(), key=lambda item: -item[1])
        for outcome, count in outcomes:
            self.console.say(f"  {count:>9,}  {self._outcome(outcome)}")
        self._say("workers", waiting=told["waiting"], **told["workers"])
        kept = told["kept"]
        size = f"{kept['bytes'] / MIB:,.1f}"
        self._say("kept", size=size, hits=f"{kept['hits']:,}")
        limits = told["limits"]
        if limits["on"]:
            seconds = f"{limits['client_query_seconds']:g}"
            self._say("limited", seconds=seconds, errors=limits["client_errors"])
        else:
            self._say("unlimited")
        if told["log"]["lost"]:
            self._say("lost", n=told["log"]["lost"])
        if told["slowest"]:
            self.console.say("")
            self._say("slowest")
            self._slowest(told["slowest"])
        if told["clients"]:
            self.console.say("")
            self._say("busiest")
            self._clients(told["clients"])

    def _slowest(self, lines: list[dict[str, Any]]) -> None:
        rows = [
            [f"{line['seconds']:.3f}", line["at"][:19], line["endpoint"],
             self._outcome(line["outcome"]), _short(line["text"])]
            for line in lines
        ]  # fmt: skip
        self._table(["seconds", "at", "endpoint", "outcome", "query"], rows)

    def _clients(self, clients: list[dict[str, Any]]) -> None:
        rows = [
            [each["client"], each["queries"], f"{each['seconds']:.1f}", each["errors"],
             each["refusals"]]
            for each in clients
        ]  # fmt: skip
        self._table(["client", "asked", "seconds", "errors", "refusals"], rows)


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}..."
