"""Mirrored and turned Earths: eight for one, on which a view still matches its map.

A view that is mirrored together with the maps of its surroundings shows a coast that exists
nowhere, yet the one still fits the other. What a model learns on such pairs is how to match, not
where this coast is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from geowhy.export.backbone_export import LAYOUT_GRID
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES

__all__ = ["SYMMETRIES", "turned", "turned_alike"]

SYMMETRIES = 8  # of a square


def turned(rows: Tensor, first: int, count: int, grid: int, symmetry: int) -> Tensor:
    """Rows ``[N, F]`` whose grids are mirrored or turned; the other columns stay.

    From the column ``first`` on, each row holds ``count`` grids of ``grid`` by ``grid`` fields, one
    after the other. ``symmetry`` is one of the ``SYMMETRIES``; 0 changes nothing.
    """
    if symmetry == 0 or count == 0:
        return rows
    last = first + count * grid * grid
    grids = rows[:, first:last].reshape(len(rows), count, grid, grid)
    if symmetry & 1:
        grids = grids.flip(-1)
    if symmetry & 2:
        grids = grids.flip(-2)
    if symmetry & 4:
        grids = grids.transpose(-1, -2)
    return torch.cat([rows[:, :first], grids.reshape(len(rows), -1), rows[:, last:]], dim=1)


def turned_alike(images: Tensor, surroundings: Tensor, summary: int) -> tuple[Tensor, Tensor]:
    """Views ``[N, w]`` and maps ``[M, s]`` under one random symmetry.

    The views' layout follows their ``summary``; places that nobody looks around have no maps.
    """
    symmetry = int(torch.randint(SYMMETRIES, ()))
    colours = (images.shape[1] - summary) // LAYOUT_GRID**2
    maps = len(MAP_NAMES) if surroundings.shape[1] else 0
    return (
        turned(images, summary, colours, LAYOUT_GRID, symmetry),
        turned(surroundings, 0, maps, MAP_GRID, symmetry),
    )
