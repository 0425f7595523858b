"""Draws pairs of pictures that show nearly the same ground: a query, and its reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.images.overhead import WorldImage
from geowhy.training.orbit.config import LookConfig, PairsConfig
from geowhy.training.orbit.cutting import PoseBatch, WorldPyramid, ground_grid
from geowhy.training.orbit.look import changed_look

__all__ = ["REFERENCE", "PairSource", "Pairs"]

REFERENCE = "bmng"
# A side of a picture: how much of it is land is counted at so many points.
LAND_PROBES, SEA_PROBES = 8, 48
MOST_OF_SECOND = 0.6  # world that a query's look is blended with
TRIES = 4  # candidates for each place that is wanted
BAND_RANGE = (0.05, 0.95)  # to which the band of an unknown sensor is stretched
BAND_QUANTILES = (0.02, 0.98)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N queries with their references."""

    queries: Tensor  # [N, 3, side, side]
    references: Tensor  # [N, 3, side, side]
    unit: Tensor  # centres of the queries [N, 3]
    width_km: Tensor  # of the queries [N]


class PairSource:
    """Cuts pairs out of world images, at random; chance comes from torch's generator."""

    def __init__(
        self, worlds: Mapping[str, WorldImage], pairs: PairsConfig, look: LookConfig, device: str
    ) -> None:
        """Takes worlds by name: the reference, and those that queries show."""
        self._config, self._look, self.device = pairs, look, device
        self._worlds = {name: WorldPyramid(world, device) for name, world in worlds.items()}
        self._land = torch.from_numpy(Atlas.load().layer("land").grid() == 1).to(device)

    def pairs(self, count: int, side: int) -> Pairs:
        """New ones, of places uniform on the ground that has enough land."""
        queries = self.poses(count, self._config.least_width_km, self._config.most_width_km)
        pictures = self.queries(queries, side)
        references = self.pictures(REFERENCE, self._nearly(queries), side)
        lat, lon = queries.lat_lon.T
        unit = torch.stack([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()], dim=1)
        return Pairs(pictures, references, unit, queries.width_km)

    def queries(self, poses: PoseBatch, side: int) -> Tensor:
        """Pictures ``[N, 3, side, side]`` of any world, in a changed look."""
        return changed_look(self._queries(poses, side), self._look)

    def pictures(self, world: str, poses: PoseBatch, side: int) -> Tensor:
        """Pictures ``[N, 3, side, side]`` of one world as it is."""
        lat, lon = ground_grid(poses, side)
        colours = self._worlds[world].cut(lat, lon, poses.width_km / side)
        return colours.expand(-1, -1, -1, 3).permute(0, 3, 1, 2)

    def _queries(self, poses: PoseBatch, side: int) -> Tensor:
        """Pictures ``[N, 3, side, side]`` that look like a world, two, or a band of any sensor."""
        count, device, look = len(poses.width_km), self.device, self._look
        names = list(self._config.worlds)
        often = torch.tensor([float(times) for times in self._config.worlds.values()])
        first, second = torch.multinomial(often.expand(count, -1), 2, replacement=True).T
        share = MOST_OF_SECOND * torch.rand(count) * (torch.rand(count) < look.blend)
        is_band = (torch.rand(count) < look.band).to(device)
        lat, lon = ground_grid(poses, side)
        pictures = lat.new_zeros(count, side, side, 3)
        for name in names:
            world, number = self._worlds[name], names.index(name)
            weight = (first == number) * (1 - share) + (second == number) * share
            rows = weight.nonzero()[:, 0].to(device)
            colours = world.cut(lat[rows], lon[rows], poses.width_km[rows] / side)
            mix = (
                torch.eye(3, device=device) if world.channels == 3 else torch.ones(1, 3).to(device)
            )
            band = torch.randn(len(rows), world.channels, 1, device=device).expand(-1, -1, 3)
            mixes = torch.where(is_band[rows, None, None], band, mix)
            mixes = mixes * weight.to(device)[rows, None, None]
            mixed = torch.bmm(colours.view(len(rows), side * side, world.channels), mixes)
            pictures[rows] += mixed.view(len(rows), side, side, 3)
        pictures = pictures.permute(0, 3, 1, 2)
        if is_band.any():
            pictures[is_band] = _stretched(pictures[is_band])
        return pictures

    def poses(self, count: int, least_km: float, most_km: float) -> PoseBatch:
        """Poses of queries between two widths, log-uniform."""
        least = self._config.least_land
        return self._poses(
            count, least_km, most_km, lambda poses: self.land_share(poses, LAND_PROBES) >= least
        )

    def sea_poses(self, count: int, least_km: float, most_km: float) -> PoseBatch:
        """Poses of pictures without any land between two widths, log-uniform."""
        return self._poses(
            count, least_km, most_km, lambda poses: self.land_share(poses, SEA_PROBES) == 0
        )

    def _poses(
        self, count: int, least_km: float, most_km: float, kept: Callable[[PoseBatch], Tensor]
    ) -> PoseBatch:
        """Poses that are kept, as ``kept`` says ``[N]``."""
        config, found = self._config, list[PoseBatch]()
        while sum(len(poses.width_km) for poses in found) < count:
            some = TRIES * count
            uniform = torch.rand(7, some, device=self.device)
            south = math.sin(math.radians(config.southernmost_deg))
            lat = (uniform[0] * (1 - south) + south).asin()
            lon = (2 * uniform[1] - 1) * math.pi
            poses = PoseBatch(
                torch.stack([lat, lon], dim=1),
                least_km * (most_km / least_km) ** uniform[2],
                uniform[3] * 2 * math.pi,
                math.radians(config.tilt_deg) * uniform[4],
                uniform[5] * 2 * math.pi,
                config.view_angle * uniform[6],
            )
            found.append(poses.rows(kept(poses)))
        parts = zip(*(poses.fields() for poses in found), strict=True)
        return PoseBatch(*(torch.cat(part) for part in parts)).rows(slice(count))

    def land_share(self, poses: PoseBatch, probes: int) -> Tensor:
        """Of what pictures show, ``[N]``, by so many points a side."""
        height, width = self._land.shape
        lat, lon = ground_grid(poses, probes)
        row = ((0.5 - lat / math.pi) * height).long().clamp(0, height - 1)
        column = ((0.5 + lon / (2 * math.pi)) * width).long() % width
        return self._land[row, column].float().mean((1, 2))

    def _nearly(self, poses: PoseBatch) -> PoseBatch:
        """Poses beside others, from above and north up."""
        config, count = self._config, len(poses.width_km)
        uniform = torch.rand(3, count, device=self.device) * 2 - 1
        shift = uniform[:2] * config.offset * poses.width_km / EARTH_RADIUS_KM
        lat = (poses.lat_lon[:, 0] + shift[0]).clamp(-1.55, 1.55)
        lon = poses.lat_lon[:, 1] + shift[1] / lat.cos()
        width_km = poses.width_km * config.width_ratio ** uniform[2]
        none = torch.zeros_like(width_km)
        return PoseBatch.from_above(torch.stack([lat, lon], dim=1), width_km, none)


def _stretched(bands: Tensor) -> Tensor:
    """Pictures ``[N, 3, H, W]`` of one band, whatever its range, brought to 0 to 1."""
    quantiles = torch.tensor(BAND_QUANTILES, device=bands.device)
    low, high = bands[:, 0].flatten(1).quantile(quantiles, dim=1)[..., None, None, None]
    spread = BAND_RANGE[1] - BAND_RANGE[0]
    stretched: Tensor = (bands - low) / (high - low).clamp_min(1e-3) * spread + BAND_RANGE[0]
    return stretched.clamp(0, 1)
