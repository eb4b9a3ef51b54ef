"""The secret, and signatures with it (Standard Webhooks 1.0.0, "Signature scheme").

A secret is written `whsec_` and the base64 of 24 to 64 bytes. While it is being changed there may
be several, one a line: everything is signed with each, and a receiver needs to know one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bilbaokg.errors import BadInput
from bilbaokg.settings import Settings
from bilbaokg.store.embedded import storage_errors

__all__ = ["VARIABLE", "headers", "read", "sign"]

VARIABLE: Final = "BILBAOKG_WEBHOOK_SECRET"
_PREFIX: Final = "whsec_"
_BYTES: Final = (24, 64)


def read(data: Path, settings: Settings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """The secrets of an installation, the newest first: of the variable, else of the file, which is
    made where it is the one in the data directory and missing.

    Raises BadInput, which never shows what it read.
    """
    if given := environ.get(VARIABLE):
        return _checked(given.split(), VARIABLE)
    file = data / settings.webhook_secret_file
    with storage_errors(file):
        if not file.exists() and file.parent == data:
            _make(file)
        try:
            words = file.read_text(encoding="ascii").split()
        except (FileNotFoundError, PermissionError, UnicodeDecodeError):
            raise BadInput("the secret cannot be read", where=str(file), hint=_HINT) from None
    return _checked(words, str(file))


_HINT: Final = f"a line with {_PREFIX} and the base64 of 24 to 64 random bytes"


def _make(file: Path) -> None:
    """Write a new secret, readable by its owner alone; where two do, the first stays."""
    text = _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.touch(0o600)
    try:
        part.write_text(f"{text}\n", encoding="ascii")
        with contextlib.suppress(FileExistsError):
            os.link(part, file)
    finally:
        part.unlink()


def _checked(words: Sequence[str], where: str) -> list[str]:
    if not words or any(_key(word) is None for word in words):
        raise BadInput("it holds no secret for webhooks", where=where, hint=_HINT)
    return list(words)


def _key(secret: str) -> bytes | None:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    least, most = _BYTES
    return key if secret.startswith(_PREFIX) and least <= len(key) <= most else None


def sign(secret: str, id: str, at: int, body: bytes) -> str:
    """The signature of a body sent at a time (Unix seconds) under an id."""
    signed = f"{id}.{at}.".encode() + body
    digest = hmac.new(_key(secret) or b"", signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(secrets_: Sequence[str], id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers by which a receiver knows who sent it, and that it is no replay."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(sign(secret, id, at, body) for secret in secrets_),
    }
