"""Pictures of no place: of several kinds, and never twice the same."""

import torch

from geowhy.training.orbit.nowhere import _KINDS, nowhere_pictures


def test_each_kind_makes_pictures_of_its_own():
    for make in _KINDS:
        torch.manual_seed(0)
        pictures = torch.stack([make(40) for _ in range(6)])
        assert pictures.shape == (6, 3, 40, 40)
        assert 0 <= float(pictures.min()) < float(pictures.max()) <= 1
        assert float((pictures[:3] - pictures[3:]).abs().mean()) > 0.05


def test_so_many_are_made_as_are_asked_for():
    torch.manual_seed(1)
    pictures = nowhere_pictures(20, 30, "cpu")
    assert pictures.shape == (20, 3, 30, 30)
    assert float(pictures.flatten(1).std(dim=1).min()) > 0.005
    assert nowhere_pictures(0, 30, "cpu").shape == (0, 3, 30, 30)
