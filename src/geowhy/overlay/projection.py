"""The map about a picture's centre, azimuthal equidistant on a sphere, as others name it."""

from __future__ import annotations

from geowhy.arrays import Floats64
from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.types import LatLon

__all__ = ["RADIUS_M", "SPHERE", "affine_m", "projection_name", "well_known_text"]

RADIUS_M = EARTH_RADIUS_KM * 1000
SPHERE = "Sphere of 6371.0088 km"


def projection_name(centre: LatLon) -> str:
    """In words: "Azimuthal equidistant about 9.40750, -0.83930"."""
    return f"Azimuthal equidistant about {centre.lat:.5f}, {centre.lon:.5f}"


def affine_m(to_map: Floats64) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Metres east and north of pixel coordinates, as two rows, by the matrix of a level picture.

    ``to_map`` is ``[3, 3]`` in km; column and row count from the top left corner.
    """
    (a, b, c), (d, e, f) = (to_map[:2] / to_map[2, 2] * 1000).tolist()
    return (a, b, c), (d, e, f)


def well_known_text(centre: LatLon) -> str:
    """The same map as .prj files have it (ESRI's WKT 1)."""
    return (
        f'PROJCS["{projection_name(centre)}",GEOGCS["{SPHERE}",DATUM["{SPHERE}",'
        f'SPHEROID["{SPHERE}",{RADIUS_M!r},0.0]],PRIMEM["Greenwich",0.0],'
        'UNIT["Degree",0.0174532925199433]],PROJECTION["Azimuthal_Equidistant"],'
        'PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],'
        f'PARAMETER["Central_Meridian",{centre.lon!r}],PARAMETER["Latitude_Of_Origin",'
        f'{centre.lat!r}],UNIT["Meter",1.0]]'
    )
