"""From a configuration to a model that lays pictures on the map."""

import json

import numpy as np
import pytest
from PIL import Image

from geowhy.cli.main import main
from geowhy.errors import ConfigError
from geowhy.geo.pose import Poses, picture_plane
from geowhy.geo.sphere import distance_km
from geowhy.images.overhead import WorldImage
from geowhy.images.worlds import reference_world
from geowhy.locator import Locator
from geowhy.training.kinds import train
from geowhy.training.orbit import run as orbit_run

CONFIG = """
kind = "orbit"
name = "tiny"
[pairs]
worlds = { bmng = 1 }
least_width_km = 1_500
most_width_km = 3_000
tilt_deg = 10
[look]
plain = 1.0
[network]
side = 24
width = 8
blocks = [1, 1]
size = 32
[optimiser]
steps = 30
batch = 32
queue = 0
rate = 3e-3
validate_every = 30
[concepts]
queries = 300
[concepts.location]
sigmas = []
surroundings = 32
size = 16
pretraining_steps = 10
[concepts.alignment]
whitened = 16
hidden = 32
concept_hidden = 32
[concepts.optimiser]
steps = 10
batch = 64
queue = 0
[places]
least_km = 1_900
most_km = 2_500
spacing = 0.35
least_land = 0.3
[verdict]
worlds = ["WORLD"]
surveyed = ["WORLD"]
pictures = 48
side = 96
least_width_km = 1_700
most_width_km = 2_600
candidates = [24]
[verdict.look]
plain = 1.0
"""


def write(path, world="xplanet"):
    path.write_text(CONFIG.replace("WORLD", world), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of the reference alone, which stands for all other worlds."""
    folder = tmp_path_factory.mktemp("orbit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orbit_run, "open_world", lambda _: reference_world())
        return train(write(folder / "tiny.toml"), folder / "run")


def away_km(position):
    return distance_km([41.0, 14.0], [position.lat, position.lon])


def cut(pose, side=160):
    """The picture ``[side, side, 3]`` of the reference at a pose, by nearest pixels."""
    world: WorldImage = reference_world()
    lat, lon = np.moveaxis(pose.ground(picture_plane((side, side)).reshape(-1, 2))[0], -1, 0)
    height, width, _ = world.pixels.shape
    row = ((90 - lat) / 180 * height).astype(int).clip(0, height - 1)
    column = ((lon + 180) / 360 * width).astype(int) % width
    return world.pixels[row, column].reshape(side, side, 3)


def test_a_trained_model_lays_a_turned_picture_on_the_map(model, tmp_path):
    truth = Poses(np.array([[41.0, 14.0]]), np.array([2_100.0]), np.array([130.0]))
    Image.fromarray(cut(truth)).save(tmp_path / "turned.png")
    found = Locator.from_pretrained(model).locate(tmp_path / "turned.png")
    assert away_km(found.position) < 0.02 * 2_100
    assert found.heading_deg == pytest.approx(130.0, abs=2.0)
    assert found.width_km == pytest.approx(2_100.0, rel=0.03)
    corners = np.array([(corner.lat, corner.lon) for corner in found.footprint])
    assert distance_km(corners, truth.footprint()[0]).max() < 0.05 * 2_100
    names = {concept.name: concept.category for concept in found.explanation.contributions}
    assert names["agreement with the map"] == "registration"
    assert "appearance" in names.values()
    shares = sum(c.contribution for c in found.explanation.contributions)
    assert shares + found.explanation.unexplained == pytest.approx(found.explanation.score)


def test_noise_lies_nowhere(model, tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (160, 160, 3), np.uint8)).save(tmp_path / "noise.png")
    found = Locator.from_pretrained(model).locate(tmp_path / "noise.png")
    assert not found.verified
    assert found.candidates[0].probability < 0.9


def test_the_whole_of_an_oblong_picture_is_laid(model, tmp_path):
    truth = Poses(np.array([[41.0, 14.0]]), np.array([2_000.0]), np.array([0.0]))
    square = cut(truth)
    Image.fromarray(square[20:140]).save(tmp_path / "wide.png")  # 160 × 120
    found = Locator.from_pretrained(model).locate(tmp_path / "wide.png")
    assert found.width_km == pytest.approx(2_000.0, rel=0.05)
    corners = np.array([(corner.lat, corner.lon) for corner in found.footprint])
    top, right = distance_km(corners[:2], corners[1:3])
    assert top / right == pytest.approx(4 / 3, rel=0.05)


def test_its_answer_is_explained_and_asked_against_another_place(model, tmp_path):
    truth = Poses(np.array([[41.0, 14.0]]), np.array([2_100.0]), np.array([0.0]))
    locator = Locator.from_pretrained(model)
    Image.fromarray(cut(truth)).save(tmp_path / "italy.png")
    told = locator.explain(tmp_path / "italy.png", against=(35.7, 139.7))
    assert "Japan" in told.against.place
    without = locator.explain(tmp_path / "italy.png", what_if="-agreement with the map")
    changed = without.what_if[0]
    assert changed.probability_after < changed.probability_before
    inside = locator.within("Italy").locate(tmp_path / "italy.png")
    assert away_km(inside.position) < 0.05 * 2_100


def test_worlds_are_for_one_use_alone(tmp_path):
    for world in ("may-2004", "marble"):
        with pytest.raises(ConfigError, match=f"verdict.worlds: {world} is kept apart"):
            train(write(tmp_path / "a.toml", world), tmp_path / "run")


def test_a_kind_that_geowhy_does_not_train_is_refused(tmp_path, capsys):
    (tmp_path / "odd.toml").write_text('kind = "odd"\n')
    assert main(["train", str(tmp_path / "odd.toml")]) != 0
    assert "kind 'odd': give one of alignment, orbit" in capsys.readouterr().err


def test_a_folder_says_what_it_is(model):
    config = json.loads((model / "config.json").read_text())
    assert config["model"]["kind"] == "orbit"
    assert sum(config["model"]["ring_sizes"]) == 32
