"""States of the United States, from a TopoJSON file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from earth_sources.archives import Archives
from earth_sources.grids import fill_from_nearest, paint
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, class_layer

__all__ = ["us_state_layer"]

SHAPE = (1800, 3600)  # 0.1 degrees
COAST_GAP_KM = 40.0
TERRITORIES = frozenset(
    {
        *("American Samoa", "Guam", "Commonwealth of the Northern Mariana Islands"),
        *("Puerto Rico", "United States Virgin Islands"),
    }
)

Arcs = list[NDArray[np.float64]]


def us_state_layer(archives: Archives, land: Land, in_country: NDArray[np.bool_]) -> BuiltLayer:
    """The state of each cell of 0.1 degrees; ``in_country`` are those of the United States."""
    topology = json.load(archives.read("us-atlas", "states-10m.json"))
    arcs = _arcs(topology)
    states = {
        state["properties"]["name"]: _geometry(state, arcs)
        for state in topology["objects"]["states"]["geometries"]
        if state["properties"]["name"] not in TERRITORIES
    }
    codes = np.zeros(SHAPE, np.uint8)
    for code, name in enumerate(sorted(states), start=1):
        for part in shapely.get_parts(states[name]):
            paint(codes, part, code)
    wanted = land.any_in_blocks(2, margin=0) & in_country
    return class_layer(
        "us_state",
        "state of the United States, or the District of Columbia",
        fill_from_nearest(codes, codes == 0, wanted, COAST_GAP_KM),
        tuple(sorted(states)),
        (archives.source("us-atlas"),),
        missing="outside the 50 states and the District of Columbia",
    )


def _arcs(topology: dict[str, Any]) -> Arcs:
    """Lines in degrees, longitude first; the file has them as steps of whole numbers."""
    scale, origin = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [np.cumsum(arc, axis=0) * scale + origin for arc in topology["arcs"]]


def _geometry(feature: dict[str, Any], arcs: Arcs) -> BaseGeometry:
    polygons = feature["arcs"] if feature["type"] == "MultiPolygon" else [feature["arcs"]]
    rings = [[_ring(ring, arcs) for ring in polygon] for polygon in polygons]
    return shapely.multipolygons([Polygon(outer, holes) for outer, *holes in rings])


def _ring(indices: list[int], arcs: Arcs) -> NDArray[np.float64]:
    """Arcs end to end; one with a negative number runs backwards."""
    lines = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in indices]
    return np.concatenate([lines[0], *(line[1:] for line in lines[1:])])
