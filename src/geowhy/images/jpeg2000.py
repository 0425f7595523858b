"""What the header of a JPEG 2000 says that its decoder doesn't ask: bands, depth, resolutions.

Source: ITU-T T.800 (2019), annexes A and I.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Header", "header_of", "parts"]

_START, _SIZE, _CODING, _TILE, _END = 0xFF4F, 0xFF51, 0xFF52, 0xFF90, b"\xff\xd9"
_OPACITY = (1, 2)  # types of a channel: alone, or multiplied into the colours
_MOST_BOXES = 10_000


@dataclass(frozen=True, slots=True)
class Header:
    """How a JPEG 2000 is made.

    Attributes:
        bands: how many there are.
        bits: of the deepest band.
        halvings: how often it can be decoded at half the size.
        has_opacity: whether a channel is said to be transparency.
    """

    bands: int
    bits: int
    halvings: int
    has_opacity: bool


def header_of(data: bytes) -> Header:
    """The header of a JPEG 2000, in boxes or bare.

    Raises:
        ValueError, struct.error: if it is damaged.
    """
    has_opacity, (at, end) = False, _codestream(data)
    for kind, start, stop in _boxes(data, 0, len(data)) if at else ():
        if kind == b"jp2h":
            inner = {name: data[a:b] for name, a, b in _boxes(data, start, stop)}
            definitions = inner.get(b"cdef", b"")[2:]
            kinds = [row[1] for row in struct.iter_unpack(">HHH", definitions)]
            has_opacity = any(each in _OPACITY for each in kinds)
    bands = bits = halvings = 0
    at += 2
    while at + 4 <= end:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == _SIZE:
            (bands,) = struct.unpack_from(">H", data, at + 38)
            depths = data[at + 40 : at + 40 + 3 * bands : 3]
            bits = max((depth & 0x7F) + 1 for depth in depths)
        elif marker == _CODING:
            halvings = data[at + 9]
        elif marker == _TILE or length < 2:
            break
        at += 2 + length
    return Header(bands, bits, min(halvings, 32), has_opacity)


def parts(data: bytes) -> Iterator[int]:
    """Where its boxes lie; the decoder paints what is missing before an end grey.

    Raises:
        EOFError: if its end isn't there.
    """
    at, end = _codestream(data)
    if end > len(data) or data[end - 2 : end] != _END:
        raise EOFError
    yield at


def _codestream(data: bytes) -> tuple[int, int]:
    """Where the pixels begin and end; EOFError if they don't."""
    if data[:2] == _START.to_bytes(2, "big"):
        return 0, len(data)
    for kind, start, stop in _boxes(data, 0, len(data)):
        if kind == b"jp2c":
            return start, stop
    raise EOFError


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each box, and where its content begins and ends."""
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">L4s", data, at)
        start = at + 8
        if size == 1:
            if at + 16 > end:
                raise EOFError
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        stop = at + size if size else end
        if stop < start:
            raise ValueError("a box is shorter than its own head")
        yield kind, start, stop
        at = stop
