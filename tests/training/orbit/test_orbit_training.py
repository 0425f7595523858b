"""Cutting pairs, changing their look, and one small true run."""

import math

import numpy as np
import pytest
import torch

from geowhy.errors import ConfigError
from geowhy.geo.pose import Poses, perspective, picture_plane
from geowhy.geo.sphere import distance_km
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.training.config import OptimiserConfig
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.orbit.config import LookConfig, NetworkConfig, OrbitConfig, PairsConfig
from geowhy.training.orbit.cutting import PoseBatch, WorldPyramid, ground_grid
from geowhy.training.orbit.look import changed_look
from geowhy.training.orbit.network import RingNetwork, ring_weights
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.run import train_orbit
from geowhy.training.orbit.task import OrbitTask
from geowhy.training.processes import Processes

HEIGHT = 360
WORLD = {"bmng": 1.0}


@pytest.fixture(scope="module")
def world():
    """Smooth noise in three colours."""
    rng = np.random.default_rng(0)
    waves = rng.normal(size=(3, 40, 5))
    row, column = np.mgrid[0:HEIGHT, 0 : 2 * HEIGHT] / HEIGHT
    colours = [
        sum(a * np.sin(9 * (b * row + round(c) * math.pi * column) + d) for a, b, c, d, _ in colour)
        for colour in waves
    ]
    stack = np.stack(colours, axis=-1)
    stack = (stack - stack.min()) / (stack.max() - stack.min())
    return WorldImage(np.rint(255 * stack).astype(np.uint8))


def batch(lat_lon, width_km, heading, tilt=0.0, towards=0.0, view_angle=0.0):
    numbers = [np.radians(lat_lon), [width_km], [heading], [tilt], [towards], [view_angle]]
    lat_lon, *others = (torch.tensor(np.array(n), dtype=torch.float32) for n in numbers)
    return PoseBatch(lat_lon, *others)


def test_pixels_lie_where_the_pose_of_a_tilted_picture_puts_them():
    tilt, towards, view_angle = 0.6, 0.9, 0.5
    lat, lon = ground_grid(batch([[48.0, 11.0]], 900.0, 0.7, tilt, towards, view_angle), 8)
    field_of_view = 2 * np.degrees(np.arctan(view_angle / 2))
    horizon = 90 - np.degrees(towards)  # clockwise from up
    homography = perspective(np.degrees(tilt), horizon, field_of_view)
    # The camera's own scale keeps the area at the centre, and its up may turn a little.
    poses = Poses(
        np.array([[48.0, 11.0]]), np.array([900.0]), np.array([np.degrees(0.7)]), homography
    )
    corners = np.degrees(np.stack([lat[0], lon[0]], axis=-1))
    expected = poses.ground(picture_plane((8, 8)).reshape(-1, 2))[0].reshape(8, 8, 2)
    centre = np.array([48.0, 11.0])
    own, theirs = (distance_km(centre, place) for place in (corners, expected))
    assert own == pytest.approx(theirs, rel=2e-3)


def test_a_picture_from_above_is_the_view_of_the_same_place(world):
    pose = batch([[-30.0, 140.0]], 2_000.0, 0.0)
    lat, lon = ground_grid(pose, 32)
    cut = WorldPyramid(world, "cpu").cut(lat, lon, torch.tensor([10.0]))  # the finest level
    view = cut_views(world, [[-30.0, 140.0]], 2_000.0 / 32, 32)
    assert np.abs(255 * cut[0].numpy() - view[0]).max() < 1.0


def test_heading_turns_a_picture_about_its_centre(world):
    pyramid = WorldPyramid(world, "cpu")
    north, east = (
        pyramid.cut(*ground_grid(batch([[10.0, -170.0]], 1_500.0, angle), 24), torch.tensor([62.0]))
        for angle in (0.0, math.pi / 2)
    )
    # With east up, what was at the top is at the left.
    assert torch.allclose(torch.rot90(north, 1, (1, 2)), east, atol=0.02)


def test_coarser_levels_are_means_of_finer_ones(world):
    pyramid = WorldPyramid(world, "cpu", finest=HEIGHT)
    halved = WorldPyramid(
        WorldImage(world.pixels.reshape(180, 2, 360, 2, 3).mean((1, 3)).round().astype(np.uint8)),
        "cpu",
    )
    lat, lon = ground_grid(batch([[60.0, 20.0]], 3_000.0, 0.3), 16)
    both = [p.cut(lat, lon, torch.tensor([100.0])) for p in (pyramid, halved)]
    assert torch.allclose(*both, atol=1 / 255)


def test_rings_are_round_disjoint_and_each_adds_up_to_one():
    rings = ring_weights(6, 3)
    assert torch.allclose(rings.sum((1, 2)), torch.ones(3))
    assert torch.equal(rings, torch.rot90(rings, 1, (1, 2)))
    assert rings[0, 0, 0] == 0
    assert rings[2, 2, 2] == 0
    assert rings[2, 0, 0] > 0


def test_a_description_hardly_depends_on_a_quarter_turn_of_what_was_pooled():
    torch.manual_seed(0)
    network = RingNetwork(NetworkConfig(side=32, width=8, blocks=(1, 1), size=32)).eval()
    features = torch.rand(2, 3, 32, 32)
    described = network(features)
    assert torch.allclose(described.norm(dim=1), torch.ones(2), atol=1e-5)
    assert described.shape == (2, 32)


def test_each_change_of_look_can_be_left_out():
    torch.manual_seed(0)
    pictures = torch.rand(4, 3, 24, 24)
    none = LookConfig(**dict.fromkeys(LookConfig.model_fields, 0.0))
    assert torch.equal(changed_look(pictures, none), pictures)
    for name in set(LookConfig.model_fields) - {"plain", "blend", "band"}:
        changed = changed_look(pictures, none.model_copy(update={name: 1.0}))
        assert not torch.equal(changed, pictures), name
        assert float(changed.min()) >= 0
        assert float(changed.max()) <= 1
    assert torch.equal(changed_look(pictures, LookConfig(plain=1.0)), pictures)


def test_pairs_show_nearly_the_same_ground_and_enough_land(world):
    torch.manual_seed(0)
    config = PairsConfig(worlds={"bmng": 1}, least_land=0.5)
    source = PairSource({"bmng": world}, config, LookConfig(plain=1.0, blend=0, band=0), "cpu")
    poses = source.poses(64, 300.0, 600.0)
    assert (source.land_share(poses, 8) >= 0.5).all()
    assert ((poses.width_km >= 300) & (poses.width_km <= 600)).all()
    pairs = source.pairs(16, 24)
    assert pairs.queries.shape == pairs.references.shape == (16, 3, 24, 24)
    assert torch.allclose(pairs.unit.norm(dim=1), torch.ones(16), atol=1e-5)


def test_sea_has_no_land(world):
    torch.manual_seed(0)
    config = PairsConfig(worlds={"bmng": 1})
    source = PairSource({"bmng": world}, config, LookConfig(plain=1.0, blend=0, band=0), "cpu")
    poses = source.sea_poses(40, 300.0, 2_000.0)
    assert len(poses.width_km) == 40
    assert (source.land_share(poses, 60) < 0.002).all()


def test_poses_are_taken_from_others_where_asked():
    own, others = batch([(1.0, 2.0)], 300.0, 0.1), batch([(3.0, 4.0)], 500.0, 0.2)
    first = own.where(torch.tensor([True]), others)
    assert first.width_km.item() == 500.0
    assert first.lat_lon.rad2deg()[0].tolist() == pytest.approx([3.0, 4.0])
    assert own.where(torch.tensor([False]), others).heading.item() == pytest.approx(0.1)


def test_a_small_run_learns_to_tell_places_apart_and_resumes(world, tmp_path):
    config = OrbitConfig(
        pairs=PairsConfig(worlds=WORLD, least_width_km=4_000, most_width_km=8_000, tilt_deg=5),
        look=LookConfig(plain=1.0, blend=0.0, band=0.0),
        network=NetworkConfig(side=24, width=8, blocks=(1, 1), size=32),
        optimiser=OptimiserConfig(steps=30, batch=32, queue=0, rate=3e-3, validate_every=10),
    )

    def run(folder, resume=False, stop_at=None):
        source = PairSource({"bmng": world}, config.pairs, config.look, "cpu")
        task = OrbitTask(config, source, "cpu")
        folder.mkdir(exist_ok=True)

        def watch(done, total):
            if done == stop_at:
                raise RuntimeError("pulled")

        train_task(
            TrainingRun(config.optimiser, 0, 30, "orbit", folder), task, Processes(), resume, watch
        )
        return task

    whole = run(tmp_path / "whole")
    measured = whole.validation()
    assert measured["held"] > 5 / 1_024  # of so many places
    with pytest.raises(RuntimeError, match="pulled"):
        run(tmp_path / "halves", stop_at=20)
    resumed = run(tmp_path / "halves", resume=True)
    for name, value in whole.module.state_dict().items():
        assert torch.allclose(value, resumed.module.state_dict()[name], atol=1e-5), name


@pytest.mark.parametrize(
    ("name", "role"),
    [("xplanet", "calibration"), ("may-2004", "held out"), ("earth-day", "reported")],
)
def test_no_network_is_trained_on_worlds_that_are_kept_apart(tmp_path, name, role):
    path = tmp_path / "orbit.toml"
    path.write_text(f'kind = "orbit"\n[pairs]\nworlds = {{ bmng = 1, {name} = 1 }}\n')
    with pytest.raises(ConfigError, match=rf"{name} is kept apart \({role}\)"):
        train_orbit(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
