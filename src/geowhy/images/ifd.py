"""Reads tag directories: the structure that EXIF blocks and TIFF files share.

Its own reader, because it meets hostile bytes: it follows no chain, reads no value twice,
copies at most 1024 numbers of a tag unless asked for more, and answers "not there" instead of
raising. A block is bytes, or whatever gives them when it is sliced: a file may be larger than
memory.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

__all__ = ["Block", "Directory", "read_directory", "sub_directory"]

_CODES = {
    1: "B", 2: "c", 3: "H", 4: "L", 5: "LL", 6: "b", 7: "c", 8: "h", 9: "l", 10: "ll",
    11: "f", 12: "d", 13: "L", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_MOST_VALUES = 1024


class Block(Protocol):
    """Bytes, at hand or still in a file."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, part: slice, /) -> bytes:
        """A part of them."""
        ...


class _Entry(NamedTuple):
    code: str  # struct code of one value
    length: int  # number of values
    start: int  # of the values, in the block


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of one directory; a tag that lies outside the block isn't there."""

    block: Block
    order: str  # struct's byte order, "<" or ">"
    entries: dict[int, _Entry]

    def count(self, tag: int) -> int:
        """How many values a tag holds; 0 if it isn't there."""
        return self.entries[tag].length if tag in self.entries else 0

    def numbers(self, tag: int, most: int = _MOST_VALUES) -> tuple[float | None, ...]:
        """The first values of a tag; None for a ratio with denominator 0, () if not there."""
        entry = self.entries.get(tag)
        if entry is None or entry.code == "c":
            return ()
        code = entry.code * min(entry.length, most)
        flat = _unpacked(self.order + code, self.block, entry.start)
        if len(entry.code) == 1:
            return flat
        return tuple(n / d if d else None for n, d in zip(flat[::2], flat[1::2], strict=True))

    def number(self, tag: int) -> float | None:
        """The first value of a tag, None if there is none."""
        values = self.numbers(tag, 1)
        return values[0] if values else None

    def raw(self, tag: int, most: int = 2**16) -> bytes:
        """The bytes of a tag as they are, at most ``most``; b"" if not there."""
        entry = self.entries.get(tag)
        if entry is None:
            return b""
        size = entry.length * struct.calcsize("<" + entry.code)
        return self.block[entry.start : entry.start + min(size, most)]

    def text(self, tag: int) -> str:
        """A tag's text up to its first NUL; "" if not there."""
        entry = self.entries.get(tag)
        if entry is None or entry.code not in "Bc":
            return ""
        raw = self.block[entry.start : entry.start + min(entry.length, _MOST_VALUES)]
        return raw.split(b"\0", 1)[0].decode("latin-1").strip()


def read_directory(block: Block) -> Directory | None:
    """The first directory of an EXIF block or TIFF file; None if it has no readable one."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 16:
        return None
    (version,) = _unpacked(order + "H", block, 2)
    start, code = (8, "Q") if version == 43 else (4, "L")
    (offset,) = _unpacked(order + code, block, start)
    return _directory_at(block, order, offset, big=version == 43)


def sub_directory(parent: Directory, tag: int) -> Directory | None:
    """The directory that a tag of ``parent`` points to; None if it can't be read."""
    offset = parent.number(tag)
    if not isinstance(offset, int):
        return None
    return _directory_at(parent.block, parent.order, offset, big=False)


def _unpacked(code: str, block: Block, start: int) -> tuple[Any, ...]:
    return struct.unpack(code, block[start : start + struct.calcsize(code)])


def _directory_at(block: Block, order: str, offset: int, *, big: bool) -> Directory | None:
    head, entry, inline, pointer = ("Q", "HHQ", 8, "Q") if big else ("H", "HHL", 4, "L")
    head_size, value_at = struct.calcsize("<" + head), struct.calcsize("<" + entry)
    if not 0 < offset <= len(block) - head_size:
        return None
    (declared,) = _unpacked(order + head, block, offset)
    first, entry_size = offset + head_size, value_at + inline
    whole = min(declared, (len(block) - first) // entry_size, 65535)
    table = block[first : first + whole * entry_size]
    found: dict[int, _Entry] = {}
    for at in range(0, whole * entry_size, entry_size):
        tag, kind, count = struct.unpack_from(order + entry, table, at)
        code = _CODES.get(kind)
        if code is None or count == 0:
            continue
        start, size = first + at + value_at, count * struct.calcsize("<" + code)
        if size > inline:  # then the entry holds where its values lie
            (start,) = struct.unpack_from(order + pointer, table, at + value_at)
        if start + size <= len(block):
            found.setdefault(tag, _Entry(code, count, start))
    return Directory(block, order, found)
