"""Who a client is, and what it may use in a minute."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilbaokg.errors import (
    BadInput,
    CorruptStore,
    DeadlineExceeded,
    MemoryExceeded,
    Overloaded,
    SyntaxFault,
    TooManyRequests,
    WorkerCrashed,
)
from bilbaokg.server.auth import Actor
from bilbaokg.server.budgets import Budgets
from bilbaokg.server.clients import Clients, is_loopback
from bilbaokg.server.evaluation import Stopped
from bilbaokg.server.usage import Usage, endpoint_of, outcome_of
from bilbaokg.settings import Settings

PROXY = "10.0.0.1"
TRUSTED = (PROXY, "10.9.0.0/16", "fd00::/8")


def scope(peer: str | None = "192.0.2.7", *forwarded: str, **more: Any) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    client = (peer, 4711) if peer else None
    return {"client": client, "headers": headers, "path": "/sparql", **more}


# -- clients -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["198.51.100.1, 203.0.113.5"], "203.0.113.5"),
        (PROXY, ["198.51.100.1", "203.0.113.5"], "203.0.113.5"),
        (PROXY, ["198.51.100.1, 203.0.113.5, 10.9.8.7"], "203.0.113.5"),
        (PROXY, ["10.9.8.7"], "10.9.8.7"),
        (PROXY, ["nonsense, 203.0.113.5"], "203.0.113.5"),
        (PROXY, ["203.0.113.5, nonsense"], PROXY),
        (PROXY, ["203.0.113.5, "], PROXY),
        (PROXY, ["203.0.113.5, nonsense, 10.9.8.7"], PROXY),
        (PROXY, ["203.0.113.5:4711"], "203.0.113.5"),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::/64"),
        (PROXY, ["2001:db8::1"], "2001:db8::/64"),
        (PROXY, ["\xff"], PROXY),
        ("fd00::1", ["203.0.113.5"], "203.0.113.5"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", [], "2001:db8:1:2::/64"),
        ("a-name", [], "a-name"),
        (None, ["203.0.113.5"], "local"),
    ],
)
def test_client_is_the_first_address_from_the_right_that_is_not_trusted(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert Clients(TRUSTED).of(scope(peer, *forwarded)) == client


def test_nobody_is_believed_without_trusted_proxies() -> None:
    assert Clients().of(scope("127.0.0.1", "203.0.113.5")) == "127.0.0.1"


def test_a_token_is_the_client_wherever_it_asks_from() -> None:
    asked = scope(PROXY, "203.0.113.5", **{"bilbaokg.actor": Actor("token:portal")})
    assert Clients(TRUSTED).of(asked) == "token:portal"


@given(st.lists(st.text(st.characters(max_codepoint=255, exclude_characters=","))))
def test_no_chain_is_an_error_and_what_the_client_wrote_is_never_its_name(
    written: list[str],
) -> None:
    chain = ",".join([*written, "203.0.113.5"])
    assert Clients(TRUSTED).of(scope(PROXY, chain)) == "203.0.113.5"
    Clients(TRUSTED).of(scope(PROXY, ",".join(written)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback("0.0.0.0")  # noqa: S104 -- not a bind
    assert not is_loopback("data.example")


# -- budgets -------------------------------------------------------------------------------------


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_client_is_refused_when_its_minute_is_used_up() -> None:
    clock = Clock()
    budgets = Budgets(60, 30, clock=clock)
    budgets.charge("a", 59.9)
    assert budgets.wait("a") == 0
    budgets.charge("a", 10)
    assert budgets.wait("a") == 10
    assert budgets.wait("b") == 0
    clock.now += 10
    assert budgets.wait("a") == 0


def test_errors_have_a_budget_of_their_own() -> None:
    budgets = Budgets(60, 30, clock=Clock())
    for _ in range(29):
        budgets.charge("a", 0.0, error=True)
    assert budgets.wait("a") == 0
    budgets.charge("a", 0.0, error=True)
    assert budgets.wait("a") == 1
    assert budgets.accounts["a"].errors == 30


def test_a_budget_of_nothing_is_no_limit() -> None:
    budgets = Budgets(0, 0, clock=Clock())
    budgets.charge("a", 1e6, error=True)
    assert budgets.wait("a") == 0


def test_of_many_clients_those_that_were_last_here_are_known() -> None:
    budgets = Budgets(60, 30, most=3, clock=Clock())
    for client in "abcad":
        budgets.charge(client, 60.0)
    assert list(budgets.accounts) == ["c", "a", "d"]
    assert budgets.wait("b") == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.floats(0, 300), st.floats(0, 300), st.booleans(), st.booleans()
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from([0.001, 1.0, 60.0, 86400.0]), st.sampled_from([1, 2, 30, 1000]))
def test_budgets_hold_whatever_is_asked(
    steps: list[tuple[str, float, float, bool, bool]], seconds: float, errors: int
) -> None:
    clock = Clock()
    budgets = Budgets(seconds, errors, most=2, clock=clock)
    begun = clock.now
    used: dict[str, list[tuple[float, float]]] = {name: [] for name in "abc"}
    for client, passed, time, error, patient in steps:
        clock.now += passed
        wait = budgets.wait(client)
        assert len(budgets.accounts) <= 2
        if wait and not patient:
            continue
        if wait:
            # One second less would not have been enough; after the wait there is room.
            clock.now += wait - 1
            assert wait == 1 or budgets.wait(client) >= 1
            clock.now += 1
            assert budgets.wait(client) == 0
        budgets.charge(client, time, error=error)
        used[client].append((clock.now, time))
    if len({client for client, *_ in steps}) <= 2:  # none was forgotten
        minutes = (clock.now - begun) / 60
        for each in used.values():
            # At most what the time gave, a full bucket, and the last query, which went over it.
            most = seconds * (minutes + 1) + max((time for _, time in each), default=0)
            assert math.fsum(time for _, time in each) <= most * (1 + 1e-6)


# -- usage ---------------------------------------------------------------------------------------


def limited(clock: Clock, **values: Any) -> Usage:
    return Usage(Settings(**values), "0.0.0.0", clock=clock)  # noqa: S104 -- no bind


def ask(usage: Usage, seconds: float = 0.0, error: Exception | None = None) -> None:
    with usage.query(scope(), b"ASK {}") as asking:
        asking.begin()
        usage.clock.now += seconds  # type: ignore[attr-defined]
        if error:
            raise error


def test_query_time_begins_with_the_worker() -> None:
    clock = Clock()
    usage = limited(clock)
    with usage.query(scope(), b"ASK {}") as asking:
        clock.now += 100
        asking.begin()
        clock.now += 2
    assert usage.budgets.accounts["192.0.2.7"].seconds == 2
    assert (usage.times["sparql"].seconds, usage.times["sparql"].waited) == (2, 100)


def test_refusal_says_when_the_next_request_is_let_in() -> None:
    clock = Clock()
    usage = limited(clock)
    ask(usage, 90)
    with pytest.raises(TooManyRequests) as refused:
        ask(usage)
    wait = refused.value.extra["retry_after"]
    assert 25 < wait <= 31
    clock.now += wait
    ask(usage)
    assert usage.outcomes == {("sparql", "done"): 2, ("sparql", "rate"): 1}


def test_who_goes_on_asking_is_noted_once() -> None:
    clock = Clock()
    usage = limited(clock)
    ask(usage, 90)
    for _ in range(5):
        with pytest.raises(TooManyRequests):
            ask(usage)
    usage.log.close()
    assert [each["outcome"] for each in usage.log.recent] == ["done", "rate"]
    assert usage.outcomes["sparql", "rate"] == 5


def test_a_proxy_that_is_not_named_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    usage = limited(Clock())
    ask(usage, 90)
    for forwarded in ([], ["203.0.113.5"], ["203.0.113.6"]):
        with pytest.raises(TooManyRequests):
            usage.query(scope("192.0.2.7", *forwarded), b"ASK {}")
    (message,) = caplog.messages
    assert "name it in trusted_proxies" in message


@pytest.mark.parametrize(
    ("error", "is_error", "outcome"),
    [
        (None, False, "done"),
        (SyntaxFault("x"), True, "refused"),
        (DeadlineExceeded("x"), True, "deadline"),
        (MemoryExceeded("x"), True, "memory"),
        (WorkerCrashed("x"), True, "crashed"),
        (Overloaded("x"), False, "overloaded"),
        (CorruptStore("x"), False, "failed"),
        (RuntimeError("x"), False, "failed"),
        (Stopped(), False, "cancelled"),
    ],
)
def test_only_what_the_query_is_to_blame_for_counts_as_an_error(
    error: Exception | None, is_error: bool, outcome: str
) -> None:
    usage = limited(Clock())
    with contextlib.suppress(Exception):
        ask(usage, 1, error)
    assert usage.budgets.accounts["192.0.2.7"].errors == is_error
    assert usage.outcomes == {("sparql", outcome): 1}
    assert outcome_of(error) == outcome


def test_quick_queries_that_went_well_are_only_counted() -> None:
    clock = Clock()
    usage = limited(clock, slow_query_seconds=2.0)
    ask(usage, 1.9)
    ask(usage, 2)
    usage.log.close()
    assert [each["seconds"] for each in usage.log.recent] == [2]


@pytest.mark.parametrize(
    ("host", "proxies", "limits"),
    [
        ("127.0.0.1", (), False),
        ("::1", (), False),
        ("127.0.0.1", ("127.0.0.1",), True),
        ("0.0.0.0", (), True),  # noqa: S104 -- no bind
    ],
)
def test_limits_are_off_where_only_this_machine_can_ask(
    host: str, proxies: tuple[str, ...], limits: bool
) -> None:
    assert Usage(Settings(trusted_proxies=proxies), host).limited is limits


@pytest.mark.parametrize(
    ("path", "root", "endpoint"),
    [
        ("/sparql", "", "sparql"),
        ("/x/sparql", "/x", "sparql"),
        ("/working/sparql", "", "working"),
        ("/api/queries/formats-in-use", "", "saved"),
        ("/eu/sparql", "", "page"),
    ],
)
def test_endpoints_have_names(path: str, root: str, endpoint: str) -> None:
    assert endpoint_of({"path": path, "root_path": root}) == endpoint


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("proxy.example", "write an address"),
        ("10.0.0.1/8", "write an address"),
        ("0.0.0.0/0", "your own proxies"),
        ("::/0", "your own proxies"),
    ],
)
def test_proxies_that_cannot_be_trusted_are_refused(text: str, hint: str) -> None:
    from bilbaokg import settings

    with pytest.raises(BadInput, match="trusted_proxies") as refused:
        settings.check({"trusted_proxies": ["10.0.0.1", text]})
    assert hint in (refused.value.hint or "")
