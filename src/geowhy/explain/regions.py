"""Where in a picture the evidence lies.

Occlusion works with any backbone: a window goes over the picture, and what it covers is blurred
beyond recognition. What a field loses is the mean over all windows that cover it. Patches take one
run of a backbone whose patches live in the space of its pictures, after MaskCLIP (Zhou, Loy and
Dai, ECCV 2022, arXiv 2112.01071). It never saw a patch as a picture in training, so these maps show
where evidence lies rather than how much it is; occlusion measures that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
from PIL import Image

from geowhy.arrays import Floats32, Floats64, Pixels
from geowhy.errors import ConfigError
from geowhy.model.geomodel import GeoModel
from geowhy.model.terms import ScoringModel

__all__ = ["occluded", "occlusion_maps", "patch_maps"]

FIELDS = 8  # along either side of the grid over a picture
WINDOW = 2  # fields along either side of a window; windows overlap by all but one
CORNERS = list(product(range(FIELDS - WINDOW + 1), repeat=2))  # upper left fields of all windows
BLUR_TO = 4  # pixels along the longer side: what is hidden keeps its mean colours alone
AT_ONCE = 16


def occlusion_maps(
    pixels: Pixels,
    score: Callable[[Sequence[Pixels]], Floats64],
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats64:
    """What each field of one RGB image ``[H, W, 3]`` adds to each of S scores, ``[8, 8, S]``.

    ``score`` gives ``[N, S]`` for N images. ``on_progress`` is told how many windows are done.
    """
    whole = score([pixels])[0]
    covered = list(occluded(pixels))
    total, count = np.zeros((FIELDS, FIELDS, len(whole))), np.zeros((FIELDS, FIELDS, 1))
    for start in range(0, len(covered), AT_ONCE):
        losses = whole - score(covered[start : start + AT_ONCE])
        for (row, column), loss in zip(CORNERS[start : start + AT_ONCE], losses, strict=True):
            window = slice(row, row + WINDOW), slice(column, column + WINDOW)
            total[window] += loss
            count[window] += 1
        if on_progress:
            on_progress(min(start + AT_ONCE, len(covered)), len(covered))
    return np.asarray(total / count)


def occluded(pixels: Pixels) -> Iterator[Pixels]:
    """The picture ``[H, W, 3]`` with each of the windows hidden, in the order of `CORNERS`."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    small = (max(1, BLUR_TO * width // longest), max(1, BLUR_TO * height // longest))
    coarse = Image.fromarray(pixels).resize(small, Image.Resampling.BOX)
    blurred = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    rows = np.linspace(0, height, FIELDS + 1).round().astype(int)
    columns = np.linspace(0, width, FIELDS + 1).round().astype(int)
    for row, column in CORNERS:
        hidden = np.s_[rows[row] : rows[row + WINDOW], columns[column] : columns[column + WINDOW]]
        picture = pixels.copy()
        picture[hidden] = blurred[hidden]
        yield picture


def patch_maps(
    model: ScoringModel, pixels: Pixels, score: Callable[[Floats32], Floats64]
) -> Floats64:
    """The S scores that a picture would have if all of it were like one part, ``[f, f, S]``.

    The fields lie over the whole of the RGB image ``[H, W, 3]``, as many as there are patches. What
    the backbone doesn't see of it, left and right of its square or above and below, counts 0.
    ``score`` gives ``[N, S]`` for N rows of features.

    Raises:
        ConfigError: if the model has no backbone, or that no patches.
    """
    if not isinstance(model, GeoModel):
        raise ConfigError(
            f"{model.name}: no patches of a picture can be asked of it: hide parts of the picture "
            "instead (occlusion)"
        )
    found = model.backbone.patches([pixels])[0]
    fields = len(found)
    scores = np.asarray(score(found.reshape(fields**2, -1)), np.float64)
    top, left, bottom, right = model.backbone.preprocessing.seen(*pixels.shape[:2])
    rows, columns = _shares(top, bottom, fields), _shares(left, right, fields)
    grid = scores.reshape(fields, fields, -1)
    return np.asarray(np.einsum("ir,jc,rcs->ijs", rows, columns, grid))


def _shares(start: float, end: float, fields: int) -> Floats64:
    """Which share of each of the fields (rows) each of as many patches (columns) covers.

    Fields lie side by side in (0, 1), patches in the part of it from ``start`` to ``end``.
    """
    field, patch = np.linspace(0, 1, fields + 1), np.linspace(start, end, fields + 1)
    first = np.maximum(field[:-1, None], patch[None, :-1])
    last = np.minimum(field[1:, None], patch[None, 1:])
    return np.asarray(np.maximum(last - first, 0) * fields)
