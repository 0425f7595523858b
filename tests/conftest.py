"""What tests of several parts share: a small Earth to train on, and what is trained there."""

import os

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from geowhy.concepts.bank import ConceptBank
from geowhy.export.backbone_export import LITE
from geowhy.geo.atlas import Atlas
from geowhy.training.run import train

from .export.lite import EfficientNetLite
from .orbit.tiny_model import write_tiny_model

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("geowhy", deadline=None)
settings.load_profile("geowhy")

CONFIG = """
name = "tiny"
vocabulary = "{vocabulary}"
backbone = "efficientnet-lite0"
[views]
count = 700
size = 32
km_per_pixel = 10.0
[split]
test_views = 40
validation_views = 40
margin = "none"
refit = true
[location]
sigmas = [0.5, 2.0]
fourier = 16
hidden = 32
depth = 1
size = 24
surroundings = 32
dropout = 0.2
pretraining_steps = 30
pretraining_batch = 64
[alignment]
whitened = 24
hidden = 32
concept_hidden = 16
summary_dropout = 0.3
symmetries = true
target_sigma_km = 800.0
[place_reader]
steps = 40
batch = 64
hidden = 16
size = 8
[optimiser]
steps = 24
batch = 64
queue = 128
validate_every = 6
patience = 4
[gallery]
size = 600
"""

CONCEPTS = {  # common ones, for a few hundred views shall hold and lack each of them
    "hot": "temperature_mean > 20",
    "freezing": "temperature_mean < 0",
    "dry": "precipitation < 400",
    "rainy": "precipitation > 1000",
    "green": "ndvi_max > 0.6",
    "lowland": "elevation < 300",
    "arid": "koppen_5 == 'B arid'",
    "warmth": "temperature_mean",
    "left": "driving_side == 'left'",
}
FROM_ABOVE = [name for name in CONCEPTS if name != "left"]


def vocabulary_text():
    """One file of concepts."""
    entries = ['category = "a few"']
    for name, grounding in CONCEPTS.items():
        entries.append(
            f'[[concept]]\nid = "{name}"\nname = "{name}"\ndefinition = "It is {name}."\n'
            f'prompts = ["{name}", "very {name}", "quite {name}"]\ngrounding = "{grounding}"\n'
            f"from_above = {str(name in FROM_ABOVE).lower()}\n"
        )
    return "\n".join(entries)


def painted_earth():
    """A world image, 270 × 540, whose colours are temperature, greenness and rain."""
    lat = 90 - (np.arange(270) + 0.5) * 180 / 270
    lon = (np.arange(540) + 0.5) * 360 / 540 - 180
    points = np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1).reshape(-1, 2)
    atlas = Atlas.load()
    channels = [
        np.nan_to_num(scale * atlas.layer(name).at(points) + shift, nan=0.0)
        for name, scale, shift in (
            ("temperature_mean", 4.0, 120.0),
            ("ndvi_max", 220.0, 20.0),
            ("precipitation", 0.06, 10.0),
        )
    ]
    pixels = np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels.reshape(270, 540, 3))


@pytest.fixture(scope="session")
def make_bank():
    """Makes a bank of directions ``[d, k]``; concepts are a, b, c, …"""

    def make(directions):
        names = tuple("abcdefghij"[: directions.shape[1]])
        kept = np.asarray(directions, np.float16).astype(np.float32)
        return ConceptBank(names, names, ("letters",) * len(names), kept, "grounded", "0")

    return make


@pytest.fixture(scope="session")
def small_earth(tmp_path_factory):
    """A GEOWHY_HOME with a world image and a backbone; the environment points to it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("blue-marble", "efficientnet-lite0"):
        (home / name).mkdir()
    painted_earth().save(home / "blue-marble" / "bmng.jpg", quality=95)
    torch.manual_seed(0)
    weights = EfficientNetLite(LITE[0]).state_dict()
    torch.save(weights, home / "efficientnet-lite0" / "efficientnet-lite0-57934424.pth")
    before = os.environ.get("GEOWHY_HOME")
    os.environ["GEOWHY_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["GEOWHY_HOME"]
    else:
        os.environ["GEOWHY_HOME"] = before


@pytest.fixture(scope="session")
def small_vocabulary(tmp_path_factory):
    """A folder with a few concepts."""
    folder = tmp_path_factory.mktemp("vocabulary")
    (folder / "few.toml").write_text(vocabulary_text(), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_config(small_vocabulary):
    """The tiny configuration as text."""
    return CONFIG.replace("{vocabulary}", str(small_vocabulary))


@pytest.fixture
def config_file(tmp_path, tiny_config):
    """The tiny configuration as a file."""
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_config)
    return path


@pytest.fixture(scope="session")
def trained(small_earth, tiny_config, tmp_path_factory):
    """The folder of a model that the tiny configuration gave; its run lies around it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.toml").write_text(tiny_config)
    return train(folder / "tiny.toml", folder / "run", "cpu", resume=False)


@pytest.fixture(scope="session")
def tiny_orbit(tmp_path_factory):
    """The folder of a small model of pictures from above, 2,000 to 2,600 km wide."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny_orbit"))
