"""Benchmarks of photographs: their lists, the files that are there, and what is expected."""

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD

from geowhy.engine import InputPolicy
from geowhy.errors import ConfigError, DataError
from geowhy.evaluation import photo_protocol as module
from geowhy.evaluation.benchmarks import BENCHMARKS, IM2GPS3K, OSV5M, OWN, YFCC26K, benchmark_of
from geowhy.evaluation.photo_list import PhotoList
from geowhy.evaluation.photo_protocol import photo_protocol, predictions_of_photos

PLACES = {"a_1@N00.jpg": (10.5, -20.25), "b.jpg": (-33.0, 151.0), "gone.jpg": (89.0, 180.0)}
ONE_BY_ONE = InputPolicy(None, 1)
DOCS = Path(__file__).parents[2] / "docs"


def write_list(path, header=("IMG_ID", "AUTHOR", "LAT", "LON"), rows=None):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        table.writerows(rows or [(name, "x", *place) for name, place in PLACES.items()])
    return path


@pytest.fixture
def album(tmp_path):
    """Two of the three listed photographs, one of them in a subfolder; and a damaged one."""
    (tmp_path / "45" / "77").mkdir(parents=True)
    Image.new("RGB", (30, 20), "teal").save(tmp_path / "a_1@N00.jpg")
    Image.new("RGB", (40, 20), "teal").save(tmp_path / "45" / "77" / "b.jpg")
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8 no picture")
    return tmp_path


def rows_of(protocol):
    return {row: pixels.shape for batch in protocol.batches() for row, pixels in batch.items()}


def test_an_official_list_is_read_and_the_part_that_is_there(album):
    listed = PhotoList.read(write_list(album / "im2gps3k_places365.csv"), IM2GPS3K)
    assert listed.ids == tuple(PLACES)
    np.testing.assert_array_equal(listed.truth, [*PLACES.values()])
    told = []
    protocol = photo_protocol(album, listed, IM2GPS3K, ONE_BY_ONE, lambda *done: told.append(done))
    assert rows_of(protocol) == {0: (20, 30, 3), 1: (20, 40, 3)}
    assert told == [(1, 2), (2, 2)]
    assert protocol.expected == 2_997
    assert protocol.name == (
        "Im2GPS3k, im2gps3k_places365.csv; 1 crop; errors on a sphere of 6371.0088 km"
    )
    ten = photo_protocol(album, listed, IM2GPS3K, InputPolicy(None, 4, 10), print)
    assert "mean score of 10 crops" in ten.name


def test_what_cannot_be_read_is_missing(album):
    rows = [("damaged.jpg", "", 1, 2), ("b.jpg", "", 3, 4)]
    listed = PhotoList.read(write_list(album / "l.csv", rows=rows), YFCC26K)
    assert rows_of(photo_protocol(album, listed, YFCC26K, InputPolicy(None, 4), print)) == {
        1: (20, 40, 3)
    }


def test_a_count_that_was_not_verified_is_told_and_not_expected(album):
    (album / "b.jpg").write_bytes((album / "45" / "77" / "b.jpg").read_bytes())
    (album / "45" / "77" / "b.jpg").unlink()
    path = write_list(album / "test.csv", ("id", "latitude", "longitude"), [("b", 1, 2)])
    listed = PhotoList.read(path, OSV5M)
    protocol = photo_protocol(album, listed, OSV5M, ONE_BY_ONE, print)
    assert rows_of(protocol) == {0: (20, 40, 3)}
    assert protocol.expected == 1
    assert "1 listed, 210,122 reported by others and not verified" in protocol.name


def test_your_own_list_has_columns_of_any_name(album):
    rows = [("a_1@N00.jpg", "1.5", "2.5")]
    path = write_list(album / "mine.csv", ("File", "Latitude", "lng"), rows)
    listed = PhotoList.read(path)
    assert (listed.ids, listed.truth.tolist()) == (("a_1@N00.jpg",), [[1.5, 2.5]])
    assert photo_protocol(album, listed, OWN, ONE_BY_ONE, print).expected == 1


def test_without_a_list_the_metadata_tell(album):
    exif = Image.Exif()
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "S",
            GPS.GPSLatitude: (1.0, 30.0, 0.0),
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: (10.0, 0.0, 0.0),
        }
    )
    Image.new("RGB", (8, 8)).save(album / "45" / "there.jpg", exif=exif)
    listed = PhotoList.of_metadata(album)
    assert listed.ids == ("45/there.jpg",)
    assert listed.truth == pytest.approx(np.array([[-1.5, 10.0]]))
    assert listed.name == "GPS positions of 1 of 4 photographs"


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (("IMG_ID", "LAT"), [("a", 1)], "no column lon among IMG_ID, LAT"),
        (("IMG_ID", "LAT", "LON"), [("a", 91, 0)], "line 2: a at 91, 0 is no place on Earth"),
        (("IMG_ID", "LAT", "LON"), [("a", "x", 0)], "has no file and two numbers"),
        (("IMG_ID", "LAT", "LON"), [("a", 1, 0), ("a", 1, 0)], "line 3: a is listed before"),
        (
            ("IMG_ID", "LAT", "LON"),
            [(f"{n}.jpg", 1, 0) for n in range(2_998)],
            "has 2,998 photographs, and Im2GPS3k has 2,997",
        ),
    ],
)
def test_another_list_is_refused(tmp_path, header, rows, said):
    with pytest.raises(DataError, match=said):
        PhotoList.read(write_list(tmp_path / "l.csv", header, rows), IM2GPS3K)


def test_a_list_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="can't be read"):
        PhotoList.read(tmp_path / "none.csv")
    with pytest.raises(DataError, match="no column path or file"):
        PhotoList.read(write_list(tmp_path / "l.csv", ("name", "lat", "lon"), [("a", 1, 2)]))


def test_two_files_of_one_name_are_told_apart_by_their_paths(album):
    (album / "other").mkdir()
    Image.new("RGB", (9, 9)).save(album / "other" / "b.jpg")
    listed = PhotoList.read(write_list(album / "l.csv"), IM2GPS3K)
    with pytest.raises(DataError, match=r"b\.jpg: is the name of 2 files"):
        listed.files(album)
    by_path = replace(listed, ids=("a_1@N00.jpg", "45/77/b.jpg", "gone.jpg"))
    assert by_path.files(album) == (album / "a_1@N00.jpg", album / "45" / "77" / "b.jpg", None)


def test_a_model_is_asked_with_its_own_options(album, monkeypatch):
    asked = []

    class Locator:
        def from_pretrained(model, **options):
            asked.append((model, options))
            gallery = SimpleNamespace(lat_lon=np.zeros((7, 2)))
            return SimpleNamespace(engine=SimpleNamespace(gallery=gallery, inputs=ONE_BY_ONE))

    def predictions_on(locator, protocol, split, gallery):
        asked.append((protocol.ids, protocol.expected, split, gallery))

    monkeypatch.setattr(module, "Locator", Locator)
    monkeypatch.setattr(module, "predictions_on", predictions_on)
    with pytest.raises(ConfigError, match="stands in its list: give it as --list FILE"):
        predictions_of_photos("m", album, "im2gps3k", None, {}, print)
    write_list(album / "im2gps3k_places365.csv")
    predictions_of_photos("m", album, "Im2GPS3k", None, {"crops": 10}, print)
    assert asked[0] == ("m", {"gallery": None, "on_progress": None, "crops": 10})
    assert asked[1] == (tuple(PLACES), 2_997, "im2gps3k", "7 places, the model's own")
    with pytest.raises(DataError, match="no such folder"):
        predictions_of_photos("m", album / "none", "own", None, {}, print)
    with pytest.raises(ConfigError, match="no benchmark 'im2gps4k': choose one of im2gps, "):
        predictions_of_photos("m", album, "im2gps4k", None, {}, print)


def test_every_benchmark_says_what_is_known_and_what_is_not():
    assert len({each.name for each in BENCHMARKS}) == len(BENCHMARKS) == 7
    for each in BENCHMARKS:
        assert benchmark_of(each.name) is each
        assert each.get
        assert not each.counted or (each.photos and each.list)
        says_so = any("count" in words for words in each.unverified)
        assert each is OWN or says_so != each.counted


def test_the_page_has_every_benchmark():
    page = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    for each in BENCHMARKS:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{each.name}`"))
        if each.photos:
            assert f"{each.photos:,}" in row
            assert ("not verified" in row) != each.counted
        if each.list:
            assert f"`{each.list.file}`" in row
            assert f"`{each.list.id}`" in row
    assert "](evaluation.md" in (DOCS / "command-line.md").read_text(encoding="utf-8")
