"""Makes the pictures of ``geowhy demo``: real ones from orbit, cut ones, and two to be refused.

    python scripts/build_demo.py --pictures FOLDER --photo chelsea.png

The folder has a ``manifest.csv``: id, kind, source, licence, lat, lon, width_km, heading_deg. Taken
are the first pictures of each kind in the public domain, in its order, before any model saw them:
how well a model does on them plays no part. Two more are cut at random from the world `xplanet`,
which no network was trained on (``geowhy models get worlds``). The photograph is
``skimage/data/chelsea.png`` of PyPI ``scikit-image``.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from geowhy.errors import DataError
from geowhy.evaluation.orbit.queries import QueryRow, cut_queries, drawn_poses
from geowhy.geo.places import Gazetteer
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.reading import read_image
from geowhy.images.worlds import open_world

OUTPUT = Path(__file__).parent.parent / "src" / "geowhy" / "data" / "demo"
PHOTO_SIDE, PICTURE_SIDE = 256, 512  # pixels of the longer side
JPEG_QUALITY = 88
PUBLIC = "public domain"
SEED = 2026
CUT_WIDTHS_KM = ((600.0, 1_200.0), (1_200.0, 2_500.0))
# Kind, how many of it, what it is called, and whose it is.
CHOSEN = (
    ("modis", 2, "MODIS, true colour", "NASA GIBS"),
    ("goes", 1, "GOES-16, one band of a storm sector", "NOAA"),
    ("landsat", 1, "Landsat 7, with a black collar", "U.S. Geological Survey"),
    ("neg-planet", 1, "The Moon, which is nowhere on Earth", "NASA, Clementine mission"),
)


def main() -> None:
    """Read the command line and write the pictures with their list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--photo", type=Path, required=True, help="chelsea.png")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the pictures")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    listed = [
        *write_cuts(given.output),
        *(write_picture(row, given.pictures, given.output) for row in chosen(given.pictures)),
        write_photograph(given.photo, given.output),
    ]
    text = json.dumps(listed, indent=2, ensure_ascii=False)
    (given.output / "demo.json").write_text(text + "\n", encoding="utf-8")


def write_cuts(output: Path) -> Iterator[dict[str, Any]]:
    """The first picture of each of some widths that a seed draws, and its entry in the list."""
    world, gazetteer = WorldPyramid(open_world("xplanet")), Gazetteer.load()
    for widths_km in CUT_WIDTHS_KM:
        poses = drawn_poses(QueryRow(widths_km), 1, SEED)
        picture = cut_queries(world, poses, "plain", SEED, [0])[0]
        pose = poses.one(0)
        file = f"blue-marble-{round(pose.width_km)}-km.jpg"
        Image.fromarray(picture).save(output / file, quality=JPEG_QUALITY, optimize=True)
        where = gazetteer.describe(poses.lat_lon[0])
        yield {
            "file": file,
            "kind": "cut",
            "caption": f"Cut from the Blue Marble of 2002, {pose.width_km:,.0f} km wide, {where}",
            "lat": round(pose.lat_lon.lat, 4),
            "lon": round(pose.lat_lon.lon, 4),
            "width_km": round(pose.width_km),
            "heading_deg": round(pose.heading_deg, 1),
            "credit": "NASA, by way of Debian xplanet-images",
            "licence": "Public domain",
        }


def chosen(folder: Path) -> Iterator[dict[str, str]]:
    """Rows of the manifest, with what a picture is called and whose it is.

    Raises:
        DataError: if there are too few of a kind.
    """
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for kind, count, called, credit in CHOSEN:
        found = [row for row in rows if row["kind"] == kind and PUBLIC in row["licence"]][:count]
        if len(found) < count:
            raise DataError(f"{folder}: {len(found)} pictures of the kind {kind}: {count} needed")
        yield from ({**row, "called": called, "credit": credit} for row in found)


def write_picture(row: dict[str, str], folder: Path, output: Path) -> dict[str, Any]:
    """A picture as a JPEG, and its entry in the list."""
    file = f"{row['id'].removeprefix('neg_').replace('_', '-')}.jpg"
    _write_small(folder / f"{row['id']}.jpg", output / file, PICTURE_SIDE)
    entry: dict[str, Any] = {
        "file": file,
        "kind": row["kind"],
        "caption": row["called"],
        "lat": None,
        "lon": None,
        "width_km": None,
        "heading_deg": None,
        "credit": f"{row['credit']}, by way of {row['source']}",
        "licence": "Public domain",
    }
    if row["lat"]:
        lat_lon = (float(row["lat"]), float(row["lon"]))
        where = Gazetteer.load().describe(lat_lon)
        width_km = round(float(row["width_km"]))
        entry |= {
            "caption": f"{row['called']}, {width_km:,} km wide, {where}",
            "lat": lat_lon[0],
            "lon": lat_lon[1],
            "width_km": width_km,
            "heading_deg": float(row["heading_deg"]),
        }
    return entry


def write_photograph(source: Path, output: Path) -> dict[str, Any]:
    """The photograph as a small JPEG, and its entry in the list."""
    file = "photograph-cat.jpg"
    _write_small(source, output / file, PHOTO_SIDE)
    return {
        "file": file,
        "kind": "photograph",
        "caption": "Photograph of a cat, which shows no ground from above",
        "lat": None,
        "lon": None,
        "width_km": None,
        "heading_deg": None,
        "credit": "Chelsea the cat, photograph by Stéfan van der Walt, by way of scikit-image",
        "licence": "CC0",
    }


def _write_small(source: Path, target: Path, side: int) -> None:
    picture = Image.fromarray(read_image(source).pixels)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    picture.save(target, quality=JPEG_QUALITY, optimize=True)


if __name__ == "__main__":
    main()
