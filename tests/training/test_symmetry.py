import pytest
import torch

from geowhy.export.backbone_export import LAYOUT_GRID
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES, SURROUNDINGS_SIZE
from geowhy.training.dataset import SYMMETRIES, turned, turned_alike

ROWS = torch.arange(2 * 24.0).reshape(2, 24)  # three columns, two grids of 3 by 3, three columns


def test_the_eight_symmetries_of_a_square_are_all_there():
    grids = {tuple(turned(ROWS, 3, 2, 3, k)[0].tolist()) for k in range(SYMMETRIES)}
    assert len(grids) == SYMMETRIES


@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_only_the_grids_change_and_keep_their_values(symmetry):
    found = turned(ROWS, 3, 2, 3, symmetry)
    assert torch.equal(found[:, :3], ROWS[:, :3])
    assert torch.equal(found[:, 21:], ROWS[:, 21:])
    for first in (3, 12):
        grid = slice(first, first + 9)
        assert torch.equal(found[:, grid].sort(dim=1).values, ROWS[:, grid].sort(dim=1).values)


def test_the_first_mirrors_west_and_east_and_the_second_north_and_south():
    assert turned(ROWS, 3, 2, 3, 1)[0, 3:12].tolist() == [5, 4, 3, 8, 7, 6, 11, 10, 9]
    assert turned(ROWS, 3, 2, 3, 2)[0, 3:12].tolist() == [9, 10, 11, 6, 7, 8, 3, 4, 5]


def test_rows_without_grids_stay():
    assert turned(ROWS, 3, 0, 3, 5) is ROWS


def test_views_and_maps_are_turned_alike():
    """A layout that equals the first map still equals it, whichever symmetry is drawn."""
    assert LAYOUT_GRID == MAP_GRID
    picture = torch.arange(MAP_GRID**2, dtype=torch.float32).expand(2, -1)
    summary = torch.full((2, 5), -1.0)
    images = torch.cat([summary, picture, picture, picture], dim=1)
    rest = torch.full((2, SURROUNDINGS_SIZE - len(MAP_NAMES) * MAP_GRID**2), -1.0)
    maps = torch.cat([*[picture] * len(MAP_NAMES), rest], dim=1)
    drawn = set()
    for seed in range(40):
        torch.manual_seed(seed)
        view, surroundings = turned_alike(images, maps, summary=5)
        layout = view[:, 5 : 5 + MAP_GRID**2]
        assert torch.equal(layout, surroundings[:, : MAP_GRID**2])
        assert torch.equal(view[:, :5], summary)
        assert torch.equal(surroundings[:, -rest.shape[1] :], rest)
        drawn.add(tuple(layout[0].tolist()))
    assert len(drawn) == SYMMETRIES
