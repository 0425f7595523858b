"""Pictures as a backbone takes them: one object for training, evaluation, prediction and export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from geowhy.arrays import Floats32, Pixels
from geowhy.errors import ModelFormatError

__all__ = ["CLIP_PREPROCESSING", "Preprocessing", "ten_crops"]

LONGEST = 16  # shorter sides; more of a strip has no part in the centre, and costs memory


_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_CROPS = ("before", "after")


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Centre square, resized, normalised; the same numbers for one picture and for many.

    Attributes:
        size: side of the square after resizing, pixels.
        mean: what is taken off a pixel value in [0, 255]; a number, or one a channel.
        std: what the rest is divided by; a number, or one a channel.
        resampling: "bilinear" or "bicubic".
        crop: whether the square is cut "before" the resizing or "after" it. After it, the
            filter sees beyond the square, and the rounding of the longer side shifts the square
            by part of a pixel: CLIP was trained so.
    """

    size: int
    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    resampling: str = "bilinear"
    crop: str = "before"

    def __call__(self, pixels: Sequence[Pixels] | Pixels) -> Floats32:
        """Pictures ``[H, W, 3]`` or a stack ``[N, H, W, 3]`` to ``[N, 3, size, size]``."""
        out = np.empty((len(pixels), 3, self.size, self.size), np.float32)
        mean, std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (self.mean, self.std))
        for target, picture in zip(out, pixels, strict=True):
            target[:] = self._square(picture).transpose(2, 0, 1)
            target -= mean  # one picture at a time: it stays in the cache
            target /= std
        return out

    def seen(self, height: int, width: int) -> tuple[float, float, float, float]:
        """The part of a picture that is in the square: top, left, bottom, right.

        They are shares of its height and its width: (0, 0, 1, 1) for a square picture.
        """
        shorter = min(height, width)
        (top, bottom), (left, right) = (self._span(n, shorter) for n in (height, width))
        return top, left, bottom, right

    def to_json(self) -> dict[str, object]:
        """As it stands in a model's config.json; what is usual is left out, as it always was."""
        values = asdict(self)
        usual = {"resampling": "bilinear", "crop": "before"}
        return {k: v for k, v in values.items() if usual.get(k) != v}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The inverse of `to_json`.

        Raises:
            ModelFormatError: if a value is missing, unknown or impossible.
        """
        try:
            given: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
            found = cls(**given)
            shapes = {np.shape(found.mean), np.shape(found.std)}
            sound = (
                type(found.size) is int
                and found.size > 0
                and found.resampling in _FILTERS
                and found.crop in _CROPS
                and shapes <= {(), (3,)}
                and bool(np.isfinite(found.mean).all() and np.isfinite(found.std).all())
                and bool(np.greater(found.std, 0).all())
            )
        except TypeError:
            sound = False
        if not sound:
            raise ModelFormatError(
                f"config.json: preprocessing {dict(values)} needs a size in whole pixels, a mean "
                "and a std (one number or three), the first and the last above 0, and knows "
                f"resampling {' or '.join(_FILTERS)} and crop {' or '.join(_CROPS)}; get the "
                "model again"
            )
        return found

    def _span(self, length: int, shorter: int) -> tuple[float, float]:
        """Where the square begins and ends along a side; as `_square` cuts it."""
        if self.crop == "before":
            first = (length - shorter) // 2
            return first / length, (first + shorter) / length
        kept = min(length, LONGEST * shorter)
        resized = self.size * kept // shorter
        first = (resized - self.size) // 2
        before, scale = (length - kept) // 2, kept / resized
        return (before + first * scale) / length, (before + (first + self.size) * scale) / length

    def _square(self, picture: Pixels) -> Pixels:
        if self.crop == "after":
            return _centre(_shorter_side(picture, self.size, self.resampling), self.size)
        square = _centre(picture, min(picture.shape[:2]))
        return _resized(square, self.size, self.size, self.resampling)


CLIP_PREPROCESSING = Preprocessing(
    size=224,
    mean=tuple(255 * m for m in (0.48145466, 0.4578275, 0.40821073)),
    std=tuple(255 * s for s in (0.26862954, 0.26130258, 0.27577711)),
    resampling="bicubic",
    crop="after",
)


def ten_crops(picture: Pixels, size: int = 224, shorter_side: int = 256) -> Pixels:
    """The four corners, the centre, and their mirror images, as GeoCLIP was evaluated.

    Args:
        picture: ``[H, W, 3]``.
        size: side of a crop, pixels; a `Preprocessing` of this size only normalises them.
        shorter_side: of the picture before cropping, pixels.

    Returns:
        ``[10, size, size, 3]``: upper left, upper right, lower left, lower right, centre, then
        the same mirrored left to right.
    """
    shaped = _shorter_side(picture, shorter_side, "bicubic")
    ends = (slice(None, size), slice(-size, None))
    corners = [shaped[y, x] for y in ends for x in ends]
    crops = np.stack([*corners, _centre(shaped, size)])
    return np.concatenate([crops, crops[:, :, ::-1]])


def _shorter_side(picture: Pixels, side: int, resampling: str) -> Pixels:
    """Resized in proportion; the longer side is rounded down, as CLIP's own code does."""
    height, width = picture.shape[:2]
    shorter = min(height, width)
    if max(height, width) > LONGEST * shorter:
        picture = _centre(picture, LONGEST * shorter)
        height, width = picture.shape[:2]
    return _resized(picture, side * height // shorter, side * width // shorter, resampling)


def _resized(picture: Pixels, height: int, width: int, resampling: str) -> Pixels:
    if picture.shape[:2] == (height, width):
        return picture
    image = Image.fromarray(np.ascontiguousarray(picture))
    # Pillow's filters widen when they shrink, so nothing aliases.
    return np.asarray(image.resize((width, height), _FILTERS[resampling]))


def _centre(picture: Pixels, side: int) -> Pixels:
    """At most ``side`` pixels a side, out of the middle."""
    height, width = (min(side, length) for length in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
