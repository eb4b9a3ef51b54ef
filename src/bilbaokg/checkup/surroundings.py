"""What a catalogue runs on and how it was set up: settings, addresses, versions, the clock."""

from __future__ import annotations

import difflib
import platform
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bilbaokg import settings
from bilbaokg.audit import HEADS
from bilbaokg.checkup.lines import OK, PROBLEM, WARNING, Said
from bilbaokg.checkup.place import Holder
from bilbaokg.errors import BadInput
from bilbaokg.release import Releases
from bilbaokg.settings import Settings

__all__ = ["addresses", "clock", "configured", "usable", "versions"]

# RFC 2606 and RFC 6761: names that lead nowhere.
_NOWHERE: Final = ("example", "invalid", "test", "example.org", "example.com", "example.net")
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_TIME: Final = "%Y-%m-%d %H:%M"
_TOLERANCE: Final = timedelta(minutes=5)


def configured(data: Path) -> Said:
    """Whether the settings can be used, with every key that nobody knows."""
    unknown = list(_unknown(data / settings.FILE))
    for name in unknown:
        near = difflib.get_close_matches(name, [f.name for f in fields(Settings)], 1)
        hint = f"perhaps {near[0]} is meant" if near else "take it away; see the reference"
        yield PROBLEM, f"{settings.FILE}: unknown setting {name!r}", hint
    if not unknown:
        settings.read(data)
        yield OK, "settings.toml can be used", None


def _unknown(file: Path) -> Iterator[str]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput("it is missing", where=str(file), hint="restore a backup") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = "mend that line; bilbaokg init writes one with the base alone"
        raise BadInput(f"not valid TOML: {error}", where=str(file), hint=hint) from None
    yield from sorted(set(values) - {field.name for field in fields(Settings)})


def usable(data: Path) -> Settings | None:
    """The settings, or their base alone where others of them are wrong, so that other checks can
    go on; None where not even that can be read."""
    if not (data / settings.FILE).is_file():
        return None
    try:
        return settings.read(data)
    except (BadInput, OSError):
        pass
    try:
        base = tomllib.loads((data / settings.FILE).read_text(encoding="utf-8"))["base"]
        return settings.check({"base": base})
    except (BadInput, OSError, ValueError, KeyError):
        return None


def addresses(configuration: Settings, holder: Holder) -> Said:
    """Whether the identities and links that are given out lead somewhere."""
    for name in ("base", "public_url"):
        host = urlsplit(getattr(configuration, name)).hostname or ""
        if any(host == end or host.endswith(f".{end}") for end in _NOWHERE):
            hint = "right for trying out; a catalogue for the public needs a name of yours"
            yield WARNING, f"{name}: {host} is reserved for examples", hint
    public = urlsplit(configuration.public_url)
    local = public.hostname in _LOCAL
    if public.scheme == "http" and not local:
        hint = "let a proxy bring TLS, and write its address"
        yield WARNING, f"public_url is not https: {configuration.public_url}", hint
    if local and urlsplit(configuration.base).hostname not in _LOCAL:
        hint = "set public_url to the address where the public finds the catalogue"
        yield WARNING, f"links lead to this machine: {configuration.public_url}", hint
    bound = _host(holder.command or "")
    if holder.server and not local and bound in _LOCAL and not configuration.trusted_proxies:
        hint = "name the address of the proxy in trusted_proxies"
        yield WARNING, "behind the proxy all clients count as one, and share its limits", hint
    if holder.server and bound not in _LOCAL:
        hint = "serve on 127.0.0.1 behind a proxy, which brings TLS"
        yield WARNING, f"the server listens on {bound} for everybody, without TLS", hint
    yield OK, f"base {configuration.base}, public_url {configuration.public_url}", None


def _host(command: str) -> str:
    """Where a server was told to listen."""
    words = command.rstrip(")").replace("=", " ").split()
    after = (words[n + 1] for n, word in enumerate(words[:-1]) if word == "--host")
    return next(after, _LOCAL[1])


def versions() -> Said:
    """What it runs on, and whether that can search texts."""
    names = (f"{name} {version(name)}" for name in ("bilbaokg", "pyoxigraph"))
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
        except sqlite3.OperationalError:
            hint = "use a Python whose SQLite has FTS5: no release can be built without"
            yield PROBLEM, f"SQLite {sqlite3.sqlite_version} has no FTS5", hint
    told = (*names, f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}")
    yield OK, ", ".join(told), None


def clock(data: Path, configuration: Settings | None) -> Said:
    """Whether the clock stands after what was done before."""
    now = datetime.now(UTC)
    latest = datetime.fromtimestamp(0, UTC)
    if (data / HEADS).exists():
        latest = datetime.fromtimestamp((data / HEADS).stat().st_mtime, UTC)
    if configuration:
        known = Releases(data, configuration)
        built = (datetime.fromisoformat(release.created_at) for release in known.readable())
        latest = max([latest, *built])
    if latest > now + _TOLERANCE:
        hint = "set the clock, and see that it is kept right (NTP)"
        text = f"it says {now:{_TIME}} UTC, and something was done at {latest:{_TIME}}"
        yield PROBLEM, text, hint
    else:
        yield OK, f"{now:{_TIME}} UTC", None
