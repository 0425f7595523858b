"""Any kind of pixel to 8-bit sRGB: depth, transparency, colour space.

- **Depth.** 16-bit values are scaled from 0…65535. 32-bit integers and floats have no agreed
  range, so the smallest usual one that holds them is taken: 0…1 (floats only), 0…255, 0…65535,
  otherwise lowest…highest. Nothing is clipped.
- **Transparency** is laid over white, as browsers and paper do; the colours stored under
  transparent pixels are arbitrary and mustn't reach a model.
- **Colour.** An embedded profile other than sRGB is applied. One that is broken or meant for
  other pixels is ignored, as viewers do, and logged: wrong shades still show the place.
"""

from __future__ import annotations

import io
import logging

import numpy as np
from PIL import Image

from geowhy.arrays import Floats32

__all__ = ["to_srgb"]

_log = logging.getLogger(__name__)
_DEEP = frozenset(("I;16", "I;16L", "I;16B", "I;16N", "I", "F"))
_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}  # mode -> what the profile must be for
_MOST_PROFILE_BYTES = 4 * 2**20
_SRGB_NAMES = (b"sRGB", b"s\0R\0G\0B")  # as text, and as the UTF-16 that version 4 profiles hold


def to_srgb(image: Image.Image, name: str) -> Image.Image:
    """The picture in mode RGB; the given image stays as it is.

    Raises:
        ValueError: if Pillow knows no way from its mode to RGB.
    """
    profile = image.info.get("icc_profile")
    flat = (
        _over_white(_eight_bit(image))
        if image.mode not in _SPACES or _is_see_through(image)
        else image
    )
    if flat.mode == "LAB":
        return _from_lab(flat)
    if isinstance(profile, bytes) and flat.mode in _SPACES and not _is_srgb(profile):
        flat = _managed(flat, profile, name)
    return flat if flat.mode == "RGB" else flat.convert("RGB")


def _is_see_through(image: Image.Image) -> bool:
    return image.mode != "CMYK" and image.has_transparency_data


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image if image.mode in _SPACES or image.mode == "LAB" else image.convert("RGB")
    plain = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)  # colours multiplied by alpha
    layer = (image.convert(plain) if plain else image).convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer.getchannel("A"))
    return white


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode not in _DEEP:
        return image
    values = np.asarray(image).astype(np.float32)
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else _range_of(values, image.mode)
    values -= low
    values *= 255.0 / (high - low)
    return Image.fromarray(
        np.rint(np.nan_to_num(values, posinf=255.0, neginf=0.0)).astype(np.uint8)
    )


def _range_of(values: Floats32, mode: str) -> tuple[float, float]:
    """Lowest and highest value that black and white stand for; ``values`` is [H, W]."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    for usual in (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0):
        if low >= 0.0 and high <= usual:
            return 0.0, usual
    return low, max(high, low + 1.0)


def _is_srgb(profile: bytes) -> bool:
    """Whether a profile says so itself; spares the import and the work for most photographs."""
    return any(name in profile for name in _SRGB_NAMES)


def _managed(image: Image.Image, profile: bytes, name: str) -> Image.Image:
    """The image in sRGB by its profile, or as it is if the profile can't be used."""
    from PIL import ImageCms

    if len(profile) > _MOST_PROFILE_BYTES:
        return _unmanaged(image, name, f"{len(profile)} bytes long")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space != _SPACES[image.mode]:
            return _unmanaged(image, name, f"for {space}, not {_SPACES[image.mode]}")
        return _transformed(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        return _unmanaged(image, name, str(error))


def _unmanaged(image: Image.Image, name: str, why: str) -> Image.Image:
    _log.info("%s: colours taken as they are, its colour profile is unusable: %s", name, why)
    return image


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    return _transformed(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))


def _transformed(image: Image.Image, source: object) -> Image.Image:
    from PIL import ImageCms

    srgb = ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")  # type: ignore[arg-type]
    return done if done is not None else image
