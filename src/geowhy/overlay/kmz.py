"""KMZ for globes: a picture as a ground overlay, drawn anew in latitude and longitude.

A globe can also stretch an unchanged picture between its four corners (gx:LatLonQuad). But between
them it is straight in degrees, which the ground isn't: at 50° north that is off by 0.4 % of the
width for 150 km and by 3 % for 1,000 km. So the picture is drawn anew on a box of latitudes and
longitudes, whose every pixel is right, and transparent where the picture isn't.
"""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from PIL import Image

from geowhy.arrays import Floats64, Pixels
from geowhy.assets.files import appearing_whole
from geowhy.geo.sphere import EARTH_RADIUS_KM, wrap_longitude
from geowhy.overlay.laid import MOST_PIXELS, LaidPicture
from geowhy.overlay.warping import warped

__all__ = ["LatLonBox", "on_degrees", "write_kmz"]

ALL_AROUND_DEG = 300.0  # of longitude: then an edge runs around a pole
EDGE_POINTS = 512  # of each side of a picture
KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180
PICTURE, DOCUMENT = "picture.png", "doc.kml"
NAMESPACE = "http://www.opengis.net/kml/2.2"

LatLonBox = tuple[float, float, float, float]
"""South, west, north and east, degrees; across the antimeridian, east is beyond 180."""


def write_kmz(laid: LaidPicture, path: Path, title: str, words: str) -> None:
    """Writes a picture as a ground overlay, with what a balloon says of it.

    Raises:
        OSError: if it can't be written.
    """
    pixels, box = on_degrees(laid.shrunk(MOST_PIXELS))
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    with appearing_whole(path) as partial, ZipFile(partial, "w", ZIP_STORED) as archive:
        archive.writestr(DOCUMENT, _document(box, title, words))
        archive.writestr(PICTURE, png.getvalue())


def on_degrees(laid: LaidPicture) -> tuple[Pixels, LatLonBox]:
    """A picture drawn anew with latitude by row and longitude by column, ``[h, w, 4]``; its box.

    Around a pole the box spans all longitudes.
    """
    south, west, north, east = box = _box(laid)
    # As fine as the picture at its centre and, of longitudes, at the widest parallel.
    fine = laid.pose.width_km / max(laid.shape)
    broadest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    down = (north - south) * KM_PER_DEGREE
    across = (east - west) * KM_PER_DEGREE * np.cos(np.radians(broadest))
    height, width = (int(np.clip(np.ceil(km / fine), 1, MOST_PIXELS)) for km in (down, across))

    def source(target: Floats64) -> Floats64:
        lat = north - target[:, 1] * (north - south) / height
        lon = west + target[:, 0] * (east - west) / width
        return laid.pixel(np.stack([lat, lon], axis=-1))

    return warped(laid.pixels, (height, width), source), box


def _box(laid: LaidPicture) -> LatLonBox:
    """What holds all of a picture."""
    corners, share = laid.corners, np.arange(EDGE_POINTS)[:, None] / EDGE_POINTS
    sides = [a + share * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    edge = laid.ground(np.vstack([*sides, corners[:1]]))
    lon = np.degrees(np.unwrap(np.radians(edge[:, 1])))
    # Between two of its points an edge bulges by less than a pixel.
    room = laid.pose.width_km / max(laid.shape) / KM_PER_DEGREE
    south, north = float(edge[:, 0].min() - room), float(edge[:, 0].max() + room)
    poles = laid.pixel([(-90.0, 0.0), (90.0, 0.0)])
    has_south, has_north = np.all((poles >= 0) & (poles <= laid.shape[::-1]), axis=1).tolist()
    south, north = (-90.0 if has_south else south), (90.0 if has_north else north)
    if np.ptp(lon) > ALL_AROUND_DEG:
        return max(south, -90.0), -180.0, min(north, 90.0), 180.0
    west, east = float(lon.min()), float(lon.max())
    turn = west - float(wrap_longitude(west))
    return max(south, -90.0), west - turn, min(north, 90.0), east - turn


def _document(box: LatLonBox, title: str, words: str) -> bytes:
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.Element(f"{{{NAMESPACE}}}kml")
    overlay = ElementTree.SubElement(root, f"{{{NAMESPACE}}}GroundOverlay")

    def add(parent: ElementTree.Element, name: str, text: str = "") -> ElementTree.Element:
        child = ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        child.text = text or None
        return child

    add(overlay, "name", title)
    add(overlay, "description", words)
    add(add(overlay, "Icon"), "href", PICTURE)
    south, west, north, east = box
    sides = add(overlay, "LatLonBox")
    for name, degrees in (("north", north), ("south", south), ("east", east), ("west", west)):
        add(sides, name, repr(degrees))
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))
