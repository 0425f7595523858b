"""The strips and tiles of a TIFF, one at a time, as numbers of whatever kind the file holds.

Pillow knows a TIFF only as one of its own modes: it cuts 16-bit colours to their high byte, takes
a fourth band for transparency, and decodes all or nothing. Here whole bytes of any kind of number
come out by strips and tiles, so that a file may be larger than memory. Packed bytes are lent to
Pillow's decoders as if they were a small grey TIFF; what was predicted is undone here.

Source: TIFF 6.0 (1992), and its Technical Note 3 on floats.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Array
from geowhy.images.ifd import Directory

__all__ = ["Layout", "Piece", "layout_of", "pieces"]

_MOST_SEGMENTS = 200_000  # strips or tiles; more would keep a reader busy for minutes
_MOST_SEGMENT_BYTES = 256 * 2**20  # of one that is packed, since it unpacks as a whole
_ROWS_AT_ONCE_BYTES = 16 * 2**20  # of one that isn't
_MOST_BANDS = 4096
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _BANDS, _ROWS, _STRIP_BYTES, _PLANAR = 273, 277, 278, 279, 284
_PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 317, 322, 323, 324, 325
_FORMAT, _JPEG_TABLES, _SUBSAMPLING = 339, 347, 530
_KINDS = {1: "u", 2: "i", 3: "f"}
_NUMBERS = {"u1", "i1", "u2", "i2", "u4", "i4", "f4", "u8", "i8", "f8"}
_PLAIN, _JPEG, _DEFLATE, _PACKED = 1, 7, {8, 32946}, {5, 32773, 34925, 50000}
YCBCR = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pixels of a TIFF lie in it; a strip is a tile as wide as the picture."""

    directory: Directory
    width: int
    height: int
    bands: int
    number: np.dtype[np.generic]
    planar: bool  # each band has tiles of its own
    tile_width: int
    tile_height: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    compression: int
    predictor: int
    photometric: int

    @property
    def bytes_of_all(self) -> int:
        """How many bytes its strips and tiles are when they are unpacked."""
        return len(self.offsets) * _bytes(self, self.tile_height)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A part of a picture: ``values`` ``[h, w, n]`` of the bands from ``band`` on."""

    top: int
    left: int
    band: int
    values: Array


def layout_of(directory: Directory) -> Layout:
    """The layout that the tags of a TIFF describe.

    Raises:
        ValueError: if they make no picture; says why.
        NotImplementedError: if it is a kind of TIFF that isn't read here; says which.
    """

    def whole(tag: int, usual: int) -> int:
        value = directory.number(tag)
        return usual if value is None else int(value)

    width, height, bands = whole(_WIDTH, 0), whole(_HEIGHT, 0), whole(_BANDS, 1)
    if not 1 <= bands <= _MOST_BANDS:
        raise ValueError(f"{bands} bands")
    tiled = directory.count(_TILE_OFFSETS) > 0
    tile_width = whole(_TILE_WIDTH, 0) if tiled else width
    tile_height = whole(_TILE_HEIGHT, 0) if tiled else min(whole(_ROWS, height), height)
    if min(width, height, tile_width, tile_height) < 1:
        raise ValueError("no size")
    offsets, counts = (
        tuple(int(value or 0) for value in directory.numbers(tag, _MOST_SEGMENTS))
        for tag in ((_TILE_OFFSETS, _TILE_BYTES) if tiled else (_STRIP_OFFSETS, _STRIP_BYTES))
    )
    layout = Layout(
        directory=directory,
        width=width,
        height=height,
        bands=bands,
        number=_number(directory),
        planar=whole(_PLANAR, 1) == 2 and bands > 1,
        tile_width=tile_width,
        tile_height=tile_height,
        offsets=offsets,
        counts=counts,
        compression=whole(_COMPRESSION, _PLAIN),
        predictor=whole(_PREDICTOR, 1),
        photometric=whole(_PHOTOMETRIC, 1),
    )
    _check(layout)
    return layout


def pieces(layout: Layout, bands: tuple[int, ...]) -> Iterator[Piece]:
    """The parts of a picture, of ``bands`` only where these lie apart.

    A tile that was left out, as of a place without data, doesn't come.

    Raises:
        ValueError: if a part is damaged or lies outside the file.
    """
    across = -(-layout.width // layout.tile_width)
    each_band = across * -(-layout.height // layout.tile_height)
    for index, offset in enumerate(layout.offsets):
        plane, place = divmod(index, each_band)
        row, column = divmod(place, across)
        if plane not in bands if layout.planar else plane > 0:
            continue
        top, left = row * layout.tile_height, column * layout.tile_width
        count = layout.counts[index] if layout.counts else None
        if offset == 0 and count == 0:
            continue
        # The last strip may be short; a tile is always whole.
        is_tile = layout.tile_width < layout.width or layout.directory.count(_TILE_OFFSETS)
        rows = layout.tile_height if is_tile else min(layout.tile_height, layout.height - top)
        for start, values in _segment(layout, offset, count, rows):
            inside = values[: layout.height - top - start, : layout.width - left]
            if inside.size:
                yield Piece(top + start, left, plane if layout.planar else 0, inside)


def _number(directory: Directory) -> np.dtype[np.generic]:
    """The one kind of number that all bands are of."""
    bits = {int(value or 0) for value in directory.numbers(_BITS)} or {1}
    formats = {int(value or 0) for value in directory.numbers(_FORMAT)} or {1}
    name = f"{_KINDS.get(min(formats))}{min(bits) // 8}"
    if len(bits) > 1 or len(formats) > 1 or min(bits) % 8 or name not in _NUMBERS:
        raise NotImplementedError("its bands are numbers of several kinds, or of an unusual one")
    return np.dtype(directory.order + name)


def _check(layout: Layout) -> None:
    tiles = -(-layout.width // layout.tile_width) * -(-layout.height // layout.tile_height)
    needed = tiles * (layout.bands if layout.planar else 1)
    if needed > _MOST_SEGMENTS:
        raise NotImplementedError(f"it has {needed} strips or tiles")
    if len(layout.offsets) < needed or (layout.counts and len(layout.counts) < needed):
        raise ValueError(f"{len(layout.offsets)} strips or tiles instead of {needed}")
    if layout.directory.number(_FILL_ORDER) == 2:
        raise NotImplementedError("its bits are in reverse order")
    known = {_PLAIN, *_DEFLATE, *_PACKED, _JPEG}
    if layout.compression not in known:
        raise NotImplementedError(f"it is packed by method number {layout.compression}")
    if layout.compression == _JPEG and layout.number.itemsize > 1:
        raise NotImplementedError("it holds a JPEG of more than 8 bits")
    if not 1 <= layout.predictor <= 3 or (layout.predictor == 3 and layout.number.kind != "f"):
        raise NotImplementedError(f"its predictor has the number {layout.predictor}")
    if layout.compression == _JPEG and layout.bands not in (1, 3) and not layout.planar:
        raise NotImplementedError(f"it holds a JPEG of {layout.bands} bands")
    if layout.compression != _PLAIN and _bytes(layout, layout.tile_height) > _MOST_SEGMENT_BYTES:
        raise NotImplementedError("it is packed in pieces of more than 256 MB")


def _bands_of_one(layout: Layout) -> int:
    return 1 if layout.planar else layout.bands


def _bytes(layout: Layout, rows: int) -> int:
    return rows * layout.tile_width * _bands_of_one(layout) * layout.number.itemsize


def _segment(
    layout: Layout, offset: int, count: int | None, rows: int
) -> Iterator[tuple[int, Array]]:
    """Values ``[h, w, n]`` of a strip or tile, with the row that they begin at."""
    block, one_row = layout.directory.block, _bytes(layout, 1)
    if layout.compression == _PLAIN:
        step = max(1, _ROWS_AT_ONCE_BYTES // one_row)
        for start in range(0, rows, step):
            end = min(start + step, rows)
            part = block[offset + start * one_row : offset + end * one_row]
            yield start, _values(layout, part, end - start)
        return
    if not count or count > len(block) - offset:
        raise ValueError("a strip or tile lies outside the file")
    packed = block[offset : offset + count]
    if layout.compression == _JPEG:
        yield 0, _jpeg(layout, packed, rows)
    else:
        yield 0, _values(layout, _unpacked(layout, packed, rows), rows)


def _unpacked(layout: Layout, packed: bytes, rows: int) -> bytes:
    """The bytes of a strip or tile, never more than it should have."""
    if layout.compression in _DEFLATE:
        return zlib.decompressobj().decompress(packed, _bytes(layout, rows))
    lent = _lent(packed, _bytes(layout, 1), rows, {_COMPRESSION: layout.compression})
    return lent.tobytes()


def _values(layout: Layout, data: bytes, rows: int) -> Array:
    """Values ``[rows, w, n]`` in this machine's byte order."""
    bands, number = _bands_of_one(layout), layout.number
    shape = rows, layout.tile_width, bands
    if len(data) < _bytes(layout, rows):
        raise ValueError("a strip or tile is too short")
    data = data[: _bytes(layout, rows)]
    if layout.predictor == 3:  # differences of bytes, the highest of all values first
        flat = np.frombuffer(data, np.uint8).reshape(rows, -1, bands)
        summed = np.cumsum(flat, axis=1, dtype=np.uint8).reshape(rows, number.itemsize, -1)
        highest_first = np.ascontiguousarray(summed.transpose(0, 2, 1))
        values = highest_first.view(number.newbyteorder(">")).reshape(shape)
        return values.astype(number.newbyteorder("="))
    values = np.frombuffer(data, number).reshape(shape).astype(number.newbyteorder("="))
    if layout.predictor == 2:  # differences of neighbours, also of floats' bits
        whole = values.view(f"u{number.itemsize}")
        values = np.cumsum(whole, axis=1, dtype=whole.dtype).view(values.dtype)
    return values


def _jpeg(layout: Layout, packed: bytes, rows: int) -> Array:
    directory = layout.directory
    tags: dict[int, int | bytes] = {_COMPRESSION: _JPEG}
    if tables := directory.raw(_JPEG_TABLES):
        tags[_JPEG_TABLES] = tables
    if _bands_of_one(layout) == 3:
        tags |= {_BANDS: 3, _PHOTOMETRIC: layout.photometric}
    if layout.photometric == YCBCR and directory.count(_SUBSAMPLING) == 2:
        finer = (int(value or 1) for value in directory.numbers(_SUBSAMPLING))
        tags[_SUBSAMPLING] = struct.pack("<2H", *finer)
    lent = _lent(packed, layout.tile_width, rows, tags)
    return lent.reshape(rows, layout.tile_width, -1)


def _lent(packed: bytes, width: int, rows: int, tags: dict[int, int | bytes]) -> Array:
    """What Pillow makes of packed bytes as the only strip of a TIFF: ``[rows, width, ...]``."""
    from PIL.TiffImagePlugin import TiffImageFile  # slow to import, and few pictures need it

    bands = tags.get(_BANDS, 1)
    plain = {_WIDTH: width, _HEIGHT: rows, _PHOTOMETRIC: 1, _BANDS: 1, _ROWS: rows, **tags}
    plain |= {_STRIP_BYTES: len(packed), _STRIP_OFFSETS: 0, _BITS: b"\x08\0" * int(bands)}
    head = 8 + 2 + 12 * len(plain) + 4
    far = b"".join(v for _, v in sorted(plain.items()) if isinstance(v, bytes) and len(v) > 4)
    plain[_STRIP_OFFSETS] = head + len(far)
    entries, at = b"", head
    for tag, value in sorted(plain.items()):
        if isinstance(value, int):
            entries += struct.pack("<HHLL", tag, 4, 1, value)
            continue
        kind, size = (7, 1) if tag == _JPEG_TABLES else (3, 2)
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<L", at)
        entries += struct.pack("<HHL", tag, kind, len(value) // size) + place
        at += len(value) if len(value) > 4 else 0
    start = b"II*\0\x08\0\0\0" + struct.pack("<H", len(plain))
    whole = b"".join((start, entries, bytes(4), far, packed))
    return np.asarray(TiffImageFile(io.BytesIO(whole), ""))
