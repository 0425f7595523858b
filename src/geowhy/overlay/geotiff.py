"""GeoTIFF (OGC 19-008r4): the whole picture, unresampled, on a map about its own centre.

The map is the azimuthal equidistant one on the sphere that geowhy measures on, written out in
GeoKeys. There a level picture is scaled and turned, no more: one matrix says where all of it lies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

from geowhy.assets.files import appearing_whole
from geowhy.overlay.laid import LaidPicture
from geowhy.overlay.projection import RADIUS_M, SPHERE, affine_m, projection_name
from geowhy.types import LatLon

__all__ = ["write_geotiff"]

MODEL_TRANSFORMATION, GEO_KEYS, GEO_DOUBLES, GEO_TEXTS = 34264, 34735, 34736, 34737
SHORT, TEXT, DOUBLE = 3, 2, 12  # types of fields
USER_DEFINED = 32767
AZIMUTHAL_EQUIDISTANT, METRE, DEGREE, GREENWICH = 12, 9001, 9102, 8901
PREDICTOR, OF_NEIGHBOURS = 317, 2


def write_geotiff(laid: LaidPicture, path: Path) -> None:
    """Writes a picture; a tilted one is levelled first, and has alpha then.

    Raises:
        OSError: if it can't be written.
    """
    level = laid.levelled()
    fields = TiffImagePlugin.ImageFileDirectory_v2()
    (a, b, c), (d, e, f) = affine_m(level.to_map)
    keys, doubles, texts = _geo_keys(level.pose.lat_lon)
    for tag, kind, value in (
        (MODEL_TRANSFORMATION, DOUBLE, (a, b, 0.0, c, d, e, 0.0, f, *[0.0] * 7, 1.0)),
        (GEO_KEYS, SHORT, keys),
        (GEO_DOUBLES, DOUBLE, doubles),
        (GEO_TEXTS, TEXT, texts),
        (PREDICTOR, SHORT, OF_NEIGHBOURS),
    ):
        fields.tagtype[tag] = kind
        fields[tag] = value
    with appearing_whole(path) as partial:
        Image.fromarray(level.pixels).save(
            partial, "TIFF", tiffinfo=fields, compression="tiff_adobe_deflate"
        )


def _geo_keys(centre: LatLon) -> tuple[tuple[int, ...], tuple[float, ...], str]:
    """The directory of keys, and the numbers and texts that it points to."""
    doubles = (RADIUS_M, RADIUS_M, centre.lon, centre.lat, 0.0, 0.0)
    projection, sphere = f"{projection_name(centre)}|", f"{SPHERE}|"
    entries: list[tuple[int, int, int, int]] = [  # key, where its value is, how many, value
        (1024, 0, 1, 1),  # GTModelType: projected
        (1025, 0, 1, 1),  # GTRasterType: a pixel is an area
        (1026, GEO_TEXTS, len(projection), 0),  # GTCitation
        (2048, 0, 1, USER_DEFINED),  # GeodeticCRS
        (2049, GEO_TEXTS, len(sphere), len(projection)),  # GeodeticCitation
        (2050, 0, 1, USER_DEFINED),  # GeodeticDatum
        (2051, 0, 1, GREENWICH),  # PrimeMeridian
        (2054, 0, 1, DEGREE),  # GeogAngularUnits
        (2056, 0, 1, USER_DEFINED),  # Ellipsoid
        (2057, GEO_DOUBLES, 1, 0),  # EllipsoidSemiMajorAxis
        (2058, GEO_DOUBLES, 1, 1),  # EllipsoidSemiMinorAxis
        (3072, 0, 1, USER_DEFINED),  # ProjectedCRS
        (3074, 0, 1, USER_DEFINED),  # Projection
        (3075, 0, 1, AZIMUTHAL_EQUIDISTANT),  # ProjMethod
        (3076, 0, 1, METRE),  # ProjLinearUnits
        (3082, GEO_DOUBLES, 1, 4),  # ProjFalseEasting
        (3083, GEO_DOUBLES, 1, 5),  # ProjFalseNorthing
        (3088, GEO_DOUBLES, 1, 2),  # ProjCenterLong
        (3089, GEO_DOUBLES, 1, 3),  # ProjCenterLat
    ]
    header = (1, 1, 1, len(entries))
    return (*header, *np.ravel(entries).tolist()), doubles, projection + sphere
