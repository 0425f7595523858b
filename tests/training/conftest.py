"""A small Earth to train on: painted from the atlas, with a random backbone."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from geowhy.geo.atlas import Atlas
from geowhy.training.backbone_export import LITE, EfficientNetLite

CONFIG = """
name = "tiny"
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
[reader]
steps = 12
batch = 32
hidden = 8
[optimiser]
steps = 24
batch = 64
queue = 128
validate_every = 6
patience = 4
[gallery]
size = 600
"""


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


@pytest.fixture
def config_file(tmp_path):
    """The tiny configuration as a file."""
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG)
    return path
