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
from geowhy.training.location_torch import TorchLocationEncoder

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
    numpy_form = LocationEncoder.from_tensors(torch_form.to_tensors(), SMALL)
    points = coordinates(1000)
    expected = run(torch_form, torch.from_numpy(points).double())
    scale = np.abs(expected).max()
    assert np.abs(numpy_form.embed(points) - expected).max() < 1e-5 * scale


def test_seed_decides_the_weights_and_leaves_the_global_generator():
    state = torch.get_rng_state()
    first, again, other = (TorchLocationEncoder(SMALL, seed=s).to_tensors() for s in (1, 1, 2))
    assert (torch.get_rng_state() == state).all()
    for name in SMALL.shapes():
        assert (first[name] == again[name]).all()
        assert not (first[name] == other[name]).all()


def test_names_and_shapes_are_those_of_the_architecture():
    state = TorchLocationEncoder(SMALL, seed=0).state_dict()
    assert {name: tuple(t.shape) for name, t in state.items()} == SMALL.shapes()


def test_frequencies_have_the_bandwidth_of_their_capsule_and_do_not_train():
    module = TorchLocationEncoder(LocationArchitecture(), seed=0)
    spreads = [module.to_tensors()[f"capsule_{i}.frequencies"].std() for i in range(3)]
    np.testing.assert_allclose(spreads, [1.0, 16.0, 256.0], rtol=0.1)
    assert not any("frequencies" in name for name, _ in module.named_parameters())


def test_every_weight_gets_a_gradient():
    module = TorchLocationEncoder(SMALL, seed=0)
    module(torch.tensor([[10.0, 20.0], [-60.0, 170.0]])).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
