"""Pictures of worlds that the network was never trained on, and pictures that lie nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from geowhy.arrays import Floats64, Pixels, Points
from geowhy.training.orbit.config import VerdictConfig
from geowhy.training.orbit.look import changed_look
from geowhy.training.orbit.nowhere import nowhere_pictures
from geowhy.training.orbit.pairs import PairSource

__all__ = ["AT_ONCE", "unseen_pictures"]

AT_ONCE = 8


def unseen_pictures(
    source: PairSource, config: VerdictConfig
) -> Iterator[tuple[list[Pixels], Points, Floats64]]:
    """Some pictures at a time, with their centres, degrees, NaN for nowhere, and widths, km.

    Mirrored ones look like the Earth in every detail, and no such coast exists.
    """
    for start in range(0, config.pictures, AT_ONCE):
        world = config.worlds[start // AT_ONCE % len(config.worlds)]
        poses = source.poses(AT_ONCE, config.least_width_km, config.most_width_km)
        pictures = source.pictures(world, poses, config.side).clone()
        kind = torch.rand(AT_ONCE)
        mirrored = (kind < config.mirrored).to(pictures.device)
        pictures[mirrored] = pictures[mirrored].flip(-1)
        is_nowhere = kind < config.mirrored + config.patterns
        drawn = (is_nowhere & (kind >= config.mirrored)).nonzero()[:, 0].to(pictures.device)
        pictures[drawn] = nowhere_pictures(len(drawn), config.side, source.device)
        pictures = changed_look(pictures, config.look)
        pixels = (255 * pictures).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        lat_lon = np.degrees(poses.lat_lon.cpu().numpy().astype(np.float64))
        lat_lon[is_nowhere.numpy()] = np.nan
        yield list(pixels), lat_lon, poses.width_km.cpu().numpy().astype(np.float64)
