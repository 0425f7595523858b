"""Whether a GeoJSON region was probably written with the latitude first.

GeoJSON has the longitude first (RFC 7946, section 3.1.1). Latitudes beyond 90 degrees are refused
where regions are read; what stays within can only be told by the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from geowhy.arrays import Points
from geowhy.geo.atlas import Atlas

__all__ = ["axis_order_warning"]

ENOUGH_LAND = 0.5


def axis_order_warning(content: Mapping[str, Any], atlas: Atlas | None = None) -> str:
    """What is probably wrong with the polygons of a GeoJSON object; "" if nothing.

    It is said only if the same numbers the other way round are mostly land of ``atlas``, by default
    the packaged one.
    """
    rings = [np.array([position[:2] for position in ring], np.float64) for ring in _rings(content)]
    if not rings:
        return ""
    # Points of the outline and halfway to the middle: enough to tell land from sea.
    points = np.concatenate(
        [(ring + share * ring.mean(0)) / (1 + share) for ring in rings for share in (0, 1, 3)]
    )
    as_written, exchanged = points[:, ::-1], points
    if np.abs(exchanged[:, 0]).max() > 90.0 or np.abs(as_written[:, 0]).max() > 90.0:
        return ""
    land = (atlas or Atlas.load()).layer("land")

    def land_share(lat_lon: Points) -> float:
        return float(np.mean(land.at(lat_lon)))

    if land_share(as_written) > 0.0 or land_share(exchanged) < ENOUGH_LAND:
        return ""
    return (
        "all of it sea, and mostly land if latitude and longitude are exchanged: GeoJSON has the "
        "longitude first; exchange them if that was meant"
    )


def _rings(content: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    """The outer rings of all polygons, however deep."""
    waiting: list[object] = [content]
    while waiting:
        match waiting.pop():
            case {"type": "Polygon", "coordinates": [outer, *_]}:
                yield outer
            case {"type": "MultiPolygon", "coordinates": [*polygons]}:
                yield from (rings[0] for rings in polygons if rings)
            case {"features": [*parts]} | {"geometries": [*parts]}:
                waiting += parts
            case {"geometry": part}:
                waiting.append(part)
