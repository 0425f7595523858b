"""Where in a picture the evidence lies: hide a part, and see what the score loses.

Occlusion works with any backbone: a window goes over the picture, and what it covers is blurred
beyond recognition. What a field loses is the mean over all windows that cover it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Windows", "occluded", "occlusion_maps"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

FIELDS = 8  # along either side of the grid over a picture
WINDOW = 2  # fields along either side of a window
BLUR_TO = 4  # pixels along the longer side: what is hidden keeps its mean colours alone
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Windows:
    """All places of a square window on a grid of fields.

    Attributes:
        fields: of the grid, along either side.
        width: of the window, in fields.
    """

    fields: int = FIELDS
    width: int = WINDOW

    @property
    def corners(self) -> list[tuple[int, int]]:
        """Row and column of the upper left field of each window; windows overlap by all but one."""
        steps = range(self.fields - self.width + 1)
        return [(row, column) for row in steps for column in steps]

    def mean_loss(self, losses: Floats) -> Floats:
        """Losses by window ``[W, ...]`` to the mean of those on each field ``[f, f, ...]``."""
        total = np.zeros((self.fields, self.fields, *losses.shape[1:]))
        count = np.zeros((self.fields, self.fields, *(1 for _ in losses.shape[1:])))
        for (row, column), loss in zip(self.corners, losses, strict=True):
            covered = (slice(row, row + self.width), slice(column, column + self.width))
            total[covered] += loss
            count[covered] += 1
        return np.asarray(total / count)


def occlusion_maps(
    pixels: Pixels,
    score: Callable[[Sequence[Pixels]], Floats],
    windows: Windows | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """What each field of one RGB image ``[H, W, 3]`` adds to each of S scores, ``[f, f, S]``.

    ``score`` gives ``[N, S]`` for N images. ``on_progress`` is told how many windows are done.
    """
    windows = windows or Windows()
    whole = score([pixels])[0]
    covered = list(occluded(pixels, windows))
    losses = []
    for start in range(0, len(covered), AT_ONCE):
        losses.append(whole - score(covered[start : start + AT_ONCE]))
        if on_progress:
            on_progress(min(start + AT_ONCE, len(covered)), len(covered))
    return windows.mean_loss(np.concatenate(losses))


def occluded(pixels: Pixels, windows: Windows) -> Iterator[Pixels]:
    """The picture with each of the windows hidden, one after the other."""
    height, width = pixels.shape[:2]
    blurred = _blurred(pixels)
    rows = np.linspace(0, height, windows.fields + 1).round().astype(int)
    columns = np.linspace(0, width, windows.fields + 1).round().astype(int)
    for row, column in windows.corners:
        hidden = (
            slice(rows[row], rows[row + windows.width]),
            slice(columns[column], columns[column + windows.width]),
        )
        picture = pixels.copy()
        picture[hidden] = blurred[hidden]
        yield picture


def _blurred(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    longest = max(height, width)
    small = (max(1, BLUR_TO * width // longest), max(1, BLUR_TO * height // longest))
    coarse = Image.fromarray(pixels).resize(small, Image.Resampling.BOX)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
