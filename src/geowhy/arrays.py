"""Types of arrays, which say what numbers they hold; docstrings say their shapes, as ``[N, d]``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AnyFloats",
    "Array",
    "Bools",
    "Floats32",
    "Floats64",
    "Ints",
    "Ints64",
    "Pixels",
    "Points",
    "Rows",
    "Selection",
]

Array = NDArray[Any]
AnyFloats = NDArray[np.floating]
Floats32 = NDArray[np.float32]
Floats64 = NDArray[np.float64]
Points = Floats64  # [N, 2]: degrees, latitude first
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Ints64 = NDArray[np.int64]
Rows = Ints  # numbers of rows of another array
Selection = slice | Bools | Rows  # of rows
Pixels = NDArray[np.uint8]  # [height, width, 3]: sRGB
