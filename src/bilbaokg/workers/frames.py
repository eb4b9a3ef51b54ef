"""Frames: what goes over the socket between a process and its worker.

The lengths of header and body and a number, 4 bytes each; a JSON header; the body.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

__all__ = ["RECEIVED", "Frame", "Put", "Splitter", "opening", "pack", "receive", "set_timeout"]

Frame = tuple[dict[str, Any], bytes]
Put = Callable[[dict[str, Any], bytes], None]
_HEAD: Final = struct.Struct("<III")
_SHORT: Final = 1000
RECEIVED: Final = 1 << 18
"""Bytes to take from a socket at a time."""


def pack(header: dict[str, Any] | bytes, body: bytes = b"", number: int = 0) -> bytes:
    """A frame as it is sent; the header may be JSON already."""
    return opening(header, len(body), number) + body


def opening(header: dict[str, Any] | bytes, size: int, number: int = 0) -> bytes:
    """A frame up to its body, which has so many bytes."""
    text = header if isinstance(header, bytes) else _text(header)
    return _HEAD.pack(len(text), size, number) + text


def _unpack(held: bytes | bytearray, start: int) -> tuple[Frame, int, int] | None:
    """The frame that begins at an offset, its number, and where it ends; None before it is whole.

    The header may be shared by many frames.
    """
    begin = start + _HEAD.size
    if len(held) < begin:
        return None
    head, body, number = _HEAD.unpack_from(held, start)
    middle, end = begin + head, begin + head + body
    if len(held) < end:
        return None
    read = _header if head < _SHORT else json.loads
    if type(held) is bytes:
        return (read(held[begin:middle]), held[middle:end]), number, end
    with memoryview(held) as view:
        return (read(bytes(view[begin:middle])), bytes(view[middle:end])), number, end


class Splitter:
    """Makes frames of what comes in pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def split(self, came: bytes) -> Iterator[tuple[Frame, int]]:
        """The frames that are whole now, with their numbers; go through all of them."""
        data: bytes | bytearray = came
        if self._held:
            self._held += came
            data = self._held
        start = 0
        while found := _unpack(data, start):
            frame, number, start = found
            yield frame, number
        if data is self._held:
            del self._held[:start]
        elif start < len(came):
            self._held += came[start:]


# Most headers are the same again and again.


def _text(header: dict[str, Any]) -> bytes:
    try:
        return _written(tuple(header.items()))
    except TypeError:  # it holds lists
        return json.dumps(header).encode()


@lru_cache(100)
def _written(header: tuple[tuple[str, Any], ...]) -> bytes:
    return json.dumps(dict(header)).encode()


@lru_cache(100)
def _header(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def set_timeout(link: socket.socket, until: float | None) -> None:
    """Let the next call wait until a moment of time.monotonic(), or for ever."""
    link.settimeout(None if until is None else max(until - time.monotonic(), 0.001))


def _receive_exactly(link: socket.socket, size: int, until: float | None) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        set_timeout(link, until)
        piece = link.recv(min(size - len(pieces), 1 << 20))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)


def receive(link: socket.socket, until: float | None = None) -> Frame:
    """The next frame, waiting until a moment of time.monotonic(). Raises EOFError, TimeoutError."""
    head, body, _ = _HEAD.unpack(_receive_exactly(link, _HEAD.size, until))
    header: dict[str, Any] = json.loads(_receive_exactly(link, head, until))
    return header, _receive_exactly(link, body, until)
