"""Any kind of pixel to 8-bit sRGB: depth, transparency, colour space.

- **Depth.** More than 8 bits are scaled as `levels` tells.
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

from geowhy.images.levels import levels_of

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
    profile, flat = image.info.get("icc_profile"), image
    if image.mode not in _SPACES or (image.mode != "CMYK" and image.has_transparency_data):
        flat = _over_white(_eight_bit(image) if image.mode in _DEEP else image)
    if flat.mode == "LAB":
        from PIL import ImageCms

        return _transformed(flat, ImageCms.createProfile("LAB"))
    # Most photographs say so themselves, and are spared the import and the work.
    is_srgb = isinstance(profile, bytes) and any(known in profile for known in _SRGB_NAMES)
    if isinstance(profile, bytes) and flat.mode in _SPACES and not is_srgb:
        flat = _managed(flat, profile, name)
    return flat if flat.mode == "RGB" else flat.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image)[..., None]
    return Image.fromarray(levels_of(values).applied(values)[..., 0])


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image if image.mode in _SPACES or image.mode == "LAB" else image.convert("RGB")
    plain = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)  # colours multiplied by alpha
    layer = (image.convert(plain) if plain else image).convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer.getchannel("A"))
    return white


def _managed(image: Image.Image, profile: bytes, name: str) -> Image.Image:
    """The image in sRGB by its profile, or as it is if the profile can't be used."""
    from PIL import ImageCms

    try:
        if len(profile) > _MOST_PROFILE_BYTES:
            raise ValueError(f"{len(profile)} bytes long")
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space, needed = source.profile.xcolor_space.strip(), _SPACES[image.mode]
        if space != needed:
            raise ValueError(f"for {space}, not {needed}")
        return _transformed(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        _log.info("%s: colours taken as they are, its colour profile is unusable: %s", name, error)
        return image


def _transformed(image: Image.Image, source: object) -> Image.Image:
    from PIL import ImageCms

    srgb = ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")  # type: ignore[arg-type]
    return done if done is not None else image
