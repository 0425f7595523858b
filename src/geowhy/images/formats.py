"""Which format a file is in, whether it is whole, and the decoder that opens it.

The format is told by the first bytes, never by the file's name, and Pillow's decoders are
called one by one instead of through ``Image.open``. So a hostile file reaches only the eight
decoders named here, a decoder is imported when it is needed, and Pillow's process-wide
pixel limit, with its warnings, stays out of the way: the limits are the caller's.
"""

from __future__ import annotations

import importlib
import io
import struct
from collections.abc import Callable, Iterator

from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from geowhy.errors import ImageError
from geowhy.images.ifd import read_directory

__all__ = ["format_of", "open_lazily"]

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document or an SVG drawing"),
    (b"<", "a web page"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"8BPS", "a Photoshop document"),
    (b"%!PS", "a PostScript document"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_DECODERS = {
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}
_MOST_BLOCKS = 1_000_000  # a PNG of 8 GB has so many; more would keep a decoder busy for minutes
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)  # markers that carry a JPEG's size
_TIFF_OFFSETS = (273, 324)  # tags: where strips lie, where tiles lie
_MOST_HEADERS = 10_000  # segments before the picture in a JPEG; a camera writes under a hundred


def format_of(data: bytes, name: str) -> str:
    """The format of an image file: JPEG, PNG, WEBP, TIFF, HEIF, AVIF, GIF or BMP.

    Raises:
        ImageError: if it is none of these.
    """
    for signature, form in _SIGNATURES:
        if data.startswith(signature):
            return form
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and (brand := _by_brand(data)):
        return brand
    raise ImageError(
        name, f"{_kind_of_stranger(data)}; give a JPEG, PNG, WebP, TIFF, HEIC, AVIF, GIF or BMP"
    )


def open_lazily(data: bytes, name: str) -> ImageFile.ImageFile:
    """An image whose header is read and whose pixels aren't yet.

    Raises:
        ImageError: if the file is in no known format or cut short.
        Exception: whatever a decoder raises on a damaged file.
    """
    form = format_of(data, name)
    if form in _CHECKS:
        _CHECKS[form](data, name)
    return _decoder(form)(io.BytesIO(data), "")


class _JpegFile(JpegImageFile):
    """Pillow's JPEG decoder without its look for a print resolution in the EXIF block.

    Nobody here prints, and a damaged block would raise a warning for a good picture.
    """

    def _read_dpi_from_exif(self) -> None:
        return


def _decoder(form: str) -> Callable[[io.BytesIO, str], ImageFile.ImageFile]:
    if form == "JPEG":
        return _JpegFile
    module, decoder = _DECODERS[form]
    found: type[ImageFile.ImageFile] = getattr(importlib.import_module(module), decoder)
    return found


def _by_brand(data: bytes) -> str | None:
    """HEIF or AVIF by the brands that a file of the ISO family declares, else None."""
    size = min(int.from_bytes(data[:4], "big"), 256, len(data))
    brands = {data[8:12], *(data[i : i + 4] for i in range(16, size - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def _kind_of_stranger(data: bytes) -> str:
    text = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    for signature, kind in _OTHERS:
        if text.startswith(signature):
            return f"is {kind}, not an image in a known format"
    if data[4:8] == b"ftyp":
        return "is a video or an image in an unknown format"
    return "is not an image in a known format"


def _cut_short(name: str) -> ImageError:
    return ImageError(name, "is cut short; copy it again from where it came")


def _check_count(blocks: Iterator[int], most: int, name: str) -> None:
    for count, _ in enumerate(blocks):
        if count >= most:
            raise ImageError(name, f"has more than {most} parts; save it anew in another program")


def _check_jpeg(data: bytes, name: str) -> None:
    """The decoder notices a missing end, but paints what is missing before an end grey.

    Huffman codes have at least one bit and a picture has at least one for each block of 8 × 8
    pixels, so a size in the header that the file is too small to fill shows here.
    """
    _check_count(_jpeg_segments(data), _MOST_HEADERS, name)
    for at in _jpeg_segments(data):
        if data[at] == 0xFF and data[at + 1] in _HUFFMAN_FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            if height * width > 64 * 8 * len(data):
                raise _cut_short(name)


def _jpeg_segments(data: bytes) -> Iterator[int]:
    at = 2
    while at + 4 <= len(data) and data[at + 1] != 0xDA:  # DA: the picture begins
        yield at
        at = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") if data[at] == 0xFF else at + 1


def _check_png(data: bytes, name: str) -> None:
    """The decoder is content when all rows are there; the file must also end as it should."""
    _check_count(_png_chunks(data, name), _MOST_BLOCKS, name)


def _png_chunks(data: bytes, name: str) -> Iterator[int]:
    at = 8
    while True:
        if at + 12 > len(data):
            raise _cut_short(name)
        yield at
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IEND" and end <= len(data):
            return
        at = end


def _check_gif(data: bytes, name: str) -> None:
    """All blocks up to the trailer must be there, also those of frames that nobody reads."""
    try:
        _check_count(_gif_blocks(data), _MOST_BLOCKS, name)
    except IndexError as error:
        raise _cut_short(name) from error


def _gif_blocks(data: bytes) -> Iterator[int]:
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


def _check_tiff(data: bytes, name: str) -> None:
    """The decoder notices missing strips, but lists all of them in memory first."""
    directory = read_directory(data)
    strips = max(map(directory.count, _TIFF_OFFSETS)) if directory else 0
    if strips > _MOST_BLOCKS:
        raise ImageError(name, f"has {strips} strips; save it anew in another program")


_CHECKS: dict[str, Callable[[bytes, str], None]] = {
    "JPEG": _check_jpeg,
    "PNG": _check_png,
    "GIF": _check_gif,
    "TIFF": _check_tiff,
}
