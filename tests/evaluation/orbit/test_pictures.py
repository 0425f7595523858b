"""Each real picture is right, refused or wrong; a broken manifest says where."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geowhy.answer import Abstention, Prediction, Scope
from geowhy.errors import DataError, ImageError
from geowhy.evaluation.orbit.pictures import (
    KnownPicture,
    PictureResult,
    known_pictures,
    measure_pictures,
)
from geowhy.evaluation.orbit.queries import QueryRow, cut_queries, drawn_poses
from geowhy.explanation import Explanation
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import reference_world
from geowhy.types import LatLon

HEAD = "id,kind,source,lat,lon,width_km,heading_deg\n"
KNOWN = KnownPicture(Path("a.png"), "modis", LatLon(10.0, 20.0), 1_000.0, 5.0)
NOWHERE = KnownPicture(Path("b.png"), "neg-moon", None, float("nan"), None)


def said(lat, *, abstained=False, **others):
    return Prediction(
        "a.png", LatLon(lat, 20.0), 60.0, 400.0, (), Explanation(0.0, (), 0.0), "tiny",
        Scope(1), Abstention("no_match", 0.9, 0.5) if abstained else None, verified=True,
        **others,
    )  # fmt: skip


def test_a_right_answer_with_its_errors():
    found = PictureResult.of(KNOWN, said(11.0, heading_deg=355.0, width_km=1_100.0))
    assert (found.verdict, found.verified, found.in_50, found.in_90) == ("right", True, False, True)
    assert found.error == pytest.approx(0.1112, abs=1e-4)
    assert found.heading_error_deg == pytest.approx(10.0)
    assert found.width_error == pytest.approx(0.1)


def test_a_wrong_one_and_a_refused_one():
    wrong = PictureResult.of(replace(KNOWN, heading_deg=None), said(14.0, heading_deg=1.0))
    assert (wrong.verdict, wrong.heading_error_deg, wrong.in_90) == ("wrong", None, False)
    assert PictureResult.of(KNOWN, said(10.0, abstained=True)).verdict == "refused"
    broken = PictureResult.of(KNOWN, ImageError("a.png", "is cut short"))
    assert (broken.verdict, broken.problem) == ("refused", "is cut short")


def test_no_place_is_right_for_a_negative():
    assert PictureResult.of(NOWHERE, said(10.0)).verdict == "wrong"
    refused = PictureResult.of(NOWHERE, said(10.0, abstained=True))
    assert (refused.verdict, refused.negative, refused.error) == ("refused", True, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two pictures of the reference, one half as high as wide; noise; and no picture."""
    path = tmp_path_factory.mktemp("pictures")
    poses = drawn_poses(QueryRow((2_100.0, 2_300.0)), 2, 3)
    square, whole = cut_queries(WorldPyramid(reference_world()), poses, "plain", 0, [0, 1])
    noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
    pictures = {"square.png": square, "half.jpg": whole[24:136], "noise.png": noise}
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(path / name)
    (path / "torn.png").write_bytes((path / "square.png").read_bytes()[:300])
    rows = [
        ",".join(["square", "modis", "me", *map(str, numbers(poses.one(0)))]),
        ",".join(["half", "goes", "me", *map(str, numbers(poses.one(1)))]),
        "noise,neg-noise,me,,,,",
        "torn,neg-noise,me,,,,",
    ]
    (path / "manifest.csv").write_text(HEAD + "\n".join(rows) + "\n")
    return path


def numbers(pose):
    return pose.lat_lon.lat, pose.lat_lon.lon, pose.width_km, pose.heading_deg


def test_a_small_model_on_a_folder(tiny_orbit, folder):
    told = []
    report = measure_pictures(str(tiny_orbit), folder, lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    square, half, noise, torn = report.results
    assert (square.picture, square.verdict) == ("square.png", "right")
    assert (half.picture, half.verdict) == ("half.jpg", "right")
    assert max(square.error, square.width_error, half.error, half.width_error) < 0.05
    assert (noise.verdict, noise.verified, torn.verdict) == ("refused", False, "refused")
    lines = report.table().splitlines()
    assert any(line.split()[:3] == ["square.png", "modis", "right"] for line in lines)
    assert lines[-3].split()[-6:] == ["2", "2", "0", "0", "2", "0"]
    assert lines[-2].split()[-6:] == ["2", "0", "2", "0", "0", "0"]
    assert lines[-1].startswith("radius 50 % holds 100%")


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("moon,modis,me,1,2,3,", "line 2: there is no picture moon"),
        ("square,modis,me,1,2,,", "line 2: could not convert"),
        ("square,modis,me,91,2,30,", "line 2: latitude 91.0"),
        ("square,modis,me,1,2,-3,", "line 2: a width of -3.0 km"),
        ("square,modis,me,1,2", "line 2: "),
        ("", "lists nothing"),
    ],
)
def test_a_broken_manifest_says_where(folder, row, wrong):
    path = folder / "manifest.csv"
    whole = path.read_text()
    path.write_text(f"{HEAD}{row}\n" if row else HEAD)
    try:
        with pytest.raises(DataError, match=f"manifest.csv: {wrong}"):
            known_pictures(folder)
    finally:
        path.write_text(whole)


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(DataError, match=r"manifest.csv: can't be read"):
        known_pictures(tmp_path)
    (tmp_path / "manifest.csv").write_text("id,kind\na,b\n")
    with pytest.raises(DataError, match="lacks the column lat"):
        known_pictures(tmp_path)
