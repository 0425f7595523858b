"""Where in a picture the evidence lies: what each patch says by itself.

One run of a backbone whose patches live in the space of its pictures, after MaskCLIP (Zhou, Loy
and Dai, ECCV 2022, arXiv 2112.01071). It never saw a patch as a picture in training, so the maps
show where evidence lies rather than how much it is; occlusion measures that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geowhy.model.backbone import ImageBackbone

__all__ = ["patch_maps"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


def patch_maps(
    backbone: ImageBackbone, pixels: Pixels, score: Callable[[Floats32], Floats]
) -> Floats:
    """The S scores that a picture would have if all of it were like one part, ``[f, f, S]``.

    The fields lie over the whole of the RGB image ``[H, W, 3]``, as many as there are patches. What
    the backbone doesn't see of it, left and right of its square or above and below, counts 0.
    ``score`` gives ``[N, S]`` for N rows of features.

    Raises:
        ConfigError: if the backbone has no patches.
    """
    found = backbone.patches([pixels])[0]
    fields = len(found)
    scores = np.asarray(score(found.reshape(fields**2, -1)), np.float64)
    top, left, bottom, right = backbone.preprocessing.seen(*pixels.shape[:2])
    rows, columns = _shares(top, bottom, fields), _shares(left, right, fields)
    grid = scores.reshape(fields, fields, -1)
    return np.asarray(np.einsum("ir,jc,rcs->ijs", rows, columns, grid))


def _shares(start: float, end: float, fields: int) -> Floats:
    """Which share of each of the fields (rows) each of as many patches (columns) covers.

    Fields lie side by side in (0, 1), patches in the part of it from ``start`` to ``end``.
    """
    field, patch = np.linspace(0, 1, fields + 1), np.linspace(start, end, fields + 1)
    first = np.maximum(field[:-1, None], patch[None, :-1])
    last = np.minimum(field[1:, None], patch[None, 1:])
    return np.asarray(np.maximum(last - first, 0) * fields)
