"""API tokens: shown once, hashed, scoped, expiring, revocable at once."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from serving import initialise, operate

from bilbaokg import accounts
from bilbaokg.accounts import Accounts, scopes_of
from bilbaokg.errors import BadInput, Conflict, CorruptStore, NotFound, StorageFault
from bilbaokg.model import SCOPES

TODAY = datetime.now(UTC).date()


@pytest.fixture
def store(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "accounts.db")


def test_token_has_256_random_bits_and_our_prefix(store: Accounts) -> None:
    first, second = (store.create(name, "read")["token"] for name in "ab")
    assert re.fullmatch(r"bkg_[A-Za-z0-9_-]{43}", first)
    assert first != second


def test_secret_is_not_at_rest(store: Accounts) -> None:
    secret = store.create("a", "read")["token"]
    assert store.find(secret)
    for file in store.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()
        assert secret[4:].encode() not in file.read_bytes()


def test_list_shows_no_secret(store: Accounts) -> None:
    made = store.create("a", "write", expires=TODAY)
    (listed,) = store.list()
    assert listed == {name: value for name, value in made.items() if name != "token"}
    assert set(listed) == {
        "id", "name", "scope", "state", "created_at", "expires_at", "used_at", "revoked_at",
    }  # fmt: skip


def test_files_belong_to_the_owner_alone(store: Accounts) -> None:
    store.find(store.create("a", "read")["token"])
    for file in store.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_find_gives_name_and_scope(store: Accounts) -> None:
    token = store.find(store.create("job", "publish")["token"])
    assert token
    assert (token.name, token.scope) == ("job", "publish")


@pytest.mark.parametrize(
    "secret", ["", "bkg_", "bkg_" + "A" * 43, "x" * 47, "bkg_" + "é" * 43, "B" * 10**6]
)
def test_unknown_secret_is_nobody(store: Accounts, secret: str) -> None:
    store.create("a", "admin")
    assert store.find(secret) is None


def test_secret_is_case_sensitive_and_exact(store: Accounts) -> None:
    secret = store.create("a", "read")["token"]
    assert store.find(secret.swapcase()) is None
    assert store.find(secret + " ") is None


def test_scopes_contain_each_other() -> None:
    ladder = [scopes_of(scope) for scope in ("read", "write", "publish", "admin")]
    assert all(lower < higher for lower, higher in itertools.pairwise(ladder))
    assert all(scope in scopes_of(scope) for scope in SCOPES)
    assert scopes_of("admin") == set(SCOPES)


def test_pipelines_tell_lineage_and_read_nothing() -> None:
    assert scopes_of("lineage") == {"lineage"}
    assert [scope for scope in SCOPES if "lineage" in scopes_of(scope)] == [
        "lineage", "write", "publish", "admin",
    ]  # fmt: skip


def test_expiry_is_the_last_day_on_which_it_works(store: Accounts) -> None:
    secret = store.create("a", "read", expires=TODAY)["token"]
    assert store.find(secret)


def test_expired_is_nobody(store: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = store.create("a", "read", expires=TODAY)["token"]
    later = time.time() + 86400
    monkeypatch.setattr(accounts.time, "time", lambda: later)
    assert store.find(secret) is None
    assert store.list()[0]["state"] == "expired"


def test_clock_set_back_brings_nothing_to_life(
    store: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = store.create("a", "read", expires=TODAY)["token"]
    forever = store.create("b", "read")["token"]
    now = time.time()
    monkeypatch.setattr(accounts.time, "time", lambda: now + 40 * 86400)
    assert store.find(secret) is None
    assert store.find(forever)
    monkeypatch.setattr(accounts.time, "time", lambda: now - 86400)
    assert store.find(secret) is None
    assert store.find(forever)
    assert [t["state"] for t in store.list()] == ["expired", "active"]


def test_revoked_is_nobody_at_once(store: Accounts) -> None:
    secret = store.create("a", "admin")["token"]
    assert store.revoke("a")["state"] == "revoked"
    assert store.find(secret) is None


def test_revoked_in_another_process_is_nobody_at_once(store: Accounts) -> None:
    secret = store.create("a", "admin")["token"]
    assert store.find(secret)
    code = (
        "import sys, pathlib; from bilbaokg.accounts import Accounts;"
        "Accounts(pathlib.Path(sys.argv[1])).revoke('a')"
    )
    subprocess.run([sys.executable, "-c", code, str(store.path)], check=True)
    assert store.find(secret) is None


def test_name_of_a_revoked_token_is_free_again(store: Accounts) -> None:
    store.create("a", "read")
    store.revoke("a")
    store.create("a", "read")
    assert [t["state"] for t in store.list()] == ["revoked", "active"]


def test_revoke_by_id_and_twice(store: Accounts) -> None:
    made = store.create("a", "read")
    first = store.revoke(made["id"])
    assert store.revoke(made["id"])["revoked_at"] == first["revoked_at"]


def test_revoke_unknown(store: Accounts) -> None:
    with pytest.raises(NotFound, match="nope"):
        store.revoke("nope")


def test_two_tokens_of_one_name_conflict(store: Accounts) -> None:
    store.create("a", "read")
    with pytest.raises(Conflict, match="'a'"):
        store.create("a", "write")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x1b[31m"])
def test_bad_name(store: Accounts, name: str) -> None:
    with pytest.raises(BadInput):
        store.create(name, "read")


def test_bad_scope(store: Accounts) -> None:
    with pytest.raises(BadInput, match="root"):
        store.create("a", "root")


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), date(1970, 1, 1), date(9999, 12, 31)])
def test_bad_expiry(store: Accounts, day: date) -> None:
    with pytest.raises(BadInput):
        store.create("a", "read", expires=day)


def test_last_use_is_kept_coarsely(store: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = store.create("a", "read")["token"]
    assert store.list()[0]["used_at"] is None
    store.find(secret)
    used = store.list()[0]["used_at"]
    assert used
    now = time.time()
    monkeypatch.setattr(accounts.time, "time", lambda: now + 30)
    store.find(secret)
    assert store.list()[0]["used_at"] == used
    monkeypatch.setattr(accounts.time, "time", lambda: now + 90)
    store.find(secret)
    assert store.list()[0]["used_at"] > used


def recalled(store: Accounts, name: str = "a", expires: date | None = None) -> str:
    """The secret of a token that was found often enough to be known without a look."""
    secret: str = store.create(name, "read", expires=expires)["token"]
    assert store.recall(secret) is None
    found = [store.find(secret) for _ in range(2)]
    assert found[0]
    assert store.recall(secret) == found[0] == found[1]
    return secret


def test_what_was_found_is_known_until_something_changes(store: Accounts) -> None:
    secret = recalled(store)
    assert store.recall(secret.swapcase()) is None
    other = store.create("b", "read")["token"]
    assert store.recall(secret) is None
    assert store.find(secret)
    assert store.recall(secret)
    assert store.recall(other) is None


def test_revoked_is_not_known_any_more(store: Accounts) -> None:
    secret = recalled(store)
    Accounts(store.path).revoke("a")
    assert store.recall(secret) is None
    assert store.find(secret) is None
    assert store.recall(secret) is None


@pytest.mark.parametrize("seconds", [86400, 70, -5, -86400])
def test_nobody_is_known_when_the_clock_was_set(
    store: Accounts, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    secret = recalled(store, expires=TODAY)
    now = int(time.time())
    monkeypatch.setattr(accounts.time, "time", lambda: now + seconds)
    assert store.recall(secret) is None


def test_nobody_is_known_when_the_file_is_another(store: Accounts, tmp_path: Path) -> None:
    secret = recalled(store)
    other = Accounts(tmp_path / "other.db")
    recalled(other)
    other.path.replace(store.path)
    assert store.recall(secret) is None
    assert store.find(secret) is None
    store.path.unlink()
    assert store.recall(secret) is None


def test_find_works_while_another_process_writes(store: Accounts) -> None:
    secret = store.create("a", "read")["token"]
    writer = sqlite3.connect(store.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    # The writer ends only after this.
    assert store.find(secret)
    writer.close()


def test_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "accounts.db"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(CorruptStore, match=r"accounts\.db"):
        Accounts(path)


# ---- a file from before there was a scope

OLD = """
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'publish', 'admin')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), seen INTEGER) STRICT;
INSERT INTO clock VALUES (1, 4102444800);
"""
SECRETS = {scope: f"bkg_{scope:_<43}" for scope in ("read", "write", "publish", "admin")}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file with a token of each scope that there was, all made in one second."""
    path = tmp_path / "accounts.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(OLD)
        for number, (scope, secret) in enumerate(SECRETS.items()):
            row = (f"{9 - number}", scope, hashlib.sha256(secret.encode()).digest(), scope)
            connection.execute(
                "INSERT INTO token (id, name, hash, scope, created_at) VALUES (?, ?, ?, ?, 1)", row
            )
        connection.execute("UPDATE token SET revoked_at = 2 WHERE name = 'admin'")
    return path


def rows(path: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM token ORDER BY created_at, rowid").fetchall()


def test_old_file_keeps_its_tokens_and_takes_the_new_scope(old: Path) -> None:
    before = rows(old)
    store = Accounts(old)
    assert rows(old) == before
    assert [(t["name"], t["state"]) for t in store.list()] == [
        ("read", "active"), ("write", "active"), ("publish", "active"), ("admin", "revoked"),
    ]  # fmt: skip
    token = store.find(SECRETS["write"])
    assert token
    assert (token.name, token.scope) == ("write", "write")
    assert store.find(SECRETS["admin"]) is None
    assert store.find(store.create("pipelines", "lineage")["token"])


def test_old_file_keeps_the_latest_time_seen(old: Path) -> None:
    Accounts(old)
    with contextlib.closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT seen FROM clock").fetchall() == [(4102444800,)]


def test_file_of_today_is_not_made_anew(store: Accounts) -> None:
    store.create("a", "lineage")
    before = store.path.read_bytes()
    Accounts(store.path)
    assert store.path.read_bytes() == before


def test_old_file_that_cannot_be_brought_up_to_date_stays_whole(old: Path) -> None:
    with contextlib.closing(sqlite3.connect(old)) as connection, connection:
        # In the way of the step, so that it fails half done.
        connection.execute("CREATE TABLE token_before (x)")
    before = rows(old)
    with pytest.raises(StorageFault, match="token_before"):
        Accounts(old)
    assert rows(old) == before


def test_old_file_is_brought_up_to_date_by_one_of_many(old: Path) -> None:
    before = rows(old)
    with ThreadPoolExecutor(8) as many:
        list(many.map(Accounts, [old] * 8))
    assert rows(old) == before


def test_only_scopes_that_there_are_get_into_the_file(store: Accounts) -> None:
    insert = "INSERT INTO token (id, name, hash, scope, created_at) VALUES ('x', 'x', x'00', ?, 1)"
    with (
        contextlib.closing(sqlite3.connect(store.path)) as connection,
        pytest.raises(sqlite3.IntegrityError),
    ):
        connection.execute(insert, ("root",))


# ---- the file of a catalogue


def test_missing_file_is_no_catalogue_without_tokens(tmp_path: Path) -> None:
    data = initialise(tmp_path / "data")
    token = operate(data, "token.create", name="harvester", scope="read")["token"]
    (data / "accounts.db").unlink()
    with pytest.raises(CorruptStore, match="tokens were made") as error:
        operate(data, "status")
    assert error.value.where == str(data / "accounts.db")
    (data / "accounts.db").touch()
    operate(data, "status")
    assert Accounts(data / "accounts.db").find(token) is None
