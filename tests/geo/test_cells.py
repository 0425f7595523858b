"""Cells, densities and modes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.errors import CoordinateError, DataError
from geowhy.geo.cells import CellGrid, cell_of, ten_degree_cell
from geowhy.geo.sphere import distance_km, uniform_on_sphere


@pytest.fixture(scope="module")
def everywhere():
    points = uniform_on_sphere(8000, np.random.default_rng(0))
    return points, CellGrid.build(points, 1)


def test_points_lie_in_the_cell_around_their_centre(everywhere):
    points, grid = everywhere
    away = distance_km(points, grid.centres[grid.point_to_cell])
    # Cells of resolution 1 are some 480 km from centre to corner.
    assert away.max() < 600


def test_every_cell_of_the_sphere_is_found(everywhere):
    _, grid = everywhere
    assert len(grid.cells) == 842
    assert grid.point_count.sum() == 8000


def test_neighbours_are_mutual_and_six_but_for_the_twelve_pentagons(everywhere):
    _, grid = everywhere
    count = (grid.neighbours >= 0).sum(axis=1)
    assert sorted(set(count.tolist())) == [5, 6]
    assert (count == 5).sum() == 12
    for cell, around in enumerate(grid.neighbours.tolist()):
        assert all(cell in grid.neighbours[other] for other in around if other >= 0)


def test_cells_know_their_centres():
    grid = CellGrid.build(uniform_on_sphere(50, np.random.default_rng(2)), 4)
    assert grid.cells.dtype == np.uint64
    np.testing.assert_array_equal(cell_of(grid.centres, 4), grid.cells)


@pytest.mark.parametrize("bad", [(91, 0), (float("nan"), 0), (0, float("inf"))])
def test_points_off_the_earth_are_refused(bad):
    with pytest.raises(CoordinateError):
        cell_of([bad], 2)


def test_density_keeps_the_mass(everywhere):
    _, grid = everywhere
    p = np.random.default_rng(3).dirichlet(np.ones(8000))
    density = grid.density(p)
    assert density.sum() == pytest.approx(1)
    assert density[grid.point_to_cell[5]] == pytest.approx(
        p[grid.point_to_cell == grid.point_to_cell[5]].sum()
    )


def test_two_hills_are_two_modes(everywhere):
    _, grid = everywhere

    def hill(centre):
        return np.exp(-distance_km(grid.centres, centre) / 800)

    density = 2 * hill((40, 179)) + hill((-30, 20))
    mode, mass = grid.modes(density / density.sum())
    assert mass.sum() == pytest.approx(1)
    assert (np.diff(mass) <= 0).all()
    for place, other in [((40, -179), (-30, 20)), ((-30, 20), (40, -179))]:
        near = distance_km(grid.centres, place) < 500
        far = distance_km(grid.centres, other) < 500
        assert len(set(mode[near].tolist())) == 1
        assert mode[near][0] not in mode[far]
    assert mass[0] > 0.5


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_every_cell_climbs_to_a_local_maximum(seed):
    points = uniform_on_sphere(300, np.random.default_rng(seed))
    grid = CellGrid.build(points, 1)
    # Few distinct values make plateaus.
    density = np.random.default_rng(seed).integers(0, 4, len(grid.cells)).astype(float)
    summits = grid.summits(density)
    np.testing.assert_array_equal(summits[summits], summits)
    padded = np.append(density, -1)
    assert (density[summits] >= padded[grid.neighbours[summits]].max(axis=1)).all()
    assert (density[summits] >= density).all()


def test_a_flat_density_has_one_mode_a_connected_region(everywhere):
    _, grid = everywhere
    _, mass = grid.modes(np.full(len(grid.cells), 1 / 842))
    assert len(mass) < 842 / 4


def test_a_grid_survives_being_saved(everywhere):
    _, grid = everywhere
    again = CellGrid.from_arrays(grid.to_arrays())
    for name, array in grid.to_arrays().items():
        np.testing.assert_array_equal(getattr(again, name), array)


def test_a_grid_with_an_array_missing_is_refused(everywhere):
    arrays = everywhere[1].to_arrays()
    del arrays["neighbours"]
    with pytest.raises(DataError, match="neighbours"):
        CellGrid.from_arrays(arrays)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_blocks_number_the_sphere(lat, lon):
    block = int(ten_degree_cell((lat, lon)))
    row, column = divmod(block, 36)
    assert 0 <= block < 648
    # Rounding may lift what is a hair below a border.
    assert -90 + 10 * row <= lat + 1e-9 <= -80 + 10 * row + 2e-9
    assert (lon + 180 - 10 * column + 1e-9) % 360 < 10 + 2e-9


def test_blocks_wrap_at_the_antimeridian_and_end_at_the_poles():
    assert ten_degree_cell((5, 180)) == ten_degree_cell((5, -180)) == ten_degree_cell((5, -171))
    assert ten_degree_cell((90, 5)) == ten_degree_cell((81, 5)) == 647 - 17
    assert len(set(ten_degree_cell([(1, 1), (1, 11), (11, 1)]).tolist())) == 3
