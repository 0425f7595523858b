"""Pictures as a backbone takes them: one object for training, evaluation, prediction and export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geowhy.errors import ModelFormatError

__all__ = ["Preprocessing"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Centre square, resized, normalised; the same numbers for one picture and for many.

    Attributes:
        size: side of the square after resizing, pixels.
        mean: what is taken off a pixel value in [0, 255].
        std: what the rest is divided by.
    """

    size: int
    mean: float
    std: float

    def __call__(self, pixels: Sequence[Pixels] | Pixels) -> NDArray[np.float32]:
        """Pictures ``[H, W, 3]`` or a stack ``[N, H, W, 3]`` to ``[N, 3, size, size]``."""
        out = np.empty((len(pixels), 3, self.size, self.size), np.float32)
        for target, picture in zip(out, pixels, strict=True):
            target[:] = self._resized(picture).transpose(2, 0, 1)
            target -= np.float32(self.mean)  # one picture at a time: it stays in the cache
            target /= np.float32(self.std)
        return out

    def to_json(self) -> dict[str, float]:
        """As it stands in a model's config.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Preprocessing:
        """The inverse of `to_json`.

        Raises:
            ModelFormatError: if a value is missing, unknown or impossible.
        """
        try:
            found = cls(**values)  # type: ignore[arg-type]  # checked in the next line
            sound = type(found.size) is int and found.size > 0 and found.std > 0
            sound = sound and bool(np.isfinite([found.mean, found.std]).all())
        except TypeError:
            sound = False
        if not sound:
            raise ModelFormatError(
                f"config.json: preprocessing {dict(values)} needs a size in whole pixels, a mean "
                "and a std, the first and the last above 0; get the model again"
            )
        return found

    def _resized(self, picture: Pixels) -> Pixels:
        square = _centre_square(picture)
        if square.shape[:2] == (self.size, self.size):
            return square
        image = Image.fromarray(np.ascontiguousarray(square))
        # Pillow's bilinear filter widens when it shrinks, so nothing aliases.
        return np.asarray(image.resize((self.size, self.size), Image.Resampling.BILINEAR))


def _centre_square(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]
