"""Parity of three location encoders: ours in numpy, ours in torch, the package geoclip 1.3.0."""

import importlib
import importlib.util
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from geowhy.geo.sphere import uniform_on_sphere
from geowhy.model.geoclip import geoclip_location_tensors
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES, read_surroundings
from geowhy.training.location_torch import TorchLocationEncoder
from geowhy.training.regression import tensors_of

READING = LocationArchitecture(sigmas=(), surroundings=12, size=8)
SMALL = LocationArchitecture(sigmas=(1.0, 16.0, 256.0), fourier=16, hidden=24, depth=2, size=8)


def coordinates(count):
    """Float32 coordinates, as the package takes them, with the poles and the map's edge."""
    points = uniform_on_sphere(count, np.random.default_rng(0))
    points[:8] = [
        (90, 0), (-90, 0), (90, 180), (-90, -180), (0, 180), (0, -180), (45, 180), (0, 0),
    ]  # fmt: skip
    return points.astype(np.float32)


@pytest.fixture(scope="module")
def package():
    """The package's own encoder with the released weights, without its image half.

    ``import geoclip`` would import transformers, so its two parents are replaced by empty ones.
    """
    spec = importlib.util.find_spec("geoclip")
    if spec is None:
        pytest.fail("geoclip 1.3.0 is missing: make test installs it, without its dependencies")
    root = Path(spec.origin).parent
    stubs = {"geoclip": _package("geoclip", root), "geoclip.model": _package("x", root / "model")}
    stubs["geoclip.model.misc"] = types.ModuleType("geoclip.model.misc")
    stubs["geoclip.model.misc"].file_dir = str(root / "model")
    sys.modules.update(stubs)
    try:
        with warnings.catch_warnings():
            # The package compiles two functions with torch.jit.script, which torch has deprecated.
            warnings.filterwarnings("ignore", "`torch.jit.script`", DeprecationWarning)
            module = importlib.import_module("geoclip.model.location_encoder")
        yield module.LocationEncoder().eval()
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "geoclip"]:
            del sys.modules[name]


def _package(name, folder):
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    return module


@pytest.fixture(scope="module")
def released(package):
    return geoclip_location_tensors({k: v.numpy() for k, v in package.state_dict().items()})


@torch.no_grad()
def run(module, points):
    return module(points).numpy()


def test_torch_equals_the_package_bit_for_bit(package, released):
    ours = TorchLocationEncoder.from_tensors(released, LocationArchitecture())
    points = torch.from_numpy(coordinates(10_000))
    assert (run(ours, points) == run(package, points)).all()


def test_numpy_equals_the_package_within_1e_5(package, released):
    """In double precision: in single, the package is 2.5e-5 away from its own formula."""
    points = coordinates(10_000)
    ours = LocationEncoder.from_tensors(released, LocationArchitecture()).embed(points)
    single = run(package, torch.from_numpy(points))
    double = run(package.double(), torch.from_numpy(points).double())
    package.float()
    assert np.abs(ours - double).max() < 1e-5
    assert np.abs(ours - single).max() < 5e-5


def test_numpy_equals_torch():
    torch_form = TorchLocationEncoder(SMALL, seed=3)
    numpy_form = LocationEncoder.from_tensors(tensors_of(torch_form), SMALL)
    points = coordinates(1000)
    expected = run(torch_form, torch.from_numpy(points).double())
    scale = np.abs(expected).max()
    assert np.abs(numpy_form.embed(points) - expected).max() < 1e-5 * scale


@pytest.mark.parametrize("sigmas", [(), (1.0, 16.0)])
def test_numpy_equals_torch_where_the_atlas_is_read(sigmas):
    architecture = LocationArchitecture(
        sigmas=sigmas, fourier=4, hidden=6, depth=1, size=8, surroundings=12
    )
    points = uniform_on_sphere(60, np.random.default_rng(0))
    read = torch.from_numpy(read_surroundings(points))
    torch_form = TorchLocationEncoder(architecture, seed=3).eval()
    torch_form.surroundings.fit(read)
    numpy_form = LocationEncoder.from_tensors(tensors_of(torch_form), architecture)
    with torch.no_grad():
        expected = torch_form(torch.from_numpy(points), read).numpy()
    np.testing.assert_allclose(numpy_form.embed(points), expected, atol=1e-4)


def test_all_fields_of_a_map_are_standardised_alike():
    read = torch.from_numpy(read_surroundings([(48, 9), (-20, 130), (61, -100)]))
    module = TorchLocationEncoder(READING, seed=0)
    module.surroundings.fit(read)
    fields = module.surroundings.mean[: len(MAP_NAMES) * MAP_GRID**2].reshape(-1, MAP_GRID**2)
    assert torch.equal(fields, fields[:, :1].expand_as(fields))
    np.testing.assert_allclose(fields[1, 0], read[:, 64:128].mean(), rtol=1e-5)


def test_dropout_acts_in_training_alone():
    read = torch.from_numpy(read_surroundings([(48, 9), (-20, 130)]))
    where = torch.tensor([[48.0, 9.0], [-20.0, 130.0]])
    module = TorchLocationEncoder(READING, seed=0, dropout=0.5)
    assert not torch.equal(module(where, read), module(where, read))
    module.eval()
    assert torch.equal(module(where, read), module(where, read))


def test_seed_decides_the_weights_and_leaves_the_global_generator():
    state = torch.get_rng_state()
    first, again, other = (tensors_of(TorchLocationEncoder(SMALL, seed=s)) for s in (1, 1, 2))
    assert (torch.get_rng_state() == state).all()
    for name in SMALL.shapes():
        assert (first[name] == again[name]).all()
        assert not (first[name] == other[name]).all()


def test_names_and_shapes_are_those_of_the_architecture():
    state = TorchLocationEncoder(SMALL, seed=0).state_dict()
    assert {name: tuple(t.shape) for name, t in state.items()} == SMALL.shapes()


def test_frequencies_have_the_bandwidth_of_their_capsule_and_do_not_train():
    module = TorchLocationEncoder(LocationArchitecture(), seed=0)
    spreads = [tensors_of(module)[f"capsule_{i}.frequencies"].std() for i in range(3)]
    np.testing.assert_allclose(spreads, [1.0, 16.0, 256.0], rtol=0.1)
    assert not any("frequencies" in name for name, _ in module.named_parameters())


def test_every_weight_gets_a_gradient():
    module = TorchLocationEncoder(SMALL, seed=0)
    module(torch.tensor([[10.0, 20.0], [-60.0, 170.0]])).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
