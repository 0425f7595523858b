"""Opens any image safely: one way in for paths, bytes, file objects and Pillow images.

A picture comes out upright, in 8-bit sRGB, or an `ImageError` names the image, the reason and
what to do. Nothing process-wide is touched, so threads may read at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from geowhy.answer import FileRecord
from geowhy.arrays import Pixels
from geowhy.errors import ImageError
from geowhy.images.colour import to_srgb
from geowhy.images.file_record import file_record
from geowhy.images.formats import format_of, open_lazily
from geowhy.images.ifd import Block, Directory, read_directory
from geowhy.images.jpeg2000 import header_of
from geowhy.images.levels import levels_of
from geowhy.images.raster import is_measured, read_raster
from geowhy.images.sources import FileBlock, ImageSource, Limits, name_of, opened, whole

__all__ = ["ImageSource", "Limits", "NamedImage", "exif_block", "name_of", "read_image"]


@dataclass(frozen=True, slots=True, eq=False)
class NamedImage:
    """A picture and the name under which it was given, as in messages and answers.

    Attributes:
        name: as messages and answers call it.
        pixels: upright sRGB ``[H, W, 3]``, read-only.
        file_says: the place that the file itself states.
        notes: what a user should know of how it was read, each without a capital or a full stop.
    """

    name: str
    pixels: Pixels
    notes: tuple[str, ...] = ()
    file_says: FileRecord | None = None


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture in whatever mode it came, and how it must be turned."""

    picture: Image.Image
    turn: Image.Transpose | None
    tags: Directory | None
    notes: tuple[str, ...] = ()


_USUAL = Limits()
_ORIENTATION, _KIND, _PHOTOMETRIC, _DNG_VERSION = 274, 254, 262, 50706
_WIDTH, _HEIGHT = 256, 257
_SENSOR = (32803, 34892)  # photometric interpretations: a colour a pixel, or not yet developed
_RAW = (".dng", ".nef", ".cr2", ".arw", ".pef", ".srw", ".3fr", ".iiq", ".erf", ".mos")
_TURNING_BOX = re.compile(rb"irot[^\0]|imir")  # an irot of 0 turns nothing
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


def read_image(
    source: ImageSource,
    *,
    name: str | None = None,
    limits: Limits = _USUAL,
    min_side: int | None = None,
) -> NamedImage:
    """Reads one picture: JPEG, PNG, WebP, TIFF, HEIC, AVIF, JPEG 2000, GIF or BMP.

    It comes out upright, in sRGB, over white; of an animation the first frame. ``name`` is for
    messages and answers; the path if not given. With ``min_side`` a picture may come back smaller,
    as long as both sides keep at least so many pixels: several times faster, and the only way to
    read one that is larger than memory.

    Raises:
        ImageError: if it can't be read; names the image, the reason and the remedy.
    """
    name = name_of(source) if name is None else name
    with opened(source, name, limits) as content, _failures_named(name):
        decoded = _decoded(content, name, limits, min_side)
        picture = to_srgb(decoded.picture, name)
        file_says, trouble = file_record(decoded.tags)
        notes, turn = decoded.notes + (trouble,) * bool(trouble), decoded.turn
        del decoded  # so that no third copy stays alive
        picture = picture if turn is None else picture.transpose(turn)
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):  # in strips: Pillow copies whatever it exports twice
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)))
    pixels.flags.writeable = False
    return NamedImage(name, pixels, notes, file_says)


@contextmanager
def exif_block(source: ImageSource, *, name: str) -> Iterator[Block]:
    """The EXIF block of an image, from its byte-order mark on; b"" if it has none.

    Raises:
        ImageError: if the image can't be opened; its pixels may be damaged.
    """
    with opened(source, name, _USUAL) as content:
        if not isinstance(content, Image.Image) and _is_tiff(content, name):
            yield content  # a TIFF file is an EXIF block with pixels in it
            return
        with _failures_named(name):
            block = _exif_of(content, name)
        yield block


def _exif_of(content: bytes | FileBlock | Image.Image, name: str) -> bytes:
    if isinstance(content, Image.Image):
        return _bare(content.info.get("exif") or content.getexif().tobytes())
    picture = open_lazily(whole(content, name, _USUAL), name)
    _check_size(picture.size, name, _USUAL)
    if picture.format == "PNG":
        picture.load()  # the block may come after the pixels
    return _bare(picture.info.get("exif"))


def _is_tiff(content: bytes | FileBlock, name: str) -> bool:
    return format_of(content[:256], name) == "TIFF"


def _decoded(
    content: bytes | FileBlock | Image.Image, name: str, limits: Limits, min_side: int | None
) -> _Decoded:
    if isinstance(content, Image.Image):
        return _by_pillow(content, name, limits, None)
    directory = read_directory(content) if _is_tiff(content, name) else None
    if directory is None:
        data = whole(content, name, limits)
        if format_of(data[:256], name) == "JPEG2000":
            return _jpeg_2000(data, name, limits, min_side)
        found = _by_pillow(open_lazily(data, name), name, limits, min_side)
        return replace(found, notes=_container_note(found.picture, data))
    size = int(directory.number(_WIDTH) or 0), int(directory.number(_HEIGHT) or 0)
    notes = _preview_note(directory, size, name)
    if not _in_parts(directory, content, size, limits):
        lazy = _opened_tiff(directory, whole(content, name, limits), name)
        found = _by_pillow(lazy, name, limits, min_side)
        return replace(found, tags=directory, notes=notes)
    _check_size(size, name, limits, limits.max_pixels_in_parts)
    picture, more = read_raster(directory, min_side, limits.max_pixels, limits.max_bytes_in_parts)
    turn = _UPRIGHT.get(directory.number(_ORIENTATION))
    return _Decoded(picture, turn, directory, notes + more)


def _opened_tiff(directory: Directory, data: bytes, name: str) -> Image.Image:
    if directory.number(_PHOTOMETRIC) in _SENSOR:
        raise NotImplementedError("it holds the raw values of a sensor")
    try:
        return open_lazily(data, name)
    except SyntaxError as error:
        if "pixel mode" not in str(error):
            raise
        raise NotImplementedError("its bands are of no usual number or depth") from error


def _in_parts(
    directory: Directory, content: bytes | FileBlock, size: tuple[int, int], limits: Limits
) -> bool:
    """Whether a TIFF is for our own reader: what Pillow can't read, or not at once."""
    large = size[0] * size[1] > limits.max_pixels or len(content) > limits.max_bytes
    return is_measured(directory) or (large and directory.number(_PHOTOMETRIC) in (0, 1, 2, 6))


def _by_pillow(picture: Image.Image, name: str, limits: Limits, min_side: int | None) -> _Decoded:
    if min_side is not None and picture.format == "JPEG":
        # A progressive one is in memory as a whole, however small it comes out.
        progressive = bool(picture.info.get("progressive"))
        most = limits.max_pixels if progressive else limits.max_pixels_in_parts
        _check_size(picture.size, name, limits, most)
        picture.draft(None, (max(min_side, 1), max(min_side, 1)))
    _check_size(picture.size, name, limits)
    picture.load()
    _check_size(picture.size, name, limits)  # a decoder may find another size than the header's
    # Pillow turns a TIFF and pillow_heif a HEIC by itself; neither leaves an orientation here.
    directory = read_directory(_bare(picture.info.get("exif")))
    turn = _UPRIGHT.get(directory.number(_ORIENTATION)) if directory else None
    return _Decoded(picture, turn, directory)


def _jpeg_2000(data: bytes, name: str, limits: Limits, min_side: int | None) -> _Decoded:
    """Its decoder halves as often as the file allows, and takes twice the memory of others."""
    header = header_of(data)
    if header.bands > 4:
        raise NotImplementedError(f"a JPEG 2000 of {header.bands} bands")
    picture, halvings = open_lazily(data, name), 0
    _check_size(picture.size, name, limits, limits.max_pixels_in_parts)
    while min_side and halvings < header.halvings and min(picture.size) >> halvings + 1 >= min_side:
        halvings += 1
    width, height = (side >> halvings for side in picture.size)
    _check_size((width, height), name, limits, limits.max_pixels // 2)
    picture.reduce = halvings  # type: ignore[assignment,method-assign]
    picture.load()
    notes = []
    flat: Image.Image = picture
    if header.bands in (2, 4) and picture.mode in ("LA", "RGBA") and not header.has_opacity:
        flat = picture.convert({"LA": "L", "RGBA": "RGB"}[picture.mode])
        notes.append("1 more band, such as near infrared, left out")
    if header.bits > 8 and flat.mode != "I;16":
        values = np.asarray(flat)
        levels = levels_of(values[..., :3])
        flat = Image.fromarray(levels.applied(values)) if levels.stretched else flat
        notes.append(
            f"its {header.bits} bits a band were cut to 8; a GeoTIFF of it is read in full"
        )
    return _Decoded(flat, None, None, tuple(notes))


def _container_note(picture: Image.Image, data: bytes) -> tuple[str, ...]:
    """The standard of HEIF lets only the container turn a picture, and says to ignore the rest."""
    told = picture.info.get("original_orientation")
    turned = _TURNING_BOX.search(data) is not None
    if picture.format != "HEIF" or told in (None, 1) or turned:
        return ()
    return (
        "its metadata say that it is turned and its container doesn't: read as the container says, "
        "as the standard of HEIF asks",
    )


def _preview_note(directory: Directory, size: tuple[int, int], name: str) -> tuple[str, ...]:
    """Raw photographs are TIFF files that begin with a small picture."""
    told = int(directory.number(_KIND) or 0) & 1 or directory.count(_DNG_VERSION)
    if not told and not name.lower().endswith(_RAW):
        return ()
    return (
        f"this is the preview of {size[0]} × {size[1]} pixels in a raw photograph, not the "
        "photograph; export that as JPEG for more detail",
    )


def _check_size(size: tuple[int, int], name: str, limits: Limits, most: int | None = None) -> None:
    width, height = size
    most = limits.max_pixels if most is None else most
    if width <= 0 or height <= 0:
        raise ImageError(name, f"has no pixels ({width} × {height}); export it again")
    if width * height > most:
        raise ImageError(
            name,
            f"has {width} × {height} pixels, more than the {most / 1e6:,.0f} million "
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
    except NotImplementedError as error:
        reason = f"is whole, but of a kind that isn't read: {error}; save it as JPEG or PNG"
        raise ImageError(name, reason) from error
    except Exception as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise ImageError(
            name, f"is damaged or cut short ({said}); copy it again from where it came"
        ) from error
