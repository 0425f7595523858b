import json

import numpy as np
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from geowhy.errors import ModelFormatError
from geowhy.model.preprocessing import CLIP_PREPROCESSING, Preprocessing, ten_crops
from geowhy.model.store import ModelFolder
from geowhy.registry import resolve_model

PREPROCESSING = Preprocessing(size=32, mean=127.0, std=128.0)


def random_stack(count, height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def test_values_of_the_right_size_are_only_normalised():
    stack = random_stack(2, 32, 32)
    expected = (stack.astype(np.float32).transpose(0, 3, 1, 2) - 127) / 128
    out = PREPROCESSING(stack)
    assert out.dtype == np.float32
    assert (out == expected).all()


def test_one_and_many_give_the_same_numbers():
    stack = random_stack(5, 40, 64)
    many = PREPROCESSING(stack)
    assert all(
        (PREPROCESSING([picture])[0] == row).all() for picture, row in zip(stack, many, strict=True)
    )


def test_pictures_of_different_sizes_go_together():
    pictures = [random_stack(1, h, w)[0] for h, w in ((20, 30), (500, 7), (1, 1))]
    assert PREPROCESSING(pictures).shape == (3, 3, 32, 32)


def test_the_centre_is_kept():
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 255
    assert (PREPROCESSING([picture]) == 1.0).all()


def test_shrinking_does_not_alias():
    stripes = np.zeros((320, 320, 3), np.uint8)
    stripes[:, ::2] = 254
    assert PREPROCESSING([stripes]).std() < 0.05


def test_nothing_gives_nothing():
    assert PREPROCESSING([]).shape == (0, 3, 32, 32)


def test_read_only_pictures_are_taken_and_stay():
    picture = random_stack(1, 32, 32)[0]
    picture.flags.writeable = False
    before = picture.copy()
    PREPROCESSING([picture])
    assert (picture == before).all()


def test_json_round_trip():
    assert Preprocessing.from_json(json.loads(json.dumps(PREPROCESSING.to_json()))) == PREPROCESSING


@pytest.mark.parametrize(
    "values",
    [
        {"size": 32, "mean": 1.0},
        {"size": 32, "mean": 1.0, "std": 1.0, "crop": 3},
        {"size": 0, "mean": 1.0, "std": 1.0},
        {"size": 3.5, "mean": 1.0, "std": 1.0},
        {"size": 32, "mean": 1.0, "std": 0.0},
        {"size": 32, "mean": float("nan"), "std": 1.0},
        {"size": 32, "mean": "x", "std": 1.0},
        {"size": 32, "mean": None, "std": 1.0},
        {"size": 32, "mean": [1.0, 2.0], "std": 1.0},
        {"size": 32, "mean": 1.0, "std": [1.0, 0.0, 1.0]},
        {"size": 32, "mean": [1.0, "x", 1.0], "std": 1.0},
        {"size": 32, "mean": 1.0, "std": 1.0, "resampling": "nearest"},
        {"size": 32, "mean": 1.0, "std": 1.0, "crop": "never"},
        {"size": 32, "mean": 1.0, "std": 1.0, "crop": ["after"]},
    ],
)
def test_impossible_values_are_refused(values):
    with pytest.raises(ModelFormatError, match="preprocessing"):
        Preprocessing.from_json(values)


PICTURE_SHAPES = [
    (224, 224), (640, 480), (479, 641), (333, 1000), (1001, 335), (225, 224), (223, 300), (31, 47),
    (2, 3), (1, 1), (226, 3000),
]  # fmt: skip


def photograph(height, width, seed=0):
    """Smooth colours with grain, as a camera gives."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return np.clip(smooth + rng.integers(-20, 21, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reference():
    """Transformers' own, without torchvision."""
    return CLIPImageProcessorPil()


@pytest.mark.parametrize(("height", "width"), PICTURE_SHAPES)
def test_clip_pixels_are_those_of_transformers(reference, height, width):
    picture = photograph(height, width)
    expected = reference(Image.fromarray(picture))["pixel_values"][0]
    found = CLIP_PREPROCESSING([picture])[0]
    assert np.abs(found - expected).max() <= 1e-5


def test_clip_pixels_of_a_grey_picture(reference):
    grey = np.repeat(photograph(301, 402)[..., :1], 3, axis=2)
    expected = reference(Image.fromarray(grey[..., 0], "L"))["pixel_values"][0]
    assert np.abs(CLIP_PREPROCESSING([grey])[0] - expected).max() <= 1e-5


def test_a_strip_takes_no_memory_and_is_its_centre():
    strip = np.zeros((3, 90_001, 3), np.uint8)
    strip[:, 45_000 - 60 : 45_000 + 60] = 255
    white = CLIP_PREPROCESSING([np.full((9, 9, 3), 255, np.uint8)])
    assert (CLIP_PREPROCESSING([strip]) == white).all()


def test_clip_json_round_trip():
    values = json.loads(json.dumps(CLIP_PREPROCESSING.to_json()))
    assert Preprocessing.from_json(values) == CLIP_PREPROCESSING


@pytest.mark.parametrize("crop", ["before", "after"])
@pytest.mark.parametrize("shape", [(224, 224), (300, 500), (501, 300), (7, 224), (20, 1001)])
def test_seen_is_the_part_of_the_picture_that_comes_out(shape, crop):
    """Each pixel holds its own place, which must be the one that the square has there."""
    preprocessing = Preprocessing(size=56, mean=0.0, std=255.0, crop=crop)
    height, width = shape
    rows, columns = ((np.arange(n) + 0.5) / n * 255 for n in shape)
    picture = np.zeros((height, width, 3))
    picture[..., 0], picture[..., 1] = rows[:, None], columns[None]
    square = preprocessing([picture.round().astype(np.uint8)])[0]
    top, left, bottom, right = preprocessing.seen(height, width)
    middles = (np.arange(56) + 0.5) / 56
    inner = slice(6, -6)  # at the picture's own edge the filter has but one side of them
    found = square[0].mean(1), square[1].mean(0)
    for place, (start, end) in zip(found, [(top, bottom), (left, right)], strict=True):
        expected = start + (end - start) * middles
        assert np.abs(place - expected)[inner].max() < 0.005


def test_seen_is_all_of_a_square():
    assert CLIP_PREPROCESSING.seen(640, 640) == PREPROCESSING.seen(3, 3) == (0, 0, 1, 1)


def test_json_of_older_models_is_what_it_was():
    assert PREPROCESSING.to_json() == {"size": 32, "mean": 127.0, "std": 128.0}


def as_before(preprocessing, picture):
    """How pictures were brought into shape when a model's config.json had three entries."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    size = (preprocessing.size, preprocessing.size)
    resized = np.asarray(Image.fromarray(square).resize(size, Image.Resampling.BILINEAR))
    values = resized.transpose(2, 0, 1).astype(np.float32)
    return (values - np.float32(preprocessing.mean)) / np.float32(preprocessing.std)


@pytest.mark.parametrize(("height", "width"), PICTURE_SHAPES)
def test_the_embedded_model_sees_the_same_pixels_as_ever(height, width):
    section = ModelFolder.open(resolve_model("embedded")).section("model")
    preprocessing = Preprocessing.from_json(section["preprocessing"])
    picture = photograph(height, width)
    assert (preprocessing([picture])[0] == as_before(preprocessing, picture)).all()


def test_ten_crops_are_corners_centre_and_mirror_images():
    picture = photograph(256, 300)
    crops = ten_crops(picture)
    assert crops.shape == (10, 224, 224, 3)
    places = [(0, 0), (0, 76), (32, 0), (32, 76), (16, 38)]
    for number, (top, left) in enumerate(places):
        expected = picture[top : top + 224, left : left + 224]
        assert (crops[number] == expected).all()
        assert (crops[5 + number] == expected[:, ::-1]).all()


@pytest.mark.parametrize(("height", "width"), PICTURE_SHAPES)
def test_ten_crops_of_any_picture_are_only_normalised(height, width):
    crops = ten_crops(photograph(height, width))
    assert crops.dtype == np.uint8
    mean, std = (np.array(v) for v in (CLIP_PREPROCESSING.mean, CLIP_PREPROCESSING.std))
    expected = ((crops - mean) / std).transpose(0, 3, 1, 2)
    assert np.abs(CLIP_PREPROCESSING(crops) - expected).max() <= 1e-5


def test_ten_crops_shrink_to_the_shorter_side():
    picture = np.zeros((512, 1024, 3), np.uint8)
    picture[:, :512] = 255
    crops = ten_crops(picture)
    assert (crops[[0, 2, 5, 7]] == 255).all()
    assert (crops[[1, 3, 6, 8]] == 0).all()
    assert (crops[4, :, :100] == 255).all()
    assert (crops[4, :, 124:] == 0).all()
