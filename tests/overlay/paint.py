"""Pictures whose colours tell where each of their pixels lies."""

import numpy as np

from geowhy.answer import Prediction, Scope
from geowhy.explanation import Explanation
from geowhy.geo.pose import Pose, Poses, perspective, picture_plane
from geowhy.types import LatLon

PLACES = {
    "level": Pose(LatLon(41.9, 12.5), 600.0, 33.0),
    "tilted": Pose(LatLon(27.0, 33.5), 800.0, 250.0, perspective([35.0], [20.0], 30.0)[0]),
    "uneven": Pose(
        LatLon(5.0, -60.0), 300.0, 120.0, np.array([(0.9, 0, 0), (0.2, 1.1, 0), (0, 0, 0.99**0.5)])
    ),
    "antimeridian": Pose(LatLon(-17.0, 179.5), 700.0, 10.0),
    "pole": Pose(LatLon(87.0, -40.0), 1500.0, 80.0),
}
SHAPE = (60, 90)


def colours(lat_lon):
    """Smooth colours ``[..., 3]`` of degrees ``[..., 2]``, without a seam anywhere."""
    lat, lon = np.moveaxis(np.radians(np.asarray(lat_lon)), -1, 0)
    unit = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    return 127.5 + 120 * np.sin(4 * unit)


def painted(pose, shape=SHAPE):
    ground = Poses.of([pose]).ground(picture_plane(shape).reshape(-1, 2))[0]
    return np.rint(colours(ground)).astype(np.uint8).reshape(*shape, 3)


def answer(pose, shape=SHAPE, **changes):
    values = {
        "image": "a.png",
        "position": pose.lat_lon,
        "radius_50_km": 5.0,
        "radius_90_km": 20.0,
        "candidates": (),
        "explanation": Explanation(1.0, (), 1.0),
        "model": "fake",
        "scope": Scope(9),
        "heading_deg": pose.heading_deg,
        "width_km": pose.width_km,
        "footprint": pose.footprint(shape),
        "verified": True,
    }
    return Prediction(**{**values, **changes})
