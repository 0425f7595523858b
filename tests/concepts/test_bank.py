"""A bank keeps directions with what they mean, from one source or another."""

from dataclasses import replace

import numpy as np
import pytest

from geowhy.concepts.bank import ConceptBank, fit_grounded, text_directions
from geowhy.concepts.grounding import parse_grounding
from geowhy.concepts.vocabulary import Concept, Vocabulary
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas


def concept(name, prompts=("one", "two", "three"), from_above=True):
    grounding = parse_grounding("elevation < 100", Atlas.load())
    return Concept(name, name, "letters", f"It is {name}.", prompts, grounding, from_above)


def letters(texts):
    """A text encoder that counts letters: the more a text has of one, the more it points there."""
    return np.array([[text.count(x) for x in "abcdef"] for text in texts], np.float32)


@pytest.fixture
def vocabulary():
    return Vocabulary(
        (
            concept("a", ("aaa", "aab", "aaaa")),
            concept("b", ("bb", "bba", "bbb"), from_above=False),
            concept("c", ("ccc", "cc", "cca")),
        )
    )


def test_a_bank_survives_its_file(tmp_path, vocabulary):
    bank = ConceptBank.build(vocabulary, text_directions(vocabulary, letters, lambda x: x), "text")
    (tmp_path / "bank.safetensors").write_bytes(bank.to_bytes())
    found = ConceptBank.load(tmp_path / "bank.safetensors")
    assert found.names == ("a", "b", "c")
    assert found.categories == ("letters",) * 3
    assert (found.source, found.vocabulary_digest) == ("text", vocabulary.digest)
    np.testing.assert_array_equal(found.directions, bank.directions)
    assert found.digest == bank.digest


def test_the_digest_knows_every_part(make_bank):
    bank = make_bank(np.eye(3))
    others = (
        replace(bank, names=("x", "b", "c")),
        replace(bank, categories=("letters", "x", "letters")),
        replace(bank, source="text"),
        make_bank(2 * np.eye(3)),
    )
    assert len({bank.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize("content", [b"", b"not a bank", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_isnt_a_bank_is_refused(tmp_path, content):
    (tmp_path / "bank.safetensors").write_bytes(content)
    with pytest.raises(DataError, match="not a readable concept bank"):
        ConceptBank.load(tmp_path / "bank.safetensors")


def test_a_bank_that_lost_a_name_is_refused(tmp_path, make_bank):
    short = replace(make_bank(np.eye(3)), names=("a", "b"))
    (tmp_path / "bank.safetensors").write_bytes(short.to_bytes())
    with pytest.raises(DataError, match="differ in number"):
        ConceptBank.load(tmp_path / "bank.safetensors")


def test_text_directions_point_to_what_the_prompts_say(vocabulary):
    directions = text_directions(vocabulary, letters, lambda x: x)
    assert directions.shape == (6, 3)
    assert directions[:3].argmax(axis=0).tolist() == [0, 1, 2]
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1, rtol=1e-5)


def test_text_is_brought_into_the_location_space(vocabulary):
    turn = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    directions = text_directions(vocabulary, letters, lambda x: x @ turn)
    assert directions.shape == (4, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1, rtol=1e-5)


def fitted(embeddings, truth, vocabulary):
    return fit_grounded(embeddings, truth, names=vocabulary.names)


def test_grounded_directions_recover_a_linear_truth(vocabulary):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(2000, 6)).astype(np.float32)
    truth = (embeddings @ rng.normal(size=(6, 3)) > 0).astype(np.float32)
    scores = embeddings @ fitted(embeddings, truth, vocabulary)
    for number in range(3):
        holds = truth[:, number] == 1
        assert (scores[holds, number].mean() - scores[~holds, number].mean()) > 1.0


def test_unknown_truth_pulls_nowhere(vocabulary):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(500, 4)).astype(np.float32)
    truth = (embeddings[:, :1] > 0).astype(np.float32)
    some = truth.copy()
    some[::2] = np.nan
    full, half = (fitted(embeddings, t, vocabulary) for t in (truth, some))
    cosine = (full * half).sum() / np.linalg.norm(full) / np.linalg.norm(half)
    assert cosine > 0.95


def test_a_concept_that_is_the_same_everywhere_is_named(vocabulary):
    truth = np.array([[0, 1, 1], [1, 1, 0], [0, 1, 0]], np.float32)
    with pytest.raises(DataError, match="concept 'b' is the same at all 3"):
        fitted(np.eye(3, dtype=np.float32), truth, vocabulary)
