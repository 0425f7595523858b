"""Which format a file is in, whether it is whole, and the decoder that opens it.

The format is told by the first bytes, never by the file's name, and Pillow's decoders are
called one by one instead of through ``Image.open``. So a hostile file reaches only the nine
decoders named here, a decoder is imported when it is needed, and Pillow's process-wide
pixel limit, with its warnings, stays out of the way: the limits are the caller's.
"""

from __future__ import annotations

import importlib
import io
import struct
from collections.abc import Iterator

from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from geowhy.errors import ImageError
from geowhy.images import jpeg2000
from geowhy.images.ifd import read_directory

__all__ = ["format_of", "open_lazily"]

_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "JPEG2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document or an SVG drawing"),
    (b"<", "a web page"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"8BPS", "a Photoshop document"),
    (b"%!PS", "a PostScript document"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = set(b"heic heix heim heis hevc hevx hevm hevs mif1 msf1".split())
_DECODERS = {
    "JPEG": (__name__, "_JpegFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "JPEG2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}
_MOST_BLOCKS = 1_000_000  # a PNG of 8 GB has so many; more would keep a decoder busy for minutes
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)  # markers that carry a JPEG's size
_TIFF_OFFSETS = (273, 324)  # tags: where strips lie, where tiles lie
_MOST_HEADERS = 10_000  # segments before the picture in a JPEG; a camera writes under a hundred


def format_of(data: bytes, name: str) -> str:
    """The format of an image file: JPEG, PNG, WEBP, TIFF, HEIF, AVIF, JPEG2000, GIF or BMP.

    Raises:
        ImageError: if it is none of these.
    """
    for form, signatures in _SIGNATURES.items():
        if data.startswith(signatures):
            return form
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    text = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    kinds = (kind for signature, kind in _OTHERS if text.startswith(signature))
    stranger = "is not an image in a known format"
    if data[4:8] == b"ftyp":  # of the ISO family, which declares brands
        size = min(int.from_bytes(data[:4], "big"), 256, len(data))
        brands = {data[8:12], *(data[i : i + 4] for i in range(16, size - 3, 4))}
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
        stranger = "is a video or an image in an unknown format"
    if kind := next(kinds, None):
        stranger = f"is {kind}, not an image in a known format"
    raise ImageError(
        name, f"{stranger}; give a JPEG, PNG, WebP, TIFF, HEIC, AVIF, JPEG 2000, GIF or BMP"
    )


def open_lazily(data: bytes, name: str) -> ImageFile.ImageFile:
    """An image whose header is read and whose pixels aren't yet.

    Raises:
        ImageError: if the file is in no known format or cut short.
        Exception: whatever a decoder raises on a damaged file.
    """
    form = format_of(data, name)
    if form in _PARTS:
        parts, most = _PARTS[form]
        try:
            for count, _ in enumerate(parts(data)):
                if count >= most:
                    raise ImageError(
                        name, f"has more than {most} parts; save it anew in another program"
                    )
        except (EOFError, IndexError) as error:
            raise ImageError(name, "is cut short; copy it again from where it came") from error
    if form == "TIFF":  # the decoder notices missing strips, but lists all of them in memory first
        directory = read_directory(data)
        strips = max(map(directory.count, _TIFF_OFFSETS)) if directory else 0
        if strips > _MOST_BLOCKS:
            raise ImageError(name, f"has {strips} strips; save it anew in another program")
    module, decoder = _DECODERS[form]
    reader = getattr(importlib.import_module(module), decoder)
    opened: ImageFile.ImageFile = reader(io.BytesIO(data), "")
    return opened


class _JpegFile(JpegImageFile):
    """Pillow's JPEG decoder without its look for a print resolution in the EXIF block.

    Nobody here prints, and a damaged block would raise a warning for a good picture.
    """

    def _read_dpi_from_exif(self) -> None:
        return


def _jpeg_segments(data: bytes) -> Iterator[int]:
    """The decoder notices a missing end, but paints what is missing before an end grey.

    Huffman codes have at least one bit and a picture has at least one for each block of 8 × 8
    pixels, so a size in the header that the file is too small to fill shows here.
    """
    at = 2
    while at + 4 <= len(data) and data[at + 1] != 0xDA:  # DA: the picture begins
        yield at
        if data[at] != 0xFF:
            at += 1
            continue
        if data[at + 1] in _HUFFMAN_FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            if height * width > 64 * 8 * len(data):
                raise EOFError
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def _png_chunks(data: bytes) -> Iterator[int]:
    """The decoder is content when all rows are there; the file must also end as it should."""
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise EOFError
        yield at
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    if at > len(data):
        raise EOFError


def _gif_blocks(data: bytes) -> Iterator[int]:
    """All up to the trailer must be there, also those of frames that nobody reads."""
    at = 13 + _gif_palette(data[10])
    while data[at] != 0x3B:  # the trailer
        yield at
        if data[at] == 0x2C:  # a frame: its own palette, then the code size
            at += 11 + _gif_palette(data[at + 9])
        elif data[at] == 0x21:  # an extension
            at += 2
        else:  # stray bytes between blocks, which decoders skip
            at += 1
            continue
        while data[at]:
            yield at
            at += 1 + data[at]
        at += 1


def _gif_palette(flags: int) -> int:
    """Bytes of the palette that a flag byte announces."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


# Where the parts of a file lie, up to its end, and how many it may have.
_PARTS = {
    "JPEG": (_jpeg_segments, _MOST_HEADERS),
    "PNG": (_png_chunks, _MOST_BLOCKS),
    "GIF": (_gif_blocks, _MOST_BLOCKS),
    "JPEG2000": (jpeg2000.parts, _MOST_BLOCKS),
}
