"""A picture with a world file, and its map in a .prj: what most programs for maps can read.

GDAL and QGIS read no .prj beside a PNG or JPEG, but an .aux.xml; so that is there too.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image

from geowhy.assets.files import appearing_whole
from geowhy.errors import ImageError
from geowhy.overlay.laid import LaidPicture
from geowhy.overlay.projection import affine_m, well_known_text

__all__ = ["WORLD_FILES", "write_with_world_file"]

WORLD_FILES = {".jpg": ".jgw", ".jpeg": ".jgw", ".png": ".pgw"}
QUALITY = 95  # of JPEG


def write_with_world_file(laid: LaidPicture, path: Path) -> tuple[Path, ...]:
    """Writes a picture, its world file, .prj and .aux.xml beside it; gives all four.

    Raises:
        ImageError: if a tilted picture would be a JPEG, which can't be transparent.
        OSError: if one can't be written.
    """
    level = laid.levelled()
    suffix = path.suffix.lower()
    if level.pixels.shape[2] == 4 and suffix != ".png":
        raise ImageError(
            laid.name, "is tilted, so that it has no straight edges on the map: name a .png or .tif"
        )
    with appearing_whole(path) as partial:
        Image.fromarray(level.pixels).save(
            partial, "PNG" if suffix == ".png" else "JPEG", quality=QUALITY
        )
    (a, b, c), (d, e, f) = affine_m(level.to_map)
    first = c + (a + b) / 2, f + (d + e) / 2  # the centre of the first pixel
    wkt = well_known_text(level.pose.lat_lon)
    beside = {
        path.with_suffix(WORLD_FILES[suffix]): "".join(f"{x!r}\n" for x in (a, d, b, e, *first)),
        path.with_suffix(".prj"): f"{wkt}\n",
        path.with_name(f"{path.name}.aux.xml"): (
            f"<PAMDataset>\n  <SRS>{escape(wkt)}</SRS>\n</PAMDataset>\n"
        ),
    }
    for name, content in beside.items():
        with appearing_whole(name) as partial:
            partial.write_text(content, encoding="utf-8")
    return path, *beside
