"""The alignment computes the paper's equations, in training and afterwards alike."""

import numpy as np
import pytest
import torch

from geowhy.errors import ModelFormatError
from geowhy.model.alignment import ConceptAligner
from geowhy.model.concept_terms import ConceptPlaces
from geowhy.model.terms import total_scores
from geowhy.training.aligner import TorchAligner, Whitening
from geowhy.training.config import AlignmentConfig
from geowhy.training.regression import tensors_of


@pytest.fixture(params=["embedding", "concept", "both"])
def pair(request, make_bank):
    rng = np.random.default_rng(0)
    whitening = Whitening(
        *(rng.normal(size=shape).astype(np.float32) for shape in [(20,), (20,), (20, 8)])
    )
    whitening = Whitening(whitening.mean, np.abs(whitening.spread) + 0.5, whitening.projection)
    bank = make_bank(rng.normal(size=(12, 5)))
    mean = rng.normal(size=12).astype(np.float32)
    torch.manual_seed(0)
    config = AlignmentConfig(space=request.param, hidden=16, concept_hidden=7, whitened=8)
    module = TorchAligner(config, whitening, bank, mean).eval()
    with torch.no_grad():
        module.offset.normal_(std=0.1)
    return module, ConceptAligner(tensors_of(module), bank, request.param), whitening


def test_the_exported_network_scores_as_the_trained_one(pair):
    module, aligner, whitening = pair
    rng = np.random.default_rng(1)
    features = rng.normal(size=(6, 20)).astype(np.float32) * 3
    locations = rng.normal(size=(9, 12)).astype(np.float32)
    with torch.no_grad():
        expected = module.logits(
            module.image_side(torch.tensor(whitening(features))),
            module.location_side(torch.tensor(locations)),
        ).numpy()
    found = total_scores(
        aligner.terms, aligner.image_side(features), aligner.location_side(locations)
    )
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_basis_is_fixed_directions_plus_a_learned_offset(pair):
    _, aligner, _ = pair
    locations = np.random.default_rng(2).normal(size=(4, 12)).astype(np.float32)
    centred = locations - aligner.tensors["location_mean"]
    expected = centred @ (aligner.bank.directions + aligner.tensors["offset"])
    side = aligner.location_side(locations)
    assert aligner.concept_scores(side) == pytest.approx(expected, abs=1e-4)
    some = aligner.concept_scores(side, np.array([3, 0]))
    assert some == pytest.approx(expected[:, [3, 0]], abs=1e-4)
    if aligner.space != "embedding":
        unit = side.part(ConceptPlaces).scaled @ aligner.basis
        assert np.linalg.norm(unit, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_missing_tensor_is_named(pair):
    _, aligner, _ = pair
    tensors = {name: array for name, array in aligner.tensors.items() if name != "offset"}
    with pytest.raises(ModelFormatError, match="offset"):
        ConceptAligner(tensors, aligner.bank, "concept")


def test_a_bank_of_another_model_is_refused(pair, make_bank):
    _, aligner, _ = pair
    with pytest.raises(ModelFormatError, match="different models"):
        ConceptAligner(aligner.tensors, make_bank(np.ones((12, 4))), "concept")


def test_the_geoclip_objective_scores_embeddings_and_nothing_else(make_bank):
    whitening = Whitening(np.zeros(4, np.float32), np.ones(4, np.float32), np.eye(4, dtype="f4"))
    config = AlignmentConfig(objective="geoclip", space="concept")
    module = TorchAligner(config, whitening, make_bank(np.ones((3, 2))), np.zeros(3, np.float32))
    assert module.space == "embedding"
