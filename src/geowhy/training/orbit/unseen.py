"""Pictures of worlds that the network was never trained on, and pictures that lie nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from geowhy.arrays import Floats64, Pixels, Points
from geowhy.training.orbit.config import VerdictConfig
from geowhy.training.orbit.look import changed_look
from geowhy.training.orbit.nowhere import nowhere_pictures
from geowhy.training.orbit.pairs import PairSource

__all__ = ["AT_ONCE", "unseen_pictures"]

AT_ONCE = 8


def unseen_pictures(
    source: PairSource, config: VerdictConfig
) -> Iterator[tuple[str, list[Pixels], Points, Floats64]]:
    """Some pictures of a world at a time, their centres, degrees, NaN for nowhere, and widths, km.

    Mirrored ones look like the Earth in every detail, and no such coast exists. Open sea looks like
    any other.
    """
    widths_km = (config.least_width_km, config.most_width_km)
    for start in range(0, config.pictures, AT_ONCE):
        world = config.worlds[start // AT_ONCE % len(config.worlds)]
        mirrored, drawn, sea = _nowhere(config, source.device)
        poses = source.poses(AT_ONCE, *widths_km)
        if sea.any():
            poses = poses.where(sea, source.sea_poses(AT_ONCE, *widths_km))
        pictures = source.pictures(world, poses, config.side).clone()
        pictures[mirrored] = pictures[mirrored].flip(-1)
        pictures[drawn] = nowhere_pictures(int(drawn.sum()), config.side, source.device)
        pictures = changed_look(pictures, config.look)
        pixels = (255 * pictures).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        lat_lon = np.degrees(poses.lat_lon.cpu().numpy().astype(np.float64))
        lat_lon[(mirrored | drawn | sea).cpu().numpy()] = np.nan
        yield world, list(pixels), lat_lon, poses.width_km.cpu().numpy().astype(np.float64)


def _nowhere(config: VerdictConfig, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Which of some pictures are mirrored, drawn, or of open sea, by chance: ``[AT_ONCE]`` each."""
    shares = torch.tensor([config.mirrored, config.patterns, config.sea])
    kind = torch.bucketize(torch.rand(AT_ONCE), shares.cumsum(0), right=True).to(device)
    return kind == 0, kind == 1, kind == 2
