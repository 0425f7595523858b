"""Pictures drawn anew in another geometry, in strips, so that memory holds little beside them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geowhy.arrays import Floats64, Pixels

__all__ = ["warped"]

STRIP_PIXELS = 2**18


def warped(
    pixels: Pixels, shape: tuple[int, int], source: Callable[[Floats64], Floats64]
) -> Pixels:
    """A picture ``[H, W, 3 or 4]`` drawn anew as ``[h, w, 4]``, bilinear; transparent outside.

    ``source`` takes pixel coordinates ``[N, 2]`` of the new picture to those of the old one, column
    and row from the top left corner; NaN is outside.
    """
    height, width = shape
    drawn = np.zeros((height, width, 4), np.uint8)
    columns = np.arange(width) + 0.5
    rows_at_once = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows_at_once):
        rows = np.arange(top, min(top + rows_at_once, height)) + 0.5
        target = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        strip = _sampled(pixels, source(target))
        drawn[top : top + len(rows)] = strip.reshape(len(rows), width, 4)
    return drawn


def _sampled(pixels: Pixels, at: Floats64) -> Pixels:
    """Colours and alpha ``[N, 4]`` at pixel coordinates ``[N, 2]``."""
    height, width, channels = pixels.shape
    sampled = np.zeros((len(at), 4), np.uint8)
    # Comparisons with NaN are false: what has no source is outside.
    inside = ((at >= 0) & (at <= [width, height])).all(axis=1)
    column, row = np.clip(at[inside] - 0.5, 0, [width - 1, height - 1]).T
    left, top = column.astype(np.intp), row.astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across = (column - left).astype(np.float32)[:, None]
    down = (row - top).astype(np.float32)[:, None]
    upper = pixels[top, left] * (1 - across) + pixels[top, right] * across
    lower = pixels[bottom, left] * (1 - across) + pixels[bottom, right] * across
    value = np.full((len(column), 4), 255, np.uint8)
    value[:, :channels] = np.rint(upper * (1 - down) + lower * down)
    sampled[inside] = value
    return sampled
