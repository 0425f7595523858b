"""The network as a model has it, and descriptions of all places by it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional

from geowhy.arrays import Floats32
from geowhy.orbit.gallery import GalleryPlaces
from geowhy.training.orbit.cutting import PoseBatch
from geowhy.training.orbit.network import RingNetwork
from geowhy.training.orbit.pairs import REFERENCE, PairSource

__all__ = ["TurnedNetwork", "describe_places", "export_network"]

QUARTER_TURNS = 4
DESCRIBED_AT_ONCE = 256


class TurnedNetwork(nn.Module):
    """A network whose answer is the mean over four quarter turns of a picture."""

    def __init__(self, network: RingNetwork) -> None:
        super().__init__()
        self.network = network

    @property
    def size(self) -> int:
        """Numbers of a description."""
        return sum(self.network.sizes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Descriptions, then pooled features, ``[N, d + p]``, of pictures ``[N, 3, S, S]``."""
        turned = torch.cat([torch.rot90(pixels, k, (2, 3)) for k in range(QUARTER_TURNS)])
        pooled = self.network.pooled(turned)
        mean = pooled.unflatten(0, (QUARTER_TURNS, -1)).mean(0).flatten(1)
        described = self.network.described(pooled).unflatten(0, (QUARTER_TURNS, -1)).mean(0)
        return torch.cat([functional.normalize(described, dim=1), mean], dim=1)


def export_network(module: TurnedNetwork, side: int, path: Path) -> None:
    """Writes the graph: "pixels" ``[N, 3, side, side]`` from 0 to 1, to "features"."""
    example = torch.zeros(2, 3, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch's exporter about torch itself
        program = torch.onnx.export(
            module.eval().cpu(),
            (example,),
            dynamo=True,
            input_names=["pixels"],
            output_names=["features"],
            dynamic_shapes={"pixels": {0: Dim("pictures")}},
            verbose=False,
        )
    assert program is not None  # with dynamo there is one
    program.save(path)


@torch.no_grad()
def describe_places(
    module: TurnedNetwork,
    source: PairSource,
    places: GalleryPlaces,
    side: int,
    on_progress: Callable[[int, int], None],
) -> Floats32:
    """Descriptions ``[M, d]`` of what the reference shows at M places."""
    device, size = source.device, module.size
    described = np.empty((len(places), size), np.float32)
    for start in range(0, len(places), DESCRIBED_AT_ONCE):
        rows = slice(start, start + DESCRIBED_AT_ONCE)
        lat_lon = torch.tensor(np.radians(places.lat_lon[rows]), dtype=torch.float32, device=device)
        width = torch.tensor(places.width_km[rows], dtype=torch.float32, device=device)
        poses = PoseBatch.from_above(lat_lon, width, torch.zeros_like(width))
        with torch.autocast(device, torch.bfloat16):
            found = module(source.pictures(REFERENCE, poses, side))
        described[rows] = functional.normalize(found[:, :size].float(), dim=1).cpu().numpy()
        on_progress(min(start + DESCRIBED_AT_ONCE, len(places)), len(places))
    return described
