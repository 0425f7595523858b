"""What an image may be given as, and how its bytes are got at, within limits.

A TIFF on disk is left there: it is read strip by strip, and may be larger than memory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from typing import BinaryIO

from PIL import Image

from geowhy.errors import ImageError

__all__ = ["FileBlock", "ImageSource", "Limits", "name_of", "opened", "whole"]

ImageSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image
"""A path, the content of a file, a file opened in binary mode, or a Pillow image."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused unread: larger files, and more pixels (width × height) than these.

    The latter two are for what is read in parts: a TIFF on disk, and any picture that comes out
    smaller than it is, of which ``max_pixels`` then limits what comes out.
    """

    max_bytes: int = 256 * 2**20
    max_pixels: int = 200_000_000  # as the file declares them; decoding takes up to 8 bytes each
    max_bytes_in_parts: int = 8 * 2**30  # also of what its strips and tiles unpack to
    max_pixels_in_parts: int = 1_000_000_000


class FileBlock:
    """The bytes of an open file, read when they are sliced."""

    def __init__(self, file: FileIO) -> None:
        """Takes the file as long as it is now."""
        self._file = file
        self._length = os.fstat(file.fileno()).st_size

    def __len__(self) -> int:
        """The size of the file."""
        return self._length

    def __getitem__(self, part: slice, /) -> bytes:
        """A part of it, as a slice of bytes is."""
        start, stop, _ = part.indices(self._length)
        self._file.seek(start)
        return _drain(self._file, max(0, stop - start))


def name_of(source: ImageSource) -> str:
    """How messages call an image that was given without a name."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source) or "<empty path>"
    if isinstance(source, bytes):
        return "<bytes>"
    kind = "<PIL image>" if isinstance(source, Image.Image) else "<file object>"
    given = getattr(source, "filename", None) or getattr(source, "name", None)
    return given if isinstance(given, str) else kind


@contextmanager
def opened(
    source: ImageSource, name: str, limits: Limits
) -> Iterator[bytes | FileBlock | Image.Image]:
    """The content of an image, or the Pillow image that was given; a file stays open meanwhile.

    Raises:
        ImageError: if it can't be read, is empty or is too large.
    """
    if isinstance(source, Image.Image):
        yield source
    elif isinstance(source, str | os.PathLike):
        with _failures_of_paths(name):
            file = _opened_path(source)
        with file:
            with _failures_of_paths(name):
                content = _content_of(file, name, limits)
            yield content
    else:
        data = source if isinstance(source, bytes) else _streamed(source, name, limits.max_bytes)
        yield _checked(data, name, limits.max_bytes)


def whole(block: bytes | FileBlock, name: str, limits: Limits) -> bytes:
    """All of a file's bytes, for a decoder that needs them at once.

    Raises:
        ImageError: if there are too many.
    """
    _check_bytes(len(block), name, limits.max_bytes)
    return block if isinstance(block, bytes) else block[:]


def _opened_path(path: str | os.PathLike[str]) -> FileIO:
    def without_waiting(path: str, flags: int) -> int:
        """A pipe that nobody writes to answers at once instead of never."""
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

    return open(path, "rb", buffering=0, opener=without_waiting)


def _content_of(file: FileIO, name: str, limits: Limits) -> bytes | FileBlock:
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        why = "is a pipe or a device, not a file; read it yourself and give the bytes"
        raise ImageError(name, why)
    block = FileBlock(file)
    if block[:4] in _TIFF:
        _check_bytes(len(block), name, limits.max_bytes_in_parts)
        return block
    _check_bytes(len(block), name, limits.max_bytes)
    return _checked(block[:], name, limits.max_bytes)


@contextmanager
def _failures_of_paths(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        match error:
            case FileNotFoundError():
                why = "there is no such file; check the path"
            case IsADirectoryError():
                why = "is a folder, not an image; give the files in it"
            case PermissionError():
                why = "may not be read by this user; change its permissions"
            case OSError():
                why = f"can't be opened: {error.strerror or error}"
            case _:
                why = f"is no path that this system can open ({error})"
        raise ImageError(name, why) from error


def _streamed(stream: BinaryIO, name: str, most: int) -> bytes:
    """The content of a file object from where it is."""
    if not hasattr(stream, "read"):
        raise ImageError(
            name,
            f"is of type {type(stream).__name__}; give a path, bytes, a file opened in "
            "binary mode or a PIL image (an array: PIL.Image.fromarray)",
        )
    try:
        data = _drain(stream, most + 1)
    except Exception as error:  # a stream of the caller's may raise anything
        raise ImageError(name, f"can't be read: {error!r}") from error
    if not data:
        why = "has nothing left to read; call seek(0) first if it was just written"
        raise ImageError(name, why)
    return data


def _drain(stream: BinaryIO | FileIO, most: int) -> bytes:
    """Reads up to ``most`` bytes, also from a stream that gives a little at a time."""
    parts: list[bytes] = []
    left = most
    while left > 0 and (part := stream.read(left)):
        if not isinstance(part, bytes):
            raise TypeError("the file is opened in text mode; open it with mode 'rb'")
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _checked(data: bytes, name: str, most: int) -> bytes:
    if not data:
        raise ImageError(name, "is empty (0 bytes); copy it again from where it came")
    _check_bytes(len(data), name, most)
    return data


def _check_bytes(count: int, name: str, most: int) -> None:
    if count > most:
        raise ImageError(
            name,
            f"is larger than {most / 2**20:,.0f} MB; make it smaller, or raise Limits.max_bytes",
        )
