"""Evidence over a picture: one hue for, another against, and the more of it the stronger.

Blue and orange are told apart with any colour vision. What lies beneath is grey, so that no sea
looks like evidence.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from geowhy.arrays import AnyFloats, Floats64, Pixels

__all__ = ["AGAINST", "FOR", "STRONGEST", "grey_picture", "overlay", "scale_end", "tinted"]


FOR, AGAINST = (11, 99, 196), (214, 94, 0)
STRONGEST = 0.85  # opacity of the strongest evidence
LEVELS = 48  # of opacity on either side: more than an eye tells apart, in a palette of one byte
OVERLAY_SIDE = 96  # pixels: what is smooth needs no more, a browser enlarges it
LUMINANCE = (0.299, 0.587, 0.114)
DARKEST, LIGHTEST = 84.0, 236.0  # of the grey picture: colours show on all of it


def scale_end(evidence: AnyFloats) -> float:
    """The strongest evidence of a map ``[rows, columns]``, log-odds: either end of its scale."""
    return float(np.abs(np.nan_to_num(evidence)).max(initial=0.0))


def overlay(evidence: AnyFloats, height: int, width: int) -> Image.Image:
    """A map ``[rows, columns]`` as a small translucent picture, in the proportions of another."""
    shrunk = OVERLAY_SIDE / max(height, width)
    level = np.rint(_smooth(evidence, height * shrunk, width * shrunk) * LEVELS).astype(int)
    picture = Image.fromarray((level + LEVELS).astype(np.uint8), "P")
    steps = range(-LEVELS, LEVELS + 1)
    picture.putpalette([part for step in steps for part in (FOR if step > 0 else AGAINST)])
    opacity = bytes(round(255 * STRONGEST * abs(step) / LEVELS) for step in steps)
    picture.info["transparency"] = opacity
    return picture


def tinted(pixels: Pixels, evidence: AnyFloats) -> Pixels:
    """A picture ``[H, W, 3]`` in grey with a map over it, in one."""
    share = _smooth(evidence, *pixels.shape[:2])[..., None]
    hue = np.where(share > 0, np.array(FOR), np.array(AGAINST))
    opacity = STRONGEST * np.abs(share)
    mixed = (1 - opacity) * grey_picture(pixels)[..., None] + opacity * hue
    return np.asarray(np.rint(mixed), np.uint8)


def grey_picture(pixels: Pixels) -> Pixels:
    """A picture ``[H, W, 3]`` in grey, neither dark nor bright, ``[H, W]``."""
    grey = pixels @ np.array(LUMINANCE)
    return np.asarray(np.rint(DARKEST + grey / 255 * (LIGHTEST - DARKEST)), np.uint8)


def _smooth(evidence: AnyFloats, height: float, width: float) -> Floats64:
    """A map enlarged, in shares of its strongest evidence, [-1, 1]."""
    known = np.nan_to_num(np.asarray(evidence, np.float32))
    end = scale_end(known) or 1.0
    size = (max(1, round(width)), max(1, round(height)))
    enlarged = Image.fromarray(known / np.float32(end)).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(enlarged, np.float64), -1.0, 1.0)
