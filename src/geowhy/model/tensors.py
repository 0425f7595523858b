"""Picks the weights of one part of a model out of what a file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geowhy.arrays import Floats32
from geowhy.errors import ModelFormatError

__all__ = ["required_tensors"]


def required_tensors(
    part: str, tensors: Mapping[str, Floats32], names: Sequence[str]
) -> dict[str, Floats32]:
    """The named tensors, float32; other names are left alone.

    Raises:
        ModelFormatError: if one is missing; says of which ``part``.
    """
    missing = [name for name in names if name not in tensors]
    if missing:
        raise ModelFormatError(
            f"{part} lacks the tensor {missing[0]}: the model folder is damaged or was written by "
            "another version; get or train the model anew"
        )
    return {name: np.asarray(tensors[name], np.float32) for name in names}
