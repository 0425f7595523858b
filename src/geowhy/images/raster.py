"""TIFF pictures that were measured rather than photographed, or are larger than memory.

Which band is which color is told by the tags alone: the photometric interpretation, ExtraSamples
(only they make a band transparency), and the names that GDAL writes. Where nothing is told, the
first three bands are taken for red, green and blue, and that is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

from geowhy.arrays import Array, Floats32, Pixels
from geowhy.images.ifd import Directory
from geowhy.images.levels import Levels, is_missing, levels_of
from geowhy.images.segments import YCBCR, Layout, layout_of, pieces

__all__ = ["Bands", "bands_of", "is_measured", "read_raster"]

_BITS, _COMPRESSION, _PHOTOMETRIC, _BANDS, _EXTRA = 258, 259, 262, 277, 338
_FORMAT, _ICC_PROFILE, _METADATA, _NO_DATA = 339, 34675, 42112, 42113
_WHITE_IS_ZERO, _GREY, _RGB = 0, 1, 2
_ALPHA = (1, 2)  # of ExtraSamples: colours multiplied by it, or not
_MOST_METADATA = 2**20
_ITEM = re.compile(
    r'<Item\b(?=[^>]*\bsample="(\d+)")(?=[^>]*\brole="(?:colorinterp|description)")[^>]*>'
    r"\s*(red|green|blue)\b[^<]*</Item>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bands:
    """Which bands of a TIFF are looked at; ``note`` says what the tags left open."""

    shown: tuple[int, ...]  # one for grey, three for red, green and blue
    alpha: int | None = None
    premultiplied: bool = False
    note: str = ""


def is_measured(directory: Directory) -> bool:
    """Whether a TIFF holds numbers that Pillow would cut, misread or not read.

    Palettes, inks, Lab and raw sensor data are left to Pillow, as are black and white.
    """
    bits = directory.numbers(_BITS) or (1,)
    if directory.number(_PHOTOMETRIC) not in (None, _WHITE_IS_ZERO, _GREY, _RGB):
        return False
    if any(not bit or bit % 8 for bit in bits):
        return False
    bands, extra = directory.number(_BANDS) or 1, directory.numbers(_EXTRA)
    colours = 3 if directory.number(_PHOTOMETRIC) == _RGB else 1
    usual = bands == colours or (bands == colours + 1 and extra in ((1,), (2,)))
    numbers = set(directory.numbers(_FORMAT)) <= {1} and set(bits) == {8}
    return not (usual and numbers) or directory.count(_NO_DATA) > 0


def bands_of(directory: Directory) -> Bands:
    """What the tags of a TIFF say of its bands."""
    count = int(directory.number(_BANDS) or 1)
    extra = directory.numbers(_EXTRA)[-count:]
    alpha = next((count - len(extra) + i for i, kind in enumerate(extra) if kind in _ALPHA), None)
    premultiplied = alpha is not None and extra[alpha - count] == _ALPHA[0]
    coloured = count - (alpha is not None)
    shown: tuple[int, ...]
    found = _named(directory, count)
    first = tuple(band for band in range(count) if band != alpha)[:3]
    if directory.number(_PHOTOMETRIC) in (_RGB, YCBCR) and count >= 3:
        shown, rest = (0, 1, 2), coloured - 3
        more = f"{rest} more band{'s' * (rest > 1)}, such as near infrared, left out"
        note = more if rest > 0 else ""
    elif found:
        shown = found
        numbers = ", ".join(str(band + 1) for band in found)
        note = f"bands {numbers} of {count} are red, green and blue, as the file says"
    elif coloured >= 3:
        shown = first
        note = (
            f"the file doesn't say which of its {coloured} bands are red, green and blue; "
            "the first three were taken"
        )
    else:
        shown, note = first[:1], "the first of two bands is shown as grey" * (coloured == 2)
    return Bands(shown, alpha, premultiplied, note)


def read_raster(
    directory: Directory, min_side: int | None, most_pixels: int, most_bytes: int
) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture as grey or RGB of 8 bits, with transparency if the file has some; and notes.

    With ``min_side`` it is averaged over squares of pixels as long as both sides keep so many. In
    memory is what comes out, at most ``most_pixels``, and one strip or tile at a time.

    Raises:
        ValueError: if it can't be read; says why.
    """
    layout, bands = layout_of(directory), bands_of(directory)
    if layout.bytes_of_all > most_bytes:
        raise ValueError(f"more than {most_bytes / 2**30:,.0f} GB unpacked; make it smaller")
    factor = max(1, min(layout.width, layout.height) // min_side) if min_side else 1
    width, height = -(-layout.width // factor), -(-layout.height // factor)
    if width * height > most_pixels:
        raise ValueError(f"{width} × {height} pixels, more than are allowed; make it smaller")
    no_data = _no_data(directory)
    chosen = bands.shown + (() if bands.alpha is None else (bands.alpha,))
    values = (_whole if factor == 1 else _averaged)(layout, chosen, factor, no_data)
    colours = values[..., : len(bands.shown)]
    levels = _levels(directory, layout, colours, no_data)
    pixels = levels.applied(colours, no_data)
    if layout.photometric == _WHITE_IS_ZERO:
        missing = is_missing(colours, no_data)
        pixels = np.where(missing, 0, 255 - pixels).astype(np.uint8)
    notes = [bands.note] if bands.note else []
    if levels.stretched:
        notes.append(f"its values {levels.black:,.6g} to {levels.white:,.6g} are black to white")
    alpha = None if bands.alpha is None else _opacity(values[..., -1], layout)
    picture = _as_picture(pixels, alpha, bands.premultiplied)
    if profile := directory.raw(_ICC_PROFILE, _MOST_METADATA):
        picture.info["icc_profile"] = profile
    return picture, tuple(notes)


def _whole(layout: Layout, bands: tuple[int, ...], factor: int, no_data: float | None) -> Array:
    """Values ``[H, W, n]`` of the bands, as the file has them."""
    shape, number = (layout.height, layout.width, len(bands)), layout.number.newbyteorder("=")
    with np.errstate(all="ignore"):  # a mark that the numbers can't hold marks nothing
        values = np.full(shape, np.array(no_data or 0.0).astype(number))
    for piece in pieces(layout, bands):
        height, width = piece.values.shape[:2]
        box = slice(piece.top, piece.top + height), slice(piece.left, piece.left + width)
        for at, of in _places(layout, bands, piece.band):
            values[(*box, at)] = piece.values[..., of]
    return values


def _averaged(layout: Layout, bands: tuple[int, ...], factor: int, no_data: float | None) -> Array:
    """Means ``[H / factor, W / factor, n]`` of what isn't missing; not a number where all is."""
    shape = -(-layout.height // factor), -(-layout.width // factor), len(bands)
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    all_known = layout.number.kind != "f" and no_data is None
    for piece in pieces(layout, bands):
        places = _places(layout, bands, piece.band)
        values = piece.values
        if [of for _, of in places] != list(range(values.shape[2])):
            values = values[..., [of for _, of in places]]
        known = None if all_known else ~is_missing(values, no_data) & np.isfinite(values)
        if known is not None and not known.all():
            values = np.where(known, values, 0)
        sums = _summed(values, piece.top, piece.left, factor)
        if known is None:
            known = np.ones((*values.shape[:2], 1), np.bool_)
        counts = np.broadcast_to(_summed(known, piece.top, piece.left, factor), sums.shape)
        top, left = piece.top // factor, piece.left // factor
        box = slice(top, top + len(sums)), slice(left, left + sums.shape[1])
        for index, (at, _) in enumerate(places):
            total[(*box, at)] += sums[..., index]
            count[(*box, at)] += counts[..., index]
    return np.where(count > 0, total / np.maximum(count, 1.0), np.float32(np.nan))


def _summed(values: Array, top: int, left: int, factor: int) -> Floats32:
    """Sums over squares of ``factor`` pixels of values ``[h, w, n]`` that begin at top, left."""
    height, width, bands = values.shape
    squares = (top % factor + np.arange(height)) // factor
    if squares[-1] == 0:
        rows = values.sum(axis=0, dtype=np.float32)
    else:  # a product of matrices is several times faster than sums over slices
        belongs = squares == np.arange(squares[-1] + 1)[:, None]
        rows = belongs.astype(np.float32) @ values.reshape(height, -1).astype(np.float32)
    edges = np.maximum(np.arange(-(left % factor), width, factor), 0)
    return np.add.reduceat(rows.reshape(-1, width, bands), edges, axis=1)


def _places(layout: Layout, bands: tuple[int, ...], first: int) -> list[tuple[int, int]]:
    """Where each band goes, and where it comes from in a piece that begins with ``first``."""
    if layout.planar:
        return [(at, 0) for at, band in enumerate(bands) if band == first]
    return list(enumerate(bands))


def _levels(directory: Directory, layout: Layout, colours: Array, no_data: float | None) -> Levels:
    """Eight bits are shown as they are, and so are 16 that have a colour profile."""
    if layout.number == np.uint8:
        return Levels(0.0, 255.0, stretched=False)
    if layout.number.str[1:] == "u2" and directory.count(_ICC_PROFILE):
        return Levels(0.0, 65535.0, stretched=False)
    return levels_of(colours, no_data)


def _opacity(values: Array, layout: Layout) -> Pixels:
    """Transparency ``[H, W]`` as 8 bits; some programs write 0 and 255 into any kind of number."""
    known = np.nan_to_num(values.astype(np.float32))
    if layout.number.kind == "f":
        most = 1.0 if known.max() <= 1.0 else 255.0
    else:
        most = 255.0 if known.max() <= 255.0 else 2.0 ** (8 * layout.number.itemsize) - 1
    shares = np.clip(known / most, 0.0, 1.0)
    return np.asarray(np.rint(shares * 255.0), np.uint8)


def _as_picture(pixels: Pixels, alpha: Pixels | None, premultiplied: bool) -> Image.Image:
    if alpha is None:
        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    layers = np.concatenate([np.broadcast_to(pixels, (*alpha.shape, 3)), alpha[..., None]], axis=2)
    if not premultiplied:
        return Image.fromarray(layers)
    return Image.frombytes("RGBa", (alpha.shape[1], alpha.shape[0]), layers.tobytes())


def _no_data(directory: Directory) -> float | None:
    """The value that GDAL's tag says stands for nothing."""
    try:
        return float(directory.text(_NO_DATA))
    except ValueError:
        return None


def _named(directory: Directory, count: int) -> tuple[int, ...]:
    """The bands that GDAL's metadata call red, green and blue; () unless all three are there."""
    text = directory.raw(_METADATA, _MOST_METADATA).decode("utf-8", "replace")
    found = {colour.lower(): int(sample) for sample, colour in _ITEM.findall(text)}
    bands = tuple(found.get(colour, count) for colour in ("red", "green", "blue"))
    return bands if len(set(bands)) == 3 and max(bands) < count else ()
