"""Grounded directions predict what they were fitted on."""

import numpy as np
import pytest

from geowhy.concepts.bank import fit_grounded
from geowhy.errors import DataError


def test_directions_recover_a_linear_truth():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(2000, 6)).astype(np.float32)
    truth = (embeddings @ rng.normal(size=(6, 3)) > 0).astype(np.float32)
    scores = embeddings @ fit_grounded(embeddings, truth)
    for concept in range(3):
        holds = truth[:, concept] == 1
        assert (scores[holds, concept].mean() - scores[~holds, concept].mean()) > 1.0


def test_unknown_truth_pulls_nowhere():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(500, 4)).astype(np.float32)
    truth = (embeddings[:, :1] > 0).astype(np.float32)
    some = truth.copy()
    some[::2] = np.nan
    full, half = fit_grounded(embeddings, truth), fit_grounded(embeddings, some)
    cosine = (full * half).sum() / np.linalg.norm(full) / np.linalg.norm(half)
    assert cosine > 0.95


def test_a_concept_that_is_the_same_everywhere_is_an_error():
    with pytest.raises(DataError, match="concept number 0"):
        fit_grounded(np.eye(4, dtype=np.float32), np.ones((4, 1), np.float32))
