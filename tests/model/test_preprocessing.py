import json

import numpy as np
import pytest

from geowhy.errors import ModelFormatError
from geowhy.model.preprocessing import Preprocessing

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
    ],
)
def test_impossible_values_are_refused(values):
    with pytest.raises(ModelFormatError, match="preprocessing"):
        Preprocessing.from_json(values)
