"""The bytes and the name of an image, wherever it comes from."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from PIL import Image

from geowhy.errors import ImageError

__all__ = ["ImageSource", "bytes_of", "name_of"]

ImageSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image
"""A path, the content of a file, a file opened in binary mode, or a Pillow image."""


def name_of(source: ImageSource) -> str:
    """How messages call an image that was given without a name."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source) or "<empty path>"
    if isinstance(source, bytes):
        return "<bytes>"
    kind = "<PIL image>" if isinstance(source, Image.Image) else "<file object>"
    given = getattr(source, "filename", None) or getattr(source, "name", None)
    return given if isinstance(given, str) else kind


def bytes_of(source: str | os.PathLike[str] | bytes | BinaryIO, name: str, most: int) -> bytes:
    """The content of an image file, at most ``most`` bytes.

    A file object is read from where it stands.

    Raises:
        ImageError: if it is missing, unreadable, empty, too large or no regular file.
    """
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, str | os.PathLike):
        data = _read_path(source, name, most)
    else:
        data = _read_stream(source, name, most)
    if not data:
        raise ImageError(name, _EMPTY if not hasattr(source, "read") else _AT_ITS_END)
    _check_bytes(len(data), name, most)
    return data


_EMPTY = "is empty (0 bytes); copy it again from where it came"
_AT_ITS_END = "has nothing left to read; call seek(0) first if it was just written"
_NOT_REGULAR = "is a pipe or a device, not a file; read it yourself and give the bytes"


def _read_path(path: str | os.PathLike[str], name: str, most: int) -> bytes:
    try:
        with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ImageError(name, _NOT_REGULAR)
            _check_bytes(status.st_size, name, most)
            return _drain(file, most)
    except (OSError, ValueError) as error:
        raise ImageError(name, _why_unreadable(error)) from error


def _open_without_waiting(path: str, flags: int) -> int:
    """Opens a file; a pipe that nobody writes to answers at once instead of never."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _why_unreadable(error: OSError | ValueError) -> str:
    """What stands in the way of opening a path, in words."""
    match error:
        case FileNotFoundError():
            return "there is no such file; check the path"
        case IsADirectoryError():
            return "is a folder, not an image; give the files in it"
        case PermissionError():
            return "may not be read by this user; change its permissions"
        case OSError():
            return f"can't be opened: {error.strerror or error}"
    return f"is no path that this system can open ({error})"


def _read_stream(stream: BinaryIO, name: str, most: int) -> bytes:
    if not hasattr(stream, "read"):
        raise ImageError(
            name,
            f"is of type {type(stream).__name__}; give a path, bytes, a file opened in "
            "binary mode or a PIL image (an array: PIL.Image.fromarray)",
        )
    try:
        return _drain(stream, most)
    except ImageError:
        raise
    except Exception as error:  # a stream of the caller's may raise anything
        raise ImageError(name, f"can't be read: {error!r}") from error


def _drain(stream: BinaryIO, most: int) -> bytes:
    """Reads up to one byte more than ``most``, also from a stream that gives a little at a time."""
    parts: list[bytes] = []
    left = most + 1
    while left > 0 and (part := stream.read(left)):
        if not isinstance(part, bytes):
            raise TypeError("the file is opened in text mode; open it with mode 'rb'")
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_bytes(count: int, name: str, most: int) -> None:
    if count > most:
        raise ImageError(
            name,
            f"is larger than {most / 2**20:,.0f} MB; make it smaller, or raise Limits.max_bytes",
        )
