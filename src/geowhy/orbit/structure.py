"""Which way edges run, whatever their colours: what a registration compares.

Gradients of all colours together make one tensor (Di Zenzo, 1986), its direction counted without a
sign, since land is brighter than water in one picture and darker in the next. Direction and twice
the direction, as two complex numbers, smoothed and divided by the strength of edges round about:
the dense descriptor CFOG (Ye et al., 2019) with harmonics of the angle instead of bins, so that
turning a picture turns the numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import AnyFloats, Floats32

__all__ = ["CHANNELS", "edge_structure", "smooth", "turned"]

CHANNELS = 4  # cosine and sine of 2 and of 4 times the direction of the gradient
FLOOR = 0.3  # of the picture's mean edge energy: what counts as no edge
NOISE = 4.0  # of edge energy: what rounding to whole levels of colour makes
STRENGTH_STRIDES = (1, 2, 4)  # over which "round about" reaches: 3.2 pixels


def edge_structure(pictures: AnyFloats, strides: tuple[int, ...] = (1,)) -> Floats32:
    """Maps ``[4, N, H, W]`` of the structure of pictures ``[C, N, H, W]``, colours in [0, 255].

    Channels are the cosine and sine of twice the direction of the gradient, counted from right
    towards up, and of four times. ``strides`` are those of the smoothing (:func:`smooth`). The
    pixels at the rim have no gradient.
    """
    cos, sin, energy = np.zeros((3, *pictures.shape[1:]), np.float32)
    inner = (slice(None), slice(1, -1), slice(1, -1))
    for values in pictures:
        x = values[:, 1:-1, 2:] - values[:, 1:-1, :-2]
        y = values[:, :-2, 1:-1] - values[:, 2:, 1:-1]
        sin[inner] += 2 * x * y
        x *= x
        y *= y
        cos[inner] += x - y
        energy[inner] += x + y
    length = np.sqrt(energy) + np.float32(1e-6)
    cos /= length
    sin /= length
    maps = np.stack([cos, sin, (cos * cos - sin * sin) / length, 2 * cos * sin / length])
    maps = smooth(maps, strides)
    near = smooth(energy, STRENGTH_STRIDES) + FLOOR * energy.mean((1, 2), keepdims=True)
    return np.asarray(maps / np.sqrt(near + np.float32(NOISE)), np.float32)


def turned(maps: AnyFloats, angle: ArrayLike) -> Floats32:
    """Maps ``[4, ...]`` on axes turned by ``angle`` ``[...]``, radians, from right towards up."""
    angle = np.asarray(angle, np.float32)
    result = np.empty(maps.shape, np.float32)
    for channel, times in ((0, 2), (2, 4)):
        cos, sin = np.cos(times * angle), np.sin(times * angle)
        result[channel] = maps[channel] * cos + maps[channel + 1] * sin
        result[channel + 1] = maps[channel + 1] * cos - maps[channel] * sin
    return result


def smooth(maps: Floats32, strides: tuple[int, ...]) -> Floats32:
    """Maps ``[..., H, W]`` under weights 1, 2, 1 at each of the strides, along both sides.

    Stride s adds s²/2 to the variance. Beyond the rim the last pixel repeats.
    """
    for stride in strides:
        for axis in (-1, -2):
            along = np.swapaxes(maps, axis, -1)
            result = np.empty_like(maps)
            out = np.swapaxes(result, axis, -1)
            np.multiply(along, np.float32(2), out=out)
            out[..., stride:] += along[..., :-stride]
            out[..., :stride] += along[..., :1]
            out[..., :-stride] += along[..., stride:]
            out[..., -stride:] += along[..., -1:]
            result *= np.float32(0.25)
            maps = result
    return maps
