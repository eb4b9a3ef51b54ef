"""Settings of one data directory: read once from `settings.toml` and the environment."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import tomli_w

from bilbaokg.errors import BadInput
from bilbaokg.model import SEVERITIES
from bilbaokg.terms import DEFAULT_BASE, KINDS, is_iri

__all__ = ["ENVIRONMENT", "FILE", "MIB", "Settings", "check", "read", "write"]

FILE: Final = "settings.toml"
ENVIRONMENT: Final = "BILBAOKG_"
MIB: Final = 1 << 20
_DAY: Final = 86400.0
_PETABYTE: Final = 1 << 50
# Setting -> the least and the most that it may be.
_LIMITS: Final[dict[str, tuple[int, int]]] = {
    "page_size": (1, 100_000),
    "workers": (1, 64),
    "file_limit": (1, _PETABYTE),
    "body_limit": (1, _PETABYTE),
    "query_bytes": (1, _PETABYTE),
    "cache_bytes": (0, _PETABYTE),
    "scratch_bytes": (1, _PETABYTE),
    "memory_limit": (1024 * MIB, _PETABYTE),
    "client_errors": (0, 1_000_000),
    "title_days": (0, 36_500),
    "run_days": (1, 36_500),
}
_SHARES: Final = ("removal_share",)
_SECONDS: Final = ("query_seconds", "query_seconds_token", "group_seconds", "request_seconds")
_SECONDS_OR_NONE: Final = ("client_query_seconds", "slow_query_seconds")
_WORDS: Final[dict[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: 'a list of texts, such as ["a", "b"]',
    dict: 'a text, or a table of texts by language, such as { es = "Datos", eu = "Datuak" }',
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation may set; times in seconds, sizes in bytes.

    `base` is the identity of what we mint (no trailing slash); `public_url` is where we are served,
    and begins every absolute link. `internal_kinds` are the record types that stay internal.
    `gates` are severities that stop a release, by profile (name or label) and target ("" is every
    target); `duties` are the kinds of duties along lineage that do. `title_days` says after
    how many days the titles of things elsewhere are asked for again, `run_days` how old runs of
    pipelines are that `lineage prune` removes. `client_query_seconds` and
    `client_errors` are what a client may use in a minute, 0 without a limit; `trusted_proxies` are
    addresses and networks whose X-Forwarded-For is believed.
    `webhooks` are addresses that are told of releases; `webhook_private_hosts` those hosts of them,
    with a port if need be, whose addresses may be private.
    """

    base: str = DEFAULT_BASE
    public_url: str = "http://localhost:8000"
    title: Mapping[str, str] = field(default_factory=lambda: {"es": "Catálogo de datos"})
    profile: str = "dcat-ap/3.0.1"
    gates: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    duties: tuple[str, ...] = ()
    title_days: int = 30
    run_days: int = 90
    removal_share: float = 0.05
    page_size: int = 1000
    list_services: bool = False
    file_limit: int = 1024 * MIB
    body_limit: int = 64 * MIB
    memory_limit: int = 2048 * MIB
    query_seconds: float = 10.0
    query_seconds_token: float = 60.0
    query_bytes: int = 256 * MIB
    cache_bytes: int = 64 * MIB
    request_seconds: float = 30.0
    scratch_bytes: int = 1024 * MIB
    client_query_seconds: float = 60.0
    client_errors: int = 30
    slow_query_seconds: float = 1.0
    query_log: bool = True
    metrics_public: bool = False
    group_seconds: float = 5.0
    workers: int = 2
    review_required: bool = False
    internal_kinds: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()
    webhook_secret_file: str = "webhook.secret"  # noqa: S105 -- a name
    webhook_private_hosts: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The namespace of the local terms."""
        return f"{self.base}/ns#"


def read(directory: Path | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a data directory; the environment wins over the file.

    Raises BadInput naming the file or variable whose value cannot be used.
    """
    values: dict[str, Any] = {}
    if directory and (file := directory / FILE).is_file():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"not valid TOML: {error}", where=str(file)) from None
        settings = _apply(Settings(), values, str(file))
    else:
        settings = Settings()
    known = {f"{ENVIRONMENT}{f.name.upper()}": f.name for f in fields(Settings)}
    overrides = {known[name]: text for name, text in environ.items() if name in known}
    return _apply(settings, overrides, "environment")


def check(values: Mapping[str, Any]) -> Settings:
    """The settings that some values make. Raises BadInput as `read` does."""
    return _apply(Settings(), values, "settings")


def write(directory: Path, values: Mapping[str, Any]) -> None:
    """Write settings.toml whole, by rename."""
    target = directory / FILE
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        tomli_w.dump(dict(values), out)
        out.flush()
        os.fsync(out.fileno())
    part.replace(target)
    # The new name is on disk only when its directory is.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _apply(settings: Settings, values: Mapping[str, Any], where: str) -> Settings:
    known = {f.name: getattr(settings, f.name) for f in fields(Settings)}
    if unknown := sorted(set(values) - set(known)):
        raise BadInput(
            f"unknown setting {unknown[0]!r}", where=where, hint=f"known: {', '.join(known)}"
        )
    coerced: dict[str, Any] = {
        name: _gates(value, where) if name == "gates" else _coerce(name, known[name], value, where)
        for name, value in values.items()
    }
    settings = replace(settings, **coerced)
    _check(settings, where)
    return settings


def _coerce(name: str, default: Any, value: Any, where: str) -> Any:
    """The value in the type of the default; variables come as text, the file has types."""
    try:
        if isinstance(default, bool):
            return value if isinstance(value, bool) else {"true": True, "false": False}[value]
        if isinstance(default, tuple):
            words = value.split(",") if isinstance(value, str) else value
            return tuple(word.strip() for word in words if word.strip())
        if isinstance(default, Mapping):
            texts = {"es": value} if isinstance(value, str) else dict(value)
            return {language: _typed(text, str) for language, text in texts.items()}
        if isinstance(value, str):
            return type(default)(value)
        types = (int, float) if isinstance(default, float) else (type(default),)
        return type(default)(_typed(value, *types))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BadInput(
            f"{name} = {value!r} is of the wrong kind",
            where=where,
            hint=f"give {_WORDS[type(default)]}",
        ) from None


def _gates(value: Any, where: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Gates by profile and target; a list alone is the gate of every target."""
    hint = 'such as { "dcat-ap" = ["violation", "warning"], "bilbaokg/1" = { full = [] } }'
    try:
        # A variable holds the table as TOML writes it in one line.
        table = tomllib.loads(f"x = {value}")["x"] if isinstance(value, str) else value
        by_profile = {
            profile: {"": said} if isinstance(said, list) else dict(said)
            for profile, said in dict(table).items()
        }
    except (tomllib.TOMLDecodeError, TypeError, ValueError):
        raise BadInput("gates is no table of severities", where=where, hint=hint) from None
    for profile, by_target in by_profile.items():
        for severities in by_target.values():
            known = isinstance(severities, list) and all(s in SEVERITIES for s in severities)
            if not known:
                raise BadInput(
                    f"gates of {profile!r}: {severities!r} is no list of severities",
                    where=where,
                    hint=f"known: {', '.join(SEVERITIES)}",
                )
    return {
        profile: {target: tuple(severities) for target, severities in by_target.items()}
        for profile, by_target in by_profile.items()
    }


def _typed(value: Any, *types: type) -> Any:
    if type(value) not in types:
        raise TypeError
    return value


def _check(settings: Settings, where: str) -> None:
    for name in ("base", "public_url"):
        _check_address(name, getattr(settings, name), where)
    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(settings, name) <= most:
            raise BadInput(f"{name} must be between {least:,} and {most:,}", where=where)
    for name in _SHARES:
        if not 0 <= getattr(settings, name) <= 1:
            raise BadInput(f"{name} must be between 0 and 1: 0.05 is 5%", where=where)
    for name in _SECONDS:
        if not 0 < getattr(settings, name) <= _DAY:
            raise BadInput(f"{name} must be over 0 seconds and at most a day", where=where)
    for name in _SECONDS_OR_NONE:
        if not 0 <= getattr(settings, name) <= _DAY:
            raise BadInput(f"{name} must be between 0 seconds and a day", where=where)
    if not any(text.strip() for text in settings.title.values()):
        hint = f"give {_WORDS[dict]}"
        raise BadInput("title is empty", where=where, hint=hint)
    if unknown := sorted(set(settings.internal_kinds) - set(KINDS)):
        # A typing error here would publish what was to stay inside.
        hint = f"known: {', '.join(KINDS)}"
        raise BadInput(f"internal_kinds has the unknown {unknown[0]!r}", where=where, hint=hint)
    for text in settings.trusted_proxies:
        _check_network(text, where)
    _check_webhooks(settings, where)


def _check_webhooks(settings: Settings, where: str) -> None:
    """Messages never repeat an address whole: it may hold a secret."""
    for url in settings.webhooks:
        try:
            parts = urlsplit(url)
            usable = bool(parts.hostname) and parts.port != 0 and parts.username is None
        except ValueError:
            usable = False
        if not usable or parts.scheme not in ("http", "https") or not is_iri(url) or "#" in url:
            hint = "such as https://hooks.example.org/release, without a name or password"
            raise BadInput("webhooks holds what is no http(s) address", where=where, hint=hint)
    for host in settings.webhook_private_hosts:
        try:
            parts = urlsplit(f"//{host}")
            usable = parts.netloc == host and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.username is not None:
            hint = 'such as "hooks.internal" or "10.0.0.7:8443"'
            words = f"webhook_private_hosts: {host!r} is no host"
            raise BadInput(words, where=where, hint=hint)


def _check_network(text: str, where: str) -> None:
    """Who is trusted may say that a request comes from anywhere: nobody trusts everybody."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        hint = 'write an address such as "10.0.0.7", or a network such as "10.0.0.0/24"'
        raise BadInput(f"trusted_proxies: {error}", where=where, hint=hint) from None
    if network.prefixlen == 0:
        hint = "name the addresses of your own proxies alone"
        raise BadInput(f"trusted_proxies: {text} would believe anybody", where=where, hint=hint)


def _check_address(name: str, value: str, where: str) -> None:
    """Paths and fragments are added to it: a scheme, a host and at most a path."""
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        usable = False
    if not usable or not is_iri(value) or parts.scheme not in ("http", "https"):
        hint = "such as https://data.example.org: a scheme, a host and at most a port and a path"
        raise BadInput(f"{name} = {value!r} is no http(s) IRI", where=where, hint=hint)
    if value.endswith("/") or "?" in value or "#" in value:
        raise BadInput(
            f"{name} = {value!r} must not end in '/', nor have a query or fragment", where=where
        )
