"""Sunshine, wind and humidity, from a table of land points that is shipped as a pickle.

A pickle can run code, so it is read by an unpickler that knows nothing but arrays: every class of
the table library is replaced by an empty shell, and the numbers are taken out of the shells.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earth_sources.archives import Archives
from earth_sources.grids import fill_from_nearest
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, continuous_layer

__all__ = ["sun_and_wind_layers"]

SHAPE = (720, 1440)  # 0.25 degrees
GAP_KM = 150.0
ARRAY_PARTS = {"_reconstruct": "numpy._core.multiarray", "ndarray": "numpy", "dtype": "numpy"}


class _Shell:
    """Stands for any object of the table library; keeps what it was made from."""

    parts: tuple[Any, ...]
    state: Any

    def __new__(cls, *parts: Any) -> _Shell:  # noqa: ANN401 - whatever the pickle holds
        shell = super().__new__(cls)
        shell.parts, shell.state = parts, None
        return shell

    def __init__(self, *parts: Any) -> None:  # noqa: ANN401
        pass

    def __setstate__(self, state: Any) -> None:  # noqa: ANN401
        self.state = state


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        if module.split(".")[0] == "numpy" and name in ARRAY_PARTS:
            return super().find_class(ARRAY_PARTS[name], name)
        return _Shell


def sun_and_wind_layers(archives: Archives, land: Land) -> list[BuiltLayer]:
    """Global horizontal irradiance, wind speed and specific humidity, all over land."""
    columns = _columns(_ArraysOnly(archives.read("pvcz", "_stressors_and_zones.pkl")).load())
    cell = _row_and_column(columns)

    def layer(name: str, text: str, unit: str, column: str, step: float) -> BuiltLayer:
        return continuous_layer(
            *(name, text, unit, _gridded(cell, columns[column], land)),
            (archives.source("pvcz"),),
            step=step,
            bits=8,
            missing="at sea and in Antarctica",
        )

    return [
        layer("ghi", "mean global horizontal irradiance", "kWh/m²/day", "GHI_mean", 0.025),
        layer("wind", "near-surface wind speed, root mean square", "m/s", "wind_speed_rms", 0.08),
        layer("humidity", "mean specific humidity", "g/kg", "specific_humidity_mean", 0.1),
    ]


def _columns(table: _Shell) -> dict[str, NDArray[Any]]:
    """Columns of the table by name; blocks of columns of one type, and their names, lie in it."""
    _, blocks, names, _ = table.state["_data"].state
    pairs = zip(names, blocks, strict=True)
    return {
        str(name): column
        for index, block in pairs
        for name, column in zip(index.parts[1]["data"], block, strict=True)
    }


def _row_and_column(columns: dict[str, NDArray[Any]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cells of the points; half precision holds their eighths of a degree exactly."""
    lat, lon = columns["lat"].astype(np.float64), columns["lon"].astype(np.float64)
    return ((90.0 - lat) * 4).astype(np.intp), ((lon + 180.0) * 4).astype(np.intp)


def _gridded(
    cell: tuple[NDArray[np.intp], NDArray[np.intp]], column: NDArray[Any], land: Land
) -> NDArray[np.float32]:
    grid = np.full(SHAPE, np.nan, np.float32)
    grid[cell] = column
    wanted = land.any_in_blocks(5, margin=0)
    filled = fill_from_nearest(grid, np.isnan(grid), wanted, GAP_KM)
    return np.where(wanted, filled, np.float32(np.nan))
