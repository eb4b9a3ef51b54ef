"""Files as answers: packed where welcome, nothing where the client has them, whole or streamed.

What is sent never changes under its ETag, so a packed twin is kept beside it. Where nothing can be
kept (a full disk), the answer is made while it is sent, without gzip.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from bilbaokg import exports
from bilbaokg.errors import StorageFault
from bilbaokg.exports.files import replace_file
from bilbaokg.server import negotiate
from bilbaokg.server.validators import is_known

__all__ = ["send", "stream", "whole"]

_PIECE: Final = 64 << 10
# Files of so many bytes are sent in one go, from memory when they are asked for again.
_LARGEST: Final = 8 << 20
Headers = Callable[[str], dict[str, str]]
"""The headers of an answer by its content coding ("" for none)."""


def send(
    request: Request,
    headers: Headers,
    media: str,
    file: Path | None,
    write: Callable[[BinaryIO], None],
    twins: Path,
) -> Response:
    """304 where the client has it, gzip where welcome and kept, else plain.

    file: what is sent, None where it could not be kept: then `write` makes it. twins: the folder
    for packed files.
    """
    if negotiate.accepts_gzip(request.headers.get("accept-encoding")) and file:
        packed = headers("gzip")
        if is_known(request.headers, packed):
            return Response(status_code=304, headers=packed)
        if twin := _twin(file, twins):
            return FileResponse(twin, headers=packed, media_type=media)
    plain = headers("")
    if is_known(request.headers, plain):
        return Response(status_code=304, headers=plain)
    if file:
        return FileResponse(file, headers=plain, media_type=media)
    return stream(write, plain, media)


def _twin(path: Path, folder: Path) -> Path | None:
    """The gzip twin of a file, made once; the same bytes each time. None when it cannot be kept."""
    twin = folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.gz"

    def fill(out: BinaryIO) -> None:
        with path.open("rb") as plain, exports.packing(out) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)

    if not twin.is_file():
        try:
            replace_file(twin, fill)
        except StorageFault:
            return None
    return twin


def whole(answer: Response) -> Response:
    """The bytes of a file that is not too large, in place of the file."""
    if isinstance(answer, FileResponse) and Path(answer.path).stat().st_size <= _LARGEST:
        answer = Response(Path(answer.path).read_bytes(), headers=dict(answer.headers))
    return answer


def stream(
    write: Callable[[BinaryIO], None], headers: dict[str, str], media: str
) -> StreamingResponse:
    """An answer that is made while it is sent."""
    pieces = _pieces(write)
    # What fails before the first piece is full is an error like any other.
    body = itertools.chain([next(pieces, b"")], pieces)
    return StreamingResponse(body, headers=headers, media_type=media)


def _pieces(write: Callable[[BinaryIO], None]) -> Iterator[bytes]:
    """What `write` writes, as it comes; it waits for whoever takes the pieces, and fails for it."""
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def work() -> None:
        try:
            with os.fdopen(writing, "wb", _PIECE) as out:
                write(out)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while piece := os.read(reading, _PIECE):
            yield piece
        thread.join()
        if failed:
            raise failed[0]
    finally:
        # Writing on into a closed pipe fails, and so ends the thread.
        os.close(reading)
