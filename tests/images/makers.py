"""Makes the images that the tests read: whole, turned, and broken in every way we know."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

T = Image.Transpose
# what a camera held the other way stores, for each EXIF orientation
STORED_AS = {
    1: None,
    2: T.FLIP_LEFT_RIGHT,
    3: T.ROTATE_180,
    4: T.FLIP_TOP_BOTTOM,
    5: T.TRANSPOSE,
    6: T.ROTATE_90,
    7: T.TRANSVERSE,
    8: T.ROTATE_270,
}
ENCODINGS = {
    "jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    "progressive": ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 95}),
    "lossless-webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}),
    "deflate-tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "lzw-tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "jpeg-tiff": ("TIFF", {"compression": "jpeg", "quality": 95}),
    "heic": ("HEIF", {"quality": 95}),
    "avif": ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    "jp2": ("JPEG2000", {}),
    "j2k": ("JPEG2000", {"no_jp2": True}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
}


def picture(height: int = 48, width: int = 80) -> Image.Image:
    """Red, green, blue and yellow quarters: no turn or mirror image looks the same."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = 200, 40, 40
    pixels[: height // 2, width // 2 :] = 40, 180, 40
    pixels[height // 2 :, : width // 2] = 40, 40, 200
    pixels[height // 2 :, width // 2 :] = 220, 210, 40
    return Image.fromarray(pixels)


def encoded(image: Image.Image, encoding: str, **more: object) -> bytes:
    """The content of an image file."""
    form, settings = ENCODINGS[encoding]
    if form == "HEIF":
        return heic(image, **{**settings, **more})
    buffer = io.BytesIO()
    image.save(buffer, form, **{**settings, **more})
    return buffer.getvalue()


def heic(image: Image.Image, **settings: object) -> bytes:
    """A HEIC; an orientation in its EXIF block also goes where HEIC readers look for it."""
    import pillow_heif  # slow to import, and few tests need it

    buffer = io.BytesIO()
    pillow_heif.from_bytes(image.mode, image.size, image.tobytes()).save(buffer, **settings)
    return buffer.getvalue()


Tags = dict[int, tuple[int, int, bytes]]  # tag -> type, count, values


def exif(root: Tags, **directories: Tags) -> bytes:
    """A little-endian EXIF block; ``gps`` and ``photo`` directories are linked from the root."""
    pointers = {"gps": 0x8825, "photo": 0x8769}
    root = {**root, **{pointers[name]: (4, 1, bytes(4)) for name in directories}}
    block, at = b"II*\0\x08\0\0\0", 8 + _directory_size(root)
    for name, tags in directories.items():
        root[pointers[name]] = (4, 1, struct.pack("<L", at))
        at += _directory_size(tags)
    start = 8
    for tags in (root, *directories.values()):
        block += _directory(tags, start)
        start += _directory_size(tags)
    return block


def _directory_size(tags: Tags) -> int:
    return 6 + 12 * len(tags) + sum(len(v) for _, _, v in tags.values() if len(v) > 4)


def _directory(tags: Tags, start: int) -> bytes:
    entries, far = struct.pack("<H", len(tags)), b""
    for tag, (kind, count, values) in sorted(tags.items()):
        place = values.ljust(4, b"\0")
        if len(values) > 4:
            place = struct.pack("<L", start + 6 + 12 * len(tags) + len(far))
            far += values
        entries += struct.pack("<HHL", tag, kind, count) + place
    return entries + bytes(4) + far


def ratios(*pairs: tuple[int, int]) -> tuple[int, int, bytes]:
    return 5, len(pairs), b"".join(struct.pack("<LL", *pair) for pair in pairs)


def text(value: str) -> tuple[int, int, bytes]:
    raw = value.encode() + b"\0"
    return 2, len(raw), raw


def short(value: int) -> tuple[int, int, bytes]:
    return 3, 1, struct.pack("<H", value)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png_of_size(width: int, height: int, *extra: bytes) -> bytes:
    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + b"".join(extra)
    body += png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tags_first(image: Image.Image) -> bytes:
    """A zlib TIFF whose last bytes are pixels; most programs write the tags last."""
    pixels = zlib.compress(image.tobytes())
    width, height = image.size
    numbers = {256: width, 257: height, 259: 8, 262: 2, 277: 3, 278: height, 279: len(pixels)}
    tags = {tag: (4, 1, struct.pack("<L", value)) for tag, value in numbers.items()}
    tags[258] = 3, 3, struct.pack("<HHH", 8, 8, 8)
    head = exif({**tags, 273: (4, 1, bytes(4))})
    return exif({**tags, 273: (4, 1, struct.pack("<L", len(head)))}) + pixels


class Malformed(NamedTuple):
    name: str
    data: bytes
    expected: str  # "refused", "read", or "either" where the bytes may happen to be legal


def malformed(seed: int = 20) -> Iterator[Malformed]:
    """Some 380 files, the same for the same seed."""
    chance = random.Random(seed)
    noisy = Image.effect_noise((72, 56), 60).convert("RGB")
    noisy.paste(picture(20, 30), (7, 9))
    whole = {name: encoded(noisy, name) for name in ENCODINGS}
    comment = {"exif": b"Exif\0\0" + exif({271: text("x" * 200)})}  # stands last in some formats
    commented = {
        f"exif-{name}": encoded(noisy, name, **comment) for name in ("webp", "png", "avif")
    }
    yield from _truncated({**whole, **commented, "tags-first.tif": tags_first(noisy)}, chance)
    yield from _flipped(whole, chance)
    yield from _strangers(chance)
    yield from _impossible_sizes(whole)
    yield from _garbage(whole, chance)
    yield from _hostile_exif(chance)


def _truncated(whole: dict[str, bytes], chance: random.Random) -> Iterator[Malformed]:
    for name, data in whole.items():
        cuts = {1, 2, 16, len(data) - 1, len(data) - 2, len(data) - 5}
        cuts |= {chance.randrange(1, len(data)) for _ in range(6)}
        for cut in sorted(cuts):
            yield Malformed(f"cut-{cut}.{name}", data[:cut], "refused")


def _flipped(whole: dict[str, bytes], chance: random.Random) -> Iterator[Malformed]:
    for name, data in whole.items():
        for number in range(7):
            bad = bytearray(data)
            reach = 200 if number < 4 else len(data)  # headers first: that is where it hurts
            for _ in range(1 + number):
                bad[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
            yield Malformed(f"flipped-{number}.{name}", bytes(bad), "either")


def _strangers(chance: random.Random) -> Iterator[Malformed]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.jpg", encoded(picture(), "jpeg"))
    contents = {
        "empty": b"",
        "byte": b"\xff",
        "zeros": bytes(5000),
        "noise": chance.randbytes(5000),
        "zip": archive.getvalue(),
        "gzip": gzip.compress(encoded(picture(), "png")),
        "pdf": b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n",
        "text": b"This is no picture.\n" * 40,
        "html": b"\n  <!DOCTYPE html><html><body>404</body></html>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "json": b'{"error": "not found"}',
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(200),
    }
    for kind, data in contents.items():
        yield Malformed(f"{kind}.jpg", data, "refused")


def _impossible_sizes(whole: dict[str, bytes]) -> Iterator[Malformed]:
    def bmp(width: int, height: int) -> bytes:
        return whole["bmp"][:18] + struct.pack("<ll", width, height) + whole["bmp"][26:]

    def jpeg(width: int, height: int) -> bytes:
        at = whole["jpeg"].index(b"\xff\xc0") + 5
        return whole["jpeg"][:at] + struct.pack(">HH", height, width) + whole["jpeg"][at + 4 :]

    def tiff(width: int, height: int, strips: int = 1) -> bytes:
        long = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: height, 279: 100}
        tags = {tag: (4, 1, struct.pack("<L", value)) for tag, value in long.items()}
        return exif({**tags, 273: (4, strips, struct.pack("<L", 8))}) + bytes(400)

    canvas = struct.pack("<L", 0) + (16382).to_bytes(3, "little") * 2
    big_webp = b"WEBPVP8X" + struct.pack("<L", 10) + canvas
    gif = whole["gif"]
    yield from (
        Malformed("2-31.png", png_of_size(2**31 - 1, 2**31 - 1), "refused"),
        Malformed("60000.png", png_of_size(60_000, 60_000), "refused"),
        Malformed("none.png", png_of_size(0, 10), "refused"),
        Malformed("too-little.png", png_of_size(3_000, 3_000), "refused"),
        Malformed("65535.gif", gif[:6] + b"\xff" * 4 + gif[10:], "refused"),
        Malformed("none.gif", b"GIF89a" + bytes(7) + b";", "refused"),
        Malformed("negative-width.bmp", bmp(-72, 56), "refused"),
        Malformed("lowest.bmp", bmp(-(2**31), -(2**31)), "refused"),
        Malformed("huge.bmp", bmp(2**31 - 1, 2**31 - 1), "refused"),
        Malformed("none.bmp", bmp(0, 0), "refused"),
        Malformed("65500.jpg", jpeg(65_500, 65_500), "refused"),
        Malformed("too-little.jpg", jpeg(9_000, 9_000), "refused"),
        Malformed("none.jpg", jpeg(0, 0), "refused"),
        Malformed("huge.tif", tiff(2**32 - 1, 2**32 - 1), "refused"),
        Malformed("too-little.tif", tiff(5_000, 5_000), "refused"),
        Malformed("none.tif", tiff(0, 0), "refused"),
        Malformed("many-strips.tif", tiff(10, 10, 2**32 - 1), "refused"),
        Malformed("big.webp", b"RIFF" + struct.pack("<L", len(big_webp)) + big_webp, "refused"),
    )


def _garbage(whole: dict[str, bytes], chance: random.Random) -> Iterator[Malformed]:
    def box(kind: bytes, data: bytes, size: int | None = None) -> bytes:
        return struct.pack(">L", len(data) + 8 if size is None else size) + kind + data

    def family(brand: bytes, *boxes: bytes) -> bytes:
        return box(b"ftyp", brand + bytes(4) + brand + b"mif1") + b"".join(boxes)

    noise = chance.randbytes(600)
    for brand in (b"avif", b"heic", b"mif1"):
        kind = brand.decode()
        yield Malformed(f"no-boxes.{kind}", family(brand), "refused")
        yield Malformed(f"noise.{kind}", family(brand, box(b"meta", noise)), "refused")
        yield Malformed(f"endless.{kind}", family(brand, box(b"meta", noise, 2**31)), "refused")
        yield Malformed(f"size-0.{kind}", family(brand, box(b"meta", noise, 0)), "refused")
        nested = b""
        for _ in range(2_000):
            nested = box(b"meta", bytes(4) + nested)
        yield Malformed(f"nested.{kind}", family(brand, nested), "refused")
    riff = b"WEBPJUNK" + struct.pack("<L", 2**32 - 1) + noise
    yield Malformed("junk.webp", b"RIFF" + struct.pack("<L", len(riff)) + riff, "refused")
    jpeg, gif = whole["jpeg"], whole["gif"]
    yield Malformed("headers.jpg", jpeg[:2] + b"\xff\xe5\0\x02" * 40_000 + jpeg[2:], "refused")
    yield Malformed("blocks.gif", gif[:-1] + b"\x21\xfe" + b"\1a" * 1_100_000 + b"\0;", "refused")
    chunks = png_chunk(b"teXt", b"") * 1_050_000
    yield Malformed("chunks.png", whole["png"][:33] + chunks + whole["png"][33:], "refused")
    bomb = png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(90_000_000)))
    yield Malformed("text-bomb.png", whole["png"][:33] + bomb + whole["png"][33:], "either")
    profile = png_chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(90_000_000)))
    yield Malformed("profile-bomb.png", whole["png"][:33] + profile + whole["png"][33:], "either")
    entries = struct.pack("<HHLL", 273, 4, 2**31, 8) * 65_535
    yield Malformed("giant.tif", b"II*\0\x08\0\0\0\xff\xff" + entries, "refused")
    strips = exif({273: (4, 1_000_001, bytes(4 * 1_000_001))})
    yield Malformed("million-strips.tif", strips, "refused")
    yield Malformed("far.tif", b"II*\0" + struct.pack("<L", 2**32 - 1) + noise, "refused")
    yield Malformed("ring.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + noise, "refused")


def _hostile_exif(chance: random.Random) -> Iterator[Malformed]:
    """EXIF blocks that mustn't keep a good picture from being read."""
    upright = {274: short(1)}
    blocks = {
        "orientation-99": exif({274: short(99)}),
        "orientation-0": exif({274: short(0)}),
        "orientation-text": exif({274: text("six")}),
        "orientation-ratio": exif({274: ratios((6, 0))}),
        "count": exif({**upright, 271: (2, 2**32 - 1, b"\x08\0\0\0")}),
        "kind": exif({**upright, 271: (77, 4, b"abcd"), 0x8825: (2, 4, b"\xff" * 4)}),
        "ring": exif({0x8769: (4, 1, b"\x08\0\0\0"), 0x8825: (4, 1, b"\x08\0\0\0")}),
        "outside": exif({0x8769: (4, 1, b"\xff" * 4), 0x8825: (4, 1, b"\xf0\xff\0\0")}),
        "gps-kinds": exif(upright, gps={1: short(7), 2: text("north"), 4: (12, 1, b"\xff" * 8)}),
        "gps-counts": exif(upright, gps={2: (5, 2**31, b"\x08\0\0\0"), 4: ratios((1, 0))}),
        "many": b"II*\0\x08\0\0\0\xff\xff" + chance.randbytes(30_000),
        "noise": chance.randbytes(3_000),
        "short": b"II*\0",
        "mark": b"",
    }
    for kind, block in blocks.items():
        for encoding in ("jpeg", "webp", "png"):
            data = encoded(picture(), encoding, exif=b"Exif\0\0" + block)
            yield Malformed(f"exif-{kind}.{encoding}", data, "read")


def raster(
    values: np.ndarray,
    photometric: int,
    *,
    more: Tags | None = None,
    planar: bool = False,
    rows: int = 7,
    packing: int = 1,
) -> bytes:
    """A TIFF of values [H, W, C] of any kind, by strips; written by hand as TIFF 6.0 says."""
    height, width, bands = values.shape
    planes = [values[..., [band]] for band in range(bands)] if planar else [values]
    strips = [p[top : top + rows].tobytes() for p in planes for top in range(0, height, rows)]
    strips = [zlib.compress(strip) if packing == 8 else strip for strip in strips]
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]

    def numbers(code: str, *values: int) -> tuple[int, int, bytes]:
        return {"H": 3, "L": 4}[code], len(values), struct.pack(f"<{len(values)}{code}", *values)

    tags = {
        256: numbers("L", width),
        257: numbers("L", height),
        258: numbers("H", *[values.dtype.itemsize * 8] * bands),
        259: short(packing),
        262: short(photometric),
        277: short(bands),
        278: numbers("L", rows),
        279: numbers("L", *map(len, strips)),
        284: short(2 if planar else 1),
        339: numbers("H", *[kind] * bands),
        **(more or {}),
    }
    start = len(exif({**tags, 273: numbers("L", *[0] * len(strips))}))
    starts = [start + sum(map(len, strips[:index])) for index in range(len(strips))]
    return exif({**tags, 273: numbers("L", *starts)}) + b"".join(strips)
