"""Changes the look of pictures as sensors, seasons, weather and drawing styles do."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from geowhy.training.orbit.config import LookConfig

__all__ = ["changed_look", "cloud_field"]

SKY = (0.75, 0.82, 0.95)  # of haze
OCTAVES = ((4, 1.0), (9, 0.5), (20, 0.3), (45, 0.15))  # cells a side of clouds, and their heights


def changed_look(pictures: Tensor, config: LookConfig) -> Tensor:
    """Pictures ``[N, 3, H, W]`` from 0 to 1 in another look, each change by its own chance."""
    count, device = len(pictures), pictures.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        sides = shape or (1,)
        return torch.rand(count, *sides, 1, 1, device=device) * (high - low) + low

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, device=device)

    def sometimes(share: float, changed: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        rows = (torch.rand(count, device=device) < share).nonzero()[:, 0]
        result = x.clone()
        result[rows] = changed(x)[rows]
        return result

    def colour(x: Tensor) -> Tensor:
        mix = torch.eye(3, device=device) + normal(3, 3) * 0.1
        x = torch.einsum("nij,njhw->nihw", mix, x)
        x = x * (normal(3, 1, 1) * 0.18).exp() + normal(3, 1, 1) * 0.06
        mean = x.mean((2, 3), keepdim=True)
        return mean + (x - mean) * uniform(-0.7, 0.7).exp()

    def haze(x: Tensor) -> Tensor:
        sky = torch.tensor(SKY, device=device)[None, :, None, None]
        return torch.lerp(x, sky, uniform(0.0, 0.5))

    def clouds(x: Tensor) -> Tensor:
        cover = uniform(-0.9, 0.7)
        side = x.shape[-1]
        opacity = ((cloud_field(count, side, device) + cover - 0.9) * 5).sigmoid() * 0.95
        shade = 0.85 + 0.05 * cloud_field(count, side, device, ((16, 1.0),)).clamp(-1, 1)
        return torch.lerp(x, shade, opacity)

    def light(x: Tensor) -> Tensor:
        line = torch.linspace(-0.5, 0.5, x.shape[-1], device=device)
        towards = uniform(0, 2 * math.pi)
        slope = line[:, None] * towards.sin() + line * towards.cos()
        return x * (1 + slope * uniform(-0.7, 0.7))

    def blur(x: Tensor) -> Tensor:
        half = functional.interpolate(x, scale_factor=0.5, mode="area")
        return functional.interpolate(half, x.shape[2:], mode="bilinear")

    x = sometimes(config.gamma, lambda x: x.clamp(1e-3, 1) ** uniform(-0.7, 0.7).exp(), pictures)
    x = sometimes(config.colour, colour, x)
    grey = uniform(0.3, 1.2).clamp(max=1)
    x = sometimes(config.grey, lambda x: torch.lerp(x, x.mean(1, keepdim=True), grey), x)
    x = sometimes(config.haze, haze, x)
    x = sometimes(config.clouds, clouds, x)
    x = sometimes(config.light, light, x)
    x = sometimes(config.blur, blur, x)
    x = sometimes(config.noise, lambda x: x + torch.randn_like(x) * uniform(0, 0.05), x)
    x = sometimes(config.collar, lambda x: x * _scene(x), x)
    plain = torch.rand(count, 1, 1, 1, device=device) < config.plain
    return torch.where(plain, pictures, x).clamp(0, 1)


def cloud_field(
    count: int,
    side: int,
    device: torch.device,
    octaves: tuple[tuple[int, float], ...] = OCTAVES,
) -> Tensor:
    """Smooth noise of several sizes ``[count, 1, side, side]``, about standard normal."""
    total = torch.zeros(count, 1, side, side, device=device)
    for cells, height in octaves:
        cells = min(cells, side)
        noise = torch.randn(count, 1, cells, cells, device=device)
        total += height * functional.interpolate(noise, (side, side), mode="bilinear")
    return total


def _scene(x: Tensor) -> Tensor:
    """1 within a turned rectangle of each picture, 0 in the collar around it."""
    line = torch.linspace(-0.5, 0.5, x.shape[-1], device=x.device)
    turn = (torch.rand(len(x), 1, 1, device=x.device) - 0.5) * math.pi / 2
    along = line[:, None] * turn.sin() + line * turn.cos()
    across = line[:, None] * turn.cos() - line * turn.sin()
    half = 0.35 + 0.25 * torch.rand(len(x), 2, 1, 1, device=x.device)
    inside = (along.abs() < half[:, 0]) & (across.abs() < half[:, 1])
    return inside[:, None].to(x.dtype)
