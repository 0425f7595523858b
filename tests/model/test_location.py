import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.errors import CoordinateError, ModelFormatError
from geowhy.model import location
from geowhy.model.location import LocationArchitecture, LocationEncoder, project

SMALL = LocationArchitecture(sigmas=(1.0, 16.0), fourier=8, hidden=12, depth=2, size=5)


def random_tensors(architecture=SMALL, seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0.0, 0.3, shape).astype(np.float32)
        for name, shape in architecture.shapes().items()
    }


@pytest.fixture
def encoder():
    return LocationEncoder.from_tensors(random_tensors(), SMALL)


def by_definition(tensors, architecture, lat_lon):
    """The formulas of the paper, in double precision, one coordinate at a time."""
    rows = []
    for lat, lon in np.radians(np.asarray(lat_lon, np.float64)):
        theta = np.arcsin(np.sqrt(3) / 2 * np.sin(lat))
        slope = (
            9 * 0.003796 * theta**8 + 7 * 0.000893 * theta**6 - 3 * 0.081106 * theta**2 + 1.340264
        )
        x = 2 * np.sqrt(3) * lon * np.cos(theta) / (3 * slope)
        y = 0.003796 * theta**9 + 0.000893 * theta**7 - 0.081106 * theta**3 + 1.340264 * theta
        total = 0.0
        for capsule in range(len(architecture.sigmas)):
            t = {
                k.split(".", 1)[1]: v.astype(np.float64)
                for k, v in tensors.items()
                if k.startswith(f"capsule_{capsule}.")
            }
            phase = 2 * np.pi * t["frequencies"] @ (np.array([x, y]) * 66.50336 / 180)
            h = np.concatenate([np.cos(phase), np.sin(phase)])
            for layer in range(architecture.depth):
                h = np.maximum(t[f"layer_{layer}.weight"] @ h + t[f"layer_{layer}.bias"], 0)
            total = total + t["head.weight"] @ h + t["head.bias"]
        rows.append(total)
    return np.array(rows)


def test_the_defaults_are_geoclips():
    sizes = [np.prod(shape) for shape in LocationArchitecture().shapes().values()]
    assert sum(sizes) == 9_449_472  # the 9.45 M of the released file


def test_embedding_follows_the_definition(encoder):
    coordinates = [(0, 0), (90, 0), (-90, 180), (51.5, -0.1), (-33.9, 151.2), (12, -180)]
    expected = by_definition(random_tensors(), SMALL, coordinates)
    assert np.abs(encoder.embed(coordinates) - expected).max() < 1e-5


def test_chunks_change_nothing(encoder, monkeypatch):
    coordinates = np.random.default_rng(1).uniform(-90, 90, (23, 2))
    whole = encoder.embed(coordinates)
    monkeypatch.setattr(location, "CHUNK_ROWS", 7)
    np.testing.assert_allclose(encoder.embed(coordinates), whole, rtol=0, atol=1e-6)


def test_no_coordinates_give_no_embeddings(encoder):
    assert encoder.embed(np.empty((0, 2))).shape == (0, 5)


@given(st.floats(-90, 90), st.floats(-179.9, 179.9), st.integers(-3, 3))
def test_longitudes_wrap(lat, lon, turns):
    turned, plain = project([[lat, lon + 360.0 * turns]]), project([[lat, lon]])
    np.testing.assert_allclose(turned, plain, rtol=0, atol=1e-9)


def test_the_edge_of_the_map_stays_an_edge():
    east, west = project([[0, 180], [0, -180]])
    assert east[0] == pytest.approx(-west[0])
    assert east[0] == pytest.approx(1.0, abs=2e-4)


@pytest.mark.parametrize("bad", [(91, 0), (np.nan, 0), (0, np.inf)])
def test_coordinates_off_the_earth_are_named(encoder, bad):
    with pytest.raises(CoordinateError, match="row 1"):
        encoder.embed([(0, 0), bad])


def test_wrong_shape_of_coordinates_is_named(encoder):
    with pytest.raises(CoordinateError, match=r"\(3,\)"):
        encoder.embed([0.0, 0.0, 0.0])


def test_tensors_come_back(encoder):
    again = LocationEncoder.from_tensors(encoder.to_tensors(), SMALL)
    for name, tensor in random_tensors().items():
        assert (again.to_tensors()[name] == tensor).all()


def test_half_precision_weights_are_taken():
    halves = {name: t.astype(np.float16) for name, t in random_tensors().items()}
    assert LocationEncoder.from_tensors(halves, SMALL).embed([(1, 2)]).dtype == np.float32


def test_vanishing_weights_become_zero_and_the_callers_stay():
    tensors = random_tensors()
    tensors["capsule_0.head.bias"][:] = 1e-40
    kept = LocationEncoder.from_tensors(tensors, SMALL).to_tensors()["capsule_0.head.bias"]
    assert (kept == 0).all()
    assert (tensors["capsule_0.head.bias"] > 0).all()


def test_missing_weight_is_named():
    tensors = random_tensors()
    del tensors["capsule_1.layer_0.bias"]
    with pytest.raises(ModelFormatError, match=r"capsule_1\.layer_0\.bias"):
        LocationEncoder.from_tensors(tensors, SMALL)


def test_weight_of_wrong_shape_is_named():
    tensors = random_tensors()
    tensors["capsule_0.head.bias"] = np.zeros(6, np.float32)
    with pytest.raises(ModelFormatError, match=r"\(6,\), not \(5,\)"):
        LocationEncoder.from_tensors(tensors, SMALL)
