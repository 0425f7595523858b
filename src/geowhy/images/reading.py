"""Opens any image safely: one way in for paths, bytes, file objects and Pillow images.

A picture comes out upright, in 8-bit sRGB, or an `ImageError` names the image, the reason and
what to do. Nothing process-wide is touched, so threads may read at the same time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from geowhy.arrays import Pixels
from geowhy.errors import ImageError
from geowhy.images.colour import to_srgb
from geowhy.images.formats import format_of, open_lazily
from geowhy.images.ifd import read_directory

__all__ = ["ImageSource", "Limits", "NamedImage", "exif_block", "name_of", "read_image"]

ImageSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image
"""A path, the content of a file, a file opened in binary mode, or a Pillow image."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused unread: larger files, and more pixels (width × height) than these."""

    max_bytes: int = 256 * 2**20
    max_pixels: int = 200_000_000  # as the file declares them; decoding takes up to 8 bytes each


@dataclass(frozen=True, slots=True, eq=False)
class NamedImage:
    """A picture and the name under which it was given, as in messages and answers."""

    name: str
    pixels: Pixels  # upright sRGB [H, W, 3], read-only


_USUAL = Limits()
_ORIENTATION = 274
_STRIP_PIXELS = 2**20
_UPRIGHT: dict[float | None, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def name_of(source: ImageSource) -> str:
    """How messages call an image that was given without a name."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source) or "<empty path>"
    if isinstance(source, bytes):
        return "<bytes>"
    kind = "<PIL image>" if isinstance(source, Image.Image) else "<file object>"
    given = getattr(source, "filename", None) or getattr(source, "name", None)
    return given if isinstance(given, str) else kind


def read_image(
    source: ImageSource,
    *,
    name: str | None = None,
    limits: Limits = _USUAL,
    min_side: int | None = None,
) -> NamedImage:
    """Reads one picture: JPEG, PNG, WebP, TIFF, HEIC, AVIF, GIF or BMP.

    It comes out upright, in sRGB, over white; of an animation the first frame. ``name`` is for
    messages and answers; the path if not given. With ``min_side`` a JPEG may come back at 1/2, 1/4
    or 1/8 of its size, several times faster, as long as both sides keep at least so many pixels.

    Raises:
        ImageError: if it can't be read; names the image, the reason and the remedy.
    """
    name = name_of(source) if name is None else name
    content = (
        source if isinstance(source, Image.Image) else _bytes_of(source, name, limits.max_bytes)
    )
    with _failures_named(name):
        picture = content if isinstance(content, Image.Image) else open_lazily(content, name)
        _check_size(picture, name, limits)
        if min_side is not None and isinstance(content, bytes) and picture.format == "JPEG":
            picture.draft(None, (max(min_side, 1), max(min_side, 1)))
        picture.load()
        _check_size(picture, name, limits)  # a decoder may find another size than the header's
        # Pillow turns a TIFF and pillow_heif a HEIC by itself; neither leaves an orientation here.
        directory = read_directory(_bare(picture.info.get("exif")))
        turn = _UPRIGHT.get(directory.number(_ORIENTATION)) if directory else None
        picture = to_srgb(picture, name)  # the same variable, so that no third copy stays alive
        picture = picture if turn is None else picture.transpose(turn)
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):  # in strips: Pillow copies whatever it exports twice
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)))
    pixels.flags.writeable = False
    return NamedImage(name, pixels)


def exif_block(source: ImageSource, *, name: str) -> bytes:
    """The EXIF block of an image, from its byte-order mark on; b"" if it has none.

    Raises:
        ImageError: if the image can't be opened; its pixels may be damaged.
    """
    if isinstance(source, Image.Image):
        with _failures_named(name):
            return _bare(source.info.get("exif") or source.getexif().tobytes())
    data = _bytes_of(source, name, _USUAL.max_bytes)
    if format_of(data, name) == "TIFF":
        return data  # a TIFF file is an EXIF block with pixels in it
    with _failures_named(name):
        picture = open_lazily(data, name)
        _check_size(picture, name, _USUAL)
        if picture.format == "PNG":
            picture.load()  # the block may come after the pixels
        return _bare(picture.info.get("exif"))


def _check_size(picture: Image.Image, name: str, limits: Limits) -> None:
    width, height = picture.size
    if width <= 0 or height <= 0:
        raise ImageError(name, f"has no pixels ({width} × {height}); export it again")
    if width * height > limits.max_pixels:
        raise ImageError(
            name,
            f"has {width} × {height} pixels, more than the {limits.max_pixels / 1e6:,.0f} million "
            "allowed; make it smaller, or raise Limits.max_pixels",
        )


def _bare(exif: object) -> bytes:
    """An EXIF block without the mark that JPEG files put before it."""
    return exif.removeprefix(b"Exif\0\0") if isinstance(exif, bytes) else b""


@contextmanager
def _failures_named(name: str) -> Iterator[None]:
    """Turns whatever a decoder raises into an `ImageError`: on hostile bytes that is anything."""
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(name, "has too many pixels for its format; make it smaller") from error
    except MemoryError as error:
        raise ImageError(name, "needs more memory than there is; make it smaller") from error
    except Exception as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise ImageError(
            name, f"is damaged or cut short ({said}); copy it again from where it came"
        ) from error


def _bytes_of(source: str | os.PathLike[str] | bytes | BinaryIO, name: str, most: int) -> bytes:
    """The content of an image file, at most ``most`` bytes; of a file object from where it is."""
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, str | os.PathLike):
        data = _read_path(source, name, most)
    elif not hasattr(source, "read"):
        raise ImageError(
            name,
            f"is of type {type(source).__name__}; give a path, bytes, a file opened in "
            "binary mode or a PIL image (an array: PIL.Image.fromarray)",
        )
    else:
        try:
            data = _drain(source, most)
        except Exception as error:  # a stream of the caller's may raise anything
            raise ImageError(name, f"can't be read: {error!r}") from error
        if not data:
            why = "has nothing left to read; call seek(0) first if it was just written"
            raise ImageError(name, why)
    if not data:
        raise ImageError(name, "is empty (0 bytes); copy it again from where it came")
    _check_bytes(len(data), name, most)
    return data


def _read_path(path: str | os.PathLike[str], name: str, most: int) -> bytes:
    def without_waiting(path: str, flags: int) -> int:
        """A pipe that nobody writes to answers at once instead of never."""
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

    try:
        with open(path, "rb", buffering=0, opener=without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                why = "is a pipe or a device, not a file; read it yourself and give the bytes"
                raise ImageError(name, why)
            _check_bytes(status.st_size, name, most)
            return _drain(file, most)
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
