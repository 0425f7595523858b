"""Pictures that show no place on Earth: clouds alone, grain, waves, and boxes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from geowhy.training.orbit.look import cloud_field

__all__ = ["nowhere_pictures"]

GRAINS = (1, 2, 4, 8, 16)  # pixels
MOST_WAVES, MOST_BOXES = 3, 40
LEAST_PERIODS, MOST_PERIODS = 2.0, 40.0  # of a wave across the picture


def nowhere_pictures(count: int, side: int, device: str) -> Tensor:
    """So many pictures ``[N, 3, side, side]`` from 0 to 1, each of one kind by chance."""
    made = [_KINDS[int(torch.randint(len(_KINDS), ()))](side) for _ in range(count)]
    return torch.stack(made).to(device) if made else torch.empty(0, 3, side, side, device=device)


def _clouds(side: int) -> Tensor:
    return cloud_field(3, side, torch.device("cpu")).view(3, side, side).sigmoid()


def _grain(side: int) -> Tensor:
    """Noise, each grain of it some pixels wide, in colours or grey."""
    grain = GRAINS[int(torch.randint(len(GRAINS), ()))]
    colours = 3 if torch.rand(()) < 0.5 else 1
    mode = "nearest" if torch.rand(()) < 0.5 else "bilinear"
    few = torch.rand(1, colours, -(-side // grain), -(-side // grain))
    return functional.interpolate(few, (side, side), mode=mode)[0].expand(3, -1, -1)


def _waves(side: int) -> Tensor:
    """A few waves across each other, soft or as sharp as stripes."""
    line = torch.linspace(-0.5, 0.5, side)
    y, x = torch.meshgrid(line, line, indexing="ij")
    height = torch.zeros(side, side)
    for _ in range(int(torch.randint(1, MOST_WAVES + 1, ()))):
        turn, phase, much = torch.rand(3)
        periods = LEAST_PERIODS * (MOST_PERIODS / LEAST_PERIODS) ** much
        along = x * torch.cos(math.pi * turn) + y * torch.sin(math.pi * turn)
        height += torch.sin(2 * math.pi * (periods * along + phase))
    sharpness = 10.0 ** (2 * torch.rand(()))
    share = (sharpness * height).sigmoid()
    dark, bright = torch.rand(2, 3, 1, 1)
    return torch.lerp(dark, bright, share)


def _boxes(side: int) -> Tensor:
    """Boxes over each other, such as a drawing or a screen has."""
    picture = torch.rand(3, 1, 1).expand(3, side, side).clone()
    for _ in range(int(torch.randint(1, MOST_BOXES + 1, ()))):
        (top, bottom), (left, right) = torch.randint(side + 1, (2, 2)).sort(dim=1).values.tolist()
        picture[:, top:bottom, left:right] = torch.rand(3, 1, 1)
    return picture


_KINDS = (_clouds, _grain, _waves, _boxes)
