"""Photographs with their positions: which are found, how they are divided and embedded."""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geowhy.errors import ConfigError, DataError
from geowhy.geo.cells import ten_degree_cell
from geowhy.training import features
from geowhy.training.config import PhotosConfig, SplitConfig
from geowhy.training.features import embed_photos
from geowhy.training.photos import PhotoManifest, divide_photos, read_photos
from geowhy.training.views import SPLITS, cell_splits

SPLIT = SplitConfig(margin="none", test_views=10, validation_views=10)


def save(path, exif=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (90, 120, 60)).save(path, **({"exif": exif} if exif else {}))


def gps(lat, lon):
    """An EXIF block with a position; latitudes beyond 90 can be written too."""
    tags = Image.Exif()
    signs = ("N" if lat >= 0 else "S", "E" if lon >= 0 else "W")
    tags.get_ifd(0x8825).update(
        {1: signs[0], 2: (abs(lat), 0.0, 0.0), 3: signs[1], 4: (abs(lon), 0.0, 0.0)}
    )
    return tags.tobytes()


def table(path, header, *rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path, **more):
    return read_photos(PhotosConfig(manifest=str(path), **more))


@pytest.fixture
def folder(tmp_path):
    """A folder with photographs a.jpg, b.jpg and sub/c.jpg."""
    for name in ("a.jpg", "b.jpg", "sub/c.jpg"):
        save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "header",
    [
        ["path", "lat", "lon"],
        ["IMG_ID", "LAT", "LON"],
        ["file", "latitude", "Longitude"],
        [" Image ", "Lat", "lng"],
    ],
)
def test_columns_may_have_several_names(header, folder):
    path = table(folder / "m.csv", [*header, "note"], ["sub/c.jpg", "-33.5", "151", "x, y"])
    photos, findings = read(path)
    assert photos.centres.tolist() == [[-33.5, 151.0]]
    assert photos.files == (str(folder / "sub" / "c.jpg"),)
    assert photos.sizes.tolist() == [(folder / "sub" / "c.jpg").stat().st_size]
    assert findings == "found 1 of 1 photos"


@pytest.mark.parametrize("kind", [float, str])
def test_parquet_files_do_too(kind, folder):
    columns = {"lon": [kind(2.5), kind(9)], "path": ["a.jpg", "b.jpg"], "lat": [kind(1), kind(99)]}
    pq.write_table(pa.table(columns), folder / "m.parquet")
    photos, findings = read(folder / "m.parquet")
    assert photos.centres.tolist() == [[1.0, 2.5]]
    assert findings.startswith("found 1 of 2 photos")


def test_paths_may_start_elsewhere(folder, tmp_path_factory):
    path = table(tmp_path_factory.mktemp("else") / "m.csv", ["path", "lat", "lon"], ["a.jpg", 1, 2])
    photos, _ = read(path, root=str(folder))
    assert photos.files == (str(folder / "a.jpg"),)
    with pytest.raises(DataError, match=r"not one photo can be used(.|\n)*no such file"):
        read(path)


def test_what_is_left_out_is_counted_by_kind_with_the_first_example(folder):
    rows = [
        ["a.jpg", 10, 20],
        ["gone.jpg", 10, 20],
        ["b.jpg", 91, 20],
        ["b.jpg", 10, -180.5],
        ["b.jpg", "north", ""],
        ["b.jpg", "nan", 3],
        ["b.jpg", 10],
        ["", 10, 20],
        ["a.jpg", 10, 20],
        [],
        ["gone-too.jpg", 10, 20],
    ]
    photos, text = read(table(folder / "m.csv", ["path", "lat", "lon"], *rows))
    assert photos.names == ("a.jpg",)
    assert text.startswith("found 1 of 10 photos\n")
    assert f"2: no such file; the first is {folder / 'gone.jpg'}" in text
    assert "4: coordinates that are no place on Earth; the first is b.jpg at 91, 20" in text
    assert "1: a row of another length than the header; the first is line 8: b.jpg,10" in text
    assert "1: no path; the first is that at 10, 20" in text
    assert "1: listed before; the first is a.jpg" in text


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["path", "lat"], "no column for the longitude among path, lat: name one of them lon"),
        (["lat", "lon"], "no column for the path"),
        (["path", "lat", "latitude", "lon"], r"several columns \(lat and latitude\)"),
        ([], "among no columns at all"),
    ],
)
def test_a_table_without_the_columns_is_refused(header, message, folder):
    with pytest.raises(DataError, match=message):
        read(table(folder / "m.csv", header, ["a.jpg", 1, 2]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.csv", None, "can't be read .*: photos.manifest takes"),
        ("m.csv", b"path,lat,lon\n\xff\xfe,1,2\n", "not CSV in UTF-8"),
        ("m.parquet", b"path,lat,lon\n", "not a parquet file"),
    ],
)
def test_what_is_no_table_is_refused(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


@pytest.mark.parametrize("listed", ["3e_aa_12_3.jpg", "3e/aa/12_3.jpg"])
@pytest.mark.parametrize("stored", ["3e_aa_12_3.jpg", "3e/aa/12_3.jpg"])
def test_mp_16_is_read_as_published(listed, stored, tmp_path):
    save(tmp_path / "images" / stored)
    header = ["IMG_ID", "AUTHOR", "LAT", "LON", "S3_Label", "Prob_indoor"]
    row = [listed, "66853863@N00", "48.85", "2.29", 1, 0.1]
    path = table(tmp_path / "mp16_places365.csv", header, row)
    photos, _ = read(path, root=str(tmp_path / "images"), dataset="mp-16")
    assert photos.files == (str(tmp_path / "images" / stored),)
    assert photos.centres.tolist() == [[48.85, 2.29]]


def test_a_folder_is_read_by_the_metadata_of_its_photos(tmp_path):
    save(tmp_path / "sydney.jpg", gps(-33.5, 151.0))
    save(tmp_path / "deep" / "paris.JPG", gps(48.5, 2.25))
    save(tmp_path / "anywhere.png")
    save(tmp_path / "nowhere.jpg", gps(95.0, 2.0))
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "broken.jpg").write_bytes(b"no photo either")
    photos, text = read(tmp_path)
    assert photos.names == ("deep/paris.JPG", "sydney.jpg")
    assert photos.centres.tolist() == [[48.5, 2.25], [-33.5, 151.0]]
    assert text.startswith("found 2 of 5 photos\n")
    assert "1: no GPS position in its metadata; the first is anywhere.png" in text
    assert "2: unreadable; the first is broken.jpg, which is" in text


@pytest.mark.parametrize("more", [{"root": "elsewhere"}, {"dataset": "mp-16"}])
def test_what_is_for_tables_is_refused_for_a_folder(more, tmp_path):
    with pytest.raises(ConfigError, match=r"photos.root and photos.dataset are for CSV"):
        read(tmp_path, **more)


def of_cells(*counts, seed=0):
    """A manifest of so many photographs in each of some cells; no file is there."""
    rng = np.random.default_rng(seed)
    corners = [(-40 + 10 * (i % 9), -170 + 20 * i) for i in range(len(counts))]
    centres = np.concatenate(
        [np.array(c) + rng.uniform(0, 9, (n, 2)) for c, n in zip(corners, counts, strict=True)]
    )
    names = tuple(f"{number}.jpg" for number in range(len(centres)))
    sizes, split = np.ones(len(names), np.int64), np.full(len(names), 4, np.int8)
    return PhotoManifest(centres, split, names, names, sizes)


@pytest.mark.parametrize("cells", range(3, 14))
def test_however_few_cells_there_are_every_split_gets_one(cells):
    split = cell_splits(of_cells(*[3] * cells).centres, SPLIT)
    assert {SPLITS[i] for i in split} == {"train", "validation", "test"}


def test_whole_cells_are_held_out():
    photos = of_cells(*[9] * 12)
    divided = divide_photos(photos, {}, SPLIT)
    cells = ten_degree_cell(photos.centres)
    train, held_out = divided.rows("train"), np.flatnonzero(divided.split != 0)
    assert not np.intersect1d(cells[train], cells[held_out]).size
    assert len(divided.rows("test")) == 10  # the most that are asked for
    assert len(divided.rows("unused")) > 0
    assert len(divided.rows("validation")) == 9


def test_a_refit_holds_out_the_test_photos_alone():
    photos = of_cells(*[9] * 12)
    refit = SPLIT.model_copy(update={"refit": True})
    first, final = (divide_photos(photos, {}, refit, final=final) for final in (False, True))
    assert np.array_equal(first.rows("test"), final.rows("test"))
    assert set(first.rows("validation")) < set(final.rows("train"))
    assert first.digest != final.digest
    assert first.content_digest == final.content_digest


def test_an_unreadable_photo_is_in_no_split():
    divided = divide_photos(of_cells(*[9] * 12), {5: "is broken", 20: "is too"}, SPLIT)
    assert divided.rows("unreadable").tolist() == [5, 20]


def test_too_few_photos_or_cells_are_refused():
    with pytest.raises(ConfigError, match="80 readable photos lie in 2 cells of 10°"):
        divide_photos(of_cells(40, 40), {}, SPLIT)
    with pytest.raises(ConfigError, match=r"split.seed = 0 .* 3 for train, .* 20 photos or more"):
        divide_photos(of_cells(3, 3, 3), {}, SPLIT)


def test_a_manifest_survives_the_file(tmp_path):
    divided = divide_photos(of_cells(*[9] * 12), {5: "is broken"}, SPLIT)
    divided.save(tmp_path / "photos.parquet")
    again = PhotoManifest.load(tmp_path / "photos.parquet")
    assert again.files == divided.files
    assert again.digest == divided.digest
    (tmp_path / "photos.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a manifest of photos"):
        PhotoManifest.load(tmp_path / "photos.parquet")


class Counting:
    """A backbone whose one feature is the mean of a picture; it counts, and can break."""

    name, preprocessing, feature_size, digest = "mean", "as it is", 1, "0"

    def __init__(self, breaks_at=None):
        self.seen, self.breaks_at = 0, breaks_at

    def embed(self, pixels):
        self.seen += len(pixels)
        if self.breaks_at is not None and self.seen >= self.breaks_at:
            raise KeyboardInterrupt
        return np.array([[p.mean()] for p in pixels], np.float32)


@pytest.fixture
def ten_photos(tmp_path, monkeypatch):
    """Ten grey photographs, 10 to 19 bright, of which the fourth can't be read; shards of three."""
    monkeypatch.setattr(features, "PHOTOS_PER_SHARD", 3)
    files = []
    for number in range(10):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (20, 20), (10 + number,) * 3).save(files[-1])
    files[3].write_bytes(files[3].read_bytes()[:40])
    rows = [[file.name, 1, number] for number, file in enumerate(files)]
    return read(table(tmp_path / "m.csv", ["path", "lat", "lon"], *rows))[0]


def test_an_unreadable_photo_stops_nothing_and_says_why(ten_photos, tmp_path):
    told = []
    store = embed_photos(ten_photos, Counting(), "0", tmp_path, lambda *p: told.append(p))
    assert list(store.unreadable) == [3]
    assert store.unreadable[3]
    assert store.read(np.array([9, 0, 4]))[:, 0].tolist() == [19, 10, 14]
    assert told[-1] == (10, 10)


def test_a_broken_extraction_goes_on_where_it_stopped(ten_photos, tmp_path):
    def embed(backbone, digest="0"):
        return embed_photos(ten_photos, backbone, digest, tmp_path, lambda *p: None)

    with pytest.raises(KeyboardInterrupt):
        embed(Counting(breaks_at=5))
    rest = Counting()
    store = embed(rest)
    assert rest.seen == 6  # all but the first shard and the unreadable one
    assert list(store.unreadable) == [3]
    assert store.read(np.arange(10))[:, 0].tolist() == [10, 11, 12, 0, 14, 15, 16, 17, 18, 19]
    nothing = Counting()
    assert embed(nothing).unreadable == store.unreadable
    assert nothing.seen == 0
    other = Counting()
    embed(other, "another backbone's")
    assert other.seen == 9


def test_another_photo_of_the_same_name_is_embedded_anew(ten_photos, tmp_path):
    embed_photos(ten_photos, Counting(), "0", tmp_path, lambda *p: None)
    noise = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    Image.fromarray(pixels).save(noise, "png")
    (tmp_path / "0.png").write_bytes(noise.getvalue())
    changed, _ = read(tmp_path / "m.csv")
    again = Counting()
    embed_photos(changed, again, "0", tmp_path, lambda *p: None)
    assert again.seen == 9
