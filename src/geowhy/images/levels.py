"""From measured values of any depth to the 8 bits that are looked at.

Files don't say which of their values is black and which is white. Values that span a usual range
are taken to be made for the eye: 0…1 (floats only), 0…255 and 0…65535, the smallest that holds
them. Others, such as reflectances in units of 1/10,000, are stretched from their 2nd to their
98th percentile, as programs for maps do; one stretch for all colours, so that hues stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Array, Bools, Pixels

__all__ = ["Levels", "is_missing", "levels_of"]

_PERCENTILES = (2.0, 98.0)
_MOST_SAMPLED = 1_000_000
_BEYOND_MEASURE = 1e30  # programs mark missing floats by the largest or the lowest there is
_STRIP_VALUES = 2**22


@dataclass(frozen=True, slots=True)
class Levels:
    """The values that become black and white; ``stretched`` if they come from the content."""

    black: float
    white: float
    stretched: bool

    def applied(self, values: Array, no_data: float | None = None) -> Pixels:
        """Values ``[H, W, C]`` in 8 bits; what is missing is black."""
        shown = np.empty(values.shape, np.uint8)
        rows = max(1, _STRIP_VALUES // max(1, values[:1].size))
        for top in range(0, len(values), rows):
            strip = values[top : top + rows]
            scaled = (strip.astype(np.float32) - self.black) * (255.0 / (self.white - self.black))
            scaled = np.nan_to_num(np.clip(scaled, 0.0, 255.0))
            scaled[is_missing(strip, no_data)] = 0.0
            shown[top : top + rows] = np.rint(scaled)
        return shown


def is_missing(values: Array, no_data: float | None) -> Bools:
    """Where values ``[...]`` are none: not a number, beyond all measure, or marked as no data."""
    missing = np.zeros(values.shape, np.bool_)
    if values.dtype.kind == "f":
        missing = np.isnan(values) | (np.isfinite(values) & (np.abs(values) >= _BEYOND_MEASURE))
    if no_data is not None:
        with np.errstate(over="ignore"):
            mark = np.float32(no_data) if values.dtype == np.float32 else no_data
        missing |= values == mark
    return missing


def levels_of(values: Array, no_data: float | None = None) -> Levels:
    """The levels of an image ``[H, W, C]``, from a regular sample of its pixels."""
    step = max(1, round((values.size / _MOST_SAMPLED) ** 0.5))
    sample = values[::step, ::step]
    known = sample[~is_missing(sample, no_data)].astype(np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return Levels(0.0, 1.0, stretched=False)
    least, most = float(known.min()), float(known.max())
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    holding = next((end for end in usual if least >= 0.0 and most <= end), 0.0)
    black, white = (float(edge) for edge in np.percentile(known, _PERCENTILES))
    if least == most:  # nothing to stretch
        return Levels(*((0.0, holding) if holding else (least, least + 1.0)), stretched=False)
    if holding and black < holding / 4 and white >= holding / 2:
        return Levels(0.0, holding, stretched=False)
    if black == white:  # nearly all is of one value
        black, white = least, most
    return Levels(black, white, stretched=True)
