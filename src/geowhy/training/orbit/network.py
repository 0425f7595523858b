"""The network that describes a picture of the ground from above, whatever its heading and look.

A residual network from scratch. Its last features are pooled as a whole, by a power mean, and over
round rings about the centre (the parts of LPN, arXiv 2008.11646, made proof against turning). Each
of these parts has numbers of its own in the description, so a match is a sum over parts.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from geowhy.training.orbit.config import NetworkConfig

__all__ = ["RingNetwork", "ring_weights"]

MEAN, SPREAD = 0.4, 0.25  # of pixels, about
FINE = 16  # subdivisions of a field, to tell how much of it a ring covers
CHANNELS = 4  # colours, and their mean at a contrast that is always the same
LEAST_CONTRAST = 0.02  # what varies less is mostly noise


class RingNetwork(nn.Module):
    """Pictures ``[N, 3, S, S]`` from 0 to 1 in, descriptions of length 1 ``[N, d]`` out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.width
        layers: list[nn.Module] = [_Convolution(CHANNELS, channels, 5, 2), nn.ReLU()]
        for stage, blocks in enumerate(config.blocks):
            for block in range(blocks):
                stride = 2 if stage and block == 0 else 1
                layers.append(_Block(channels, config.width * 2**stage, stride))
                channels = config.width * 2**stage
        self.body = nn.Sequential(*layers)
        with torch.no_grad():
            fields = self.body.eval()(torch.zeros(1, CHANNELS, config.side, config.side)).shape[-1]
        self.power = nn.Parameter(torch.tensor(3.0))
        self.register_buffer("rings", ring_weights(fields, config.rings), persistent=False)
        parts = 1 + config.rings
        self.sizes = [config.size // parts] * parts
        self.sizes[0] += config.size - sum(self.sizes)
        self.heads = nn.ModuleList(nn.Linear(channels, size) for size in self.sizes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Descriptions ``[N, d]`` of pictures ``[N, 3, S, S]``."""
        return self.described(self.pooled(pictures))

    def pooled(self, pictures: Tensor) -> Tensor:
        """Features of the whole and of each ring ``[N, 1 + rings, c]``."""
        features = self.body(_contrasted(pictures)).float()
        power = self.power.clamp(1, 8)
        whole = features.clamp_min(1e-4).pow(power).mean((2, 3)).pow(1 / power)
        by_ring = torch.einsum("nchw,rhw->rnc", features, cast(Tensor, self.rings))
        return torch.cat([whole[:, None], by_ring.transpose(0, 1)], dim=1)

    def described(self, pooled: Tensor) -> Tensor:
        """Descriptions of length 1 ``[N, d]`` from pooled features ``[N, 1 + rings, c]``."""
        parts = [head(x) for head, x in zip(self.heads, pooled.unbind(1), strict=True)]
        return functional.normalize(torch.cat(parts, dim=1), dim=1)


def ring_weights(fields: int, rings: int) -> Tensor:
    """How much each of ``fields`` × ``fields`` counts in each ring ``[rings, fields, fields]``.

    Rings are equally wide; the last reaches into the corners. Weights of a ring add up to 1.
    """
    line = (torch.arange(fields * FINE) + 0.5) / (fields * FINE) * 2 - 1
    radius = torch.hypot(line[:, None], line)
    ring = (radius * rings).long().clamp(max=rings - 1)
    cover = torch.stack([(ring == number).float() for number in range(rings)])
    weights = functional.avg_pool2d(cover[None], FINE)[0]
    return weights / weights.sum((1, 2), keepdim=True)


def _contrasted(pictures: Tensor) -> Tensor:
    grey = pictures.mean(1, keepdim=True)
    spread, mean = torch.std_mean(grey, (2, 3), keepdim=True)
    return torch.cat([(pictures - MEAN) / SPREAD, (grey - mean) / (spread + LEAST_CONTRAST)], 1)


class _Convolution(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(outputs))


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _Convolution(inputs, outputs, 3, stride)
        self.second = _Convolution(outputs, outputs, 3, 1)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else _Convolution(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        changed = self.second(functional.relu(self.first(x)))
        return functional.relu(changed + self.shortcut(x))
