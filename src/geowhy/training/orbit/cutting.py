"""Cuts pictures out of world images, on the device that trains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.images.overhead import WorldImage

__all__ = ["PoseBatch", "WorldPyramid", "ground_grid"]

CIRCUMFERENCE_KM = 2 * math.pi * EARTH_RADIUS_KM
COARSEST = 600  # columns; no picture is so wide that it needs fewer


@dataclass(frozen=True, slots=True, eq=False)
class PoseBatch:
    """What N pictures show.

    A picture taken from straight above has no ``tilt``. One that isn't is foreshortened along the
    direction ``tilt_towards`` of its plane, the more so the farther away the ground is.
    """

    lat_lon: Tensor  # centres, radians [N, 2]
    width_km: Tensor  # by the scale at the centre; by the root of the area's if tilted [N]
    heading: Tensor  # of the picture's up direction, radians clockwise from north [N]
    tilt: Tensor  # from nadir, radians [N]
    tilt_towards: Tensor  # radians, counter-clockwise from the picture's right [N]
    view_angle: Tensor  # width of the picture over its distance [N]

    @classmethod
    def from_above(cls, lat_lon: Tensor, width_km: Tensor, heading: Tensor) -> PoseBatch:
        """Pictures without a tilt, of centres ``[N, 2]``, widths ``[N]`` and headings ``[N]``."""
        none = torch.zeros_like(width_km)
        return cls(lat_lon, width_km, heading, none, none, none)

    def where(self, chosen: Tensor, others: PoseBatch) -> PoseBatch:
        """Those of ``others`` where ``chosen`` ``[N]`` says so."""
        mixed = (
            torch.where(chosen.view(-1, *[1] * (own.ndim - 1)), other, own)
            for own, other in zip(self.fields(), others.fields(), strict=True)
        )
        return PoseBatch(*mixed)

    def rows(self, rows: Tensor | slice) -> PoseBatch:
        """Some of them, by their numbers ``[M]``."""
        return PoseBatch(*(value[rows] for value in self.fields()))

    def fields(self) -> tuple[Tensor, ...]:
        """All that poses are, in order."""
        return (
            self.lat_lon, self.width_km, self.heading, self.tilt, self.tilt_towards,
            self.view_angle,
        )  # fmt: skip


def ground_grid(poses: PoseBatch, side: int) -> tuple[Tensor, Tensor]:
    """Latitude and longitude, radians ``[N, side, side]``, of the pixels of square pictures."""
    line = (torch.arange(side, device=poses.width_km.device) - (side - 1) / 2) / side
    y, x = torch.meshgrid(-line, line, indexing="ij")

    def each(value: Tensor) -> Tensor:
        return value[:, None, None]

    cos, sin = each(poses.tilt_towards.cos()), each(poses.tilt_towards.sin())
    along, across = x * cos + y * sin, y * cos - x * sin
    nearness = each(poses.tilt.cos())
    depth = (nearness - each(poses.view_angle * poses.tilt.sin()) * along) / nearness.sqrt()
    along, across = along / depth, across * nearness / depth
    x, y = along * cos - across * sin, along * sin + across * cos
    cos, sin = each(poses.heading.cos()), each(poses.heading.sin())
    scale = each(poses.width_km / EARTH_RADIUS_KM)
    east, north = (x * cos + y * sin) * scale, (y * cos - x * sin) * scale
    angle = torch.hypot(east, north).clamp_min(1e-9)
    lat, lon = each(poses.lat_lon[:, 0]), each(poses.lat_lon[:, 1])
    towards = angle.sin() / angle
    sine = angle.cos() * lat.sin() + north * towards * lat.cos()
    ahead = lat.cos() * angle.cos() - north * towards * lat.sin()
    return sine.clamp(-1, 1).asin(), lon + torch.atan2(east * towards, ahead)


class WorldPyramid:
    """A world image at several resolutions, each half as fine as the one before."""

    def __init__(self, world: WorldImage, device: str, finest: int = 6_000) -> None:
        """Takes a world; with more than ``finest`` columns it is halved first."""
        self.channels = world.pixels.shape[2]
        self._north, self._east = (math.radians(offset) for offset in world.offset_deg)
        self._sizes, self._flat = list[tuple[int, int]](), list[Tensor]()
        level = torch.tensor(world.pixels, device=device)
        while True:
            height, width = level.shape[:2]
            if width <= finest:
                self._sizes.append((height, width))
                self._flat.append(level.reshape(-1, self.channels).contiguous())
            if width < COARSEST:
                break
            half = (math.ceil(height / 2), math.ceil(width / 2))
            planes = level.permute(2, 0, 1)[None].float()
            halved = functional.interpolate(planes, half, mode="area")[0]
            level = halved.round().byte().permute(1, 2, 0)

    def cut(self, lat: Tensor, lon: Tensor, km_per_pixel: Tensor) -> Tensor:
        """Colours ``[N, side, side, C]``, 0 to 1, at radians ``[N, side, side]``, bilinear.

        A picture of so many ``km_per_pixel`` ``[N]`` may be coarser than its source by half an
        octave, but no more.
        """
        coarsest = CIRCUMFERENCE_KM / torch.tensor([w for _, w in self._sizes]).to(lat)
        level = (km_per_pixel[:, None] > coarsest[1:] / math.sqrt(2)).sum(dim=1)
        colours = lat.new_empty(*lat.shape, self.channels)
        for number in level.unique().tolist():
            rows = (level == number).nonzero()[:, 0]
            colours[rows] = self._gathered(number, lat[rows], lon[rows])
        return colours

    def _gathered(self, level: int, lat: Tensor, lon: Tensor) -> Tensor:
        (height, width), flat = self._sizes[level], self._flat[level]
        row = (0.5 - (lat + self._north) / math.pi) * height - 0.5
        column = (0.5 + (lon + self._east) / (2 * math.pi)) * width - 0.5
        top, left = row.floor(), column.floor()
        down, right = (row - top)[..., None], (column - left)[..., None]
        line, left = top.int(), left.int()
        result = lat.new_zeros(*lat.shape, self.channels)
        for i, of_row in ((0, 1 - down), (1, down)):
            over_pole = (line + i < 0) | (line + i >= height)
            start = (line + i).clamp(0, height - 1) * width
            shifted = left + over_pole * (width // 2)
            for j, of_column in ((0, 1 - right), (1, right)):
                place = (start + (shifted + j) % width).reshape(-1)
                pixels = flat.index_select(0, place).view(*lat.shape, self.channels)
                result += pixels.float() * (of_row * of_column)
        return result / 255
