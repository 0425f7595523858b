"""Where in a picture the evidence lies: as a picture over it, and in words for who can't see it.

One hue speaks for, another against, and the more the stronger; blue and orange are told apart with
any colour vision. What lies beneath is grey, so that no sea looks like evidence.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from geowhy.arrays import AnyFloats, Floats64, Pixels
from geowhy.explanation import ANSWER, EvidenceMap
from geowhy.render.wording import percent

__all__ = [
    "ANSWER", "evidence_sentence", "grey_picture", "method_sentence", "overlay", "scale_end",
    "tinted",
]  # fmt: skip

FOR, AGAINST = (11, 99, 196), (214, 94, 0)
STRONGEST = 0.85  # opacity of the strongest evidence
LEVELS = 48  # of opacity on either side: more than an eye tells apart, in a palette of one byte
OVERLAY_SIDE = 96  # pixels: what is smooth needs no more, a browser enlarges it
DARKEST, LIGHTEST = 84.0, 236.0  # of the grey picture: colours show on all of it

# Rows and columns, from and to, in quarters of a side.
QUARTERS = {
    "the upper left quarter": (0, 2, 0, 2),
    "the upper right quarter": (0, 2, 2, 4),
    "the lower left quarter": (2, 4, 0, 2),
    "the lower right quarter": (2, 4, 2, 4),
    "the middle": (1, 3, 1, 3),
}
HALVES = {
    "the upper half": (0, 2, 0, 4),
    "the lower half": (2, 4, 0, 4),
    "the left half": (0, 4, 0, 2),
    "the right half": (0, 4, 2, 4),
}


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
    grey = pixels @ np.array([0.299, 0.587, 0.114])  # luminance
    return np.asarray(np.rint(DARKEST + grey / 255 * (LIGHTEST - DARKEST)), np.uint8)


def _smooth(evidence: AnyFloats, height: float, width: float) -> Floats64:
    """A map enlarged, in shares of its strongest evidence, [-1, 1]."""
    known = np.nan_to_num(np.asarray(evidence, np.float32))
    end = scale_end(known) or 1.0
    size = (max(1, round(width)), max(1, round(height)))
    enlarged = Image.fromarray(known / np.float32(end)).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(enlarged, np.float64), -1.0, 1.0)


def evidence_sentence(evidence: EvidenceMap) -> str:
    """Where it lies: "The evidence for the answer lies mostly in the upper half (71 %)."."""
    found = np.nan_to_num(np.asarray(evidence.evidence, np.float64))
    total = np.abs(found).sum()
    if total == 0.0:
        return "No part of the picture counts."
    subjects = (f"what {evidence.of} adds", "what it takes away")
    if evidence.of == ANSWER:
        subjects = ("the evidence for the answer", "what speaks against it")
    parts = [
        f"{subject} {_where(mass)}"
        for subject, mass in zip(subjects, (found.clip(min=0), -found.clip(max=0)), strict=True)
        if mass.sum() >= 0.2 * total  # less isn't worth a word
    ]
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _where(mass: Floats64) -> str:
    rows, columns = mass.shape
    fine = np.kron(mass, np.ones((4, 4)))  # whatever the grid, quarters fit
    for regions, enough in ((QUARTERS, 0.6), (HALVES, 0.7)):
        shares = {
            name: fine[rows * top : rows * bottom, columns * left : columns * right].sum()
            / fine.sum()
            for name, (top, bottom, left, right) in regions.items()
        }
        best = max(shares, key=lambda name: shares[name])
        if shares[best] >= enough:
            return f"lies mostly in {best} ({percent(shares[best])})"
    return "is spread over the picture"


def method_sentence(method: str) -> str:
    """What the numbers of a map mean."""
    if method == "patches":
        return "What each part says by itself: where the evidence lies, rather than how much it is."
    return "Parts of the picture were hidden in turn: the colour is what the score lost by it."
