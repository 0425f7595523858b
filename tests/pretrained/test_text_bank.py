"""The bank of texts: prompts through a text tower and the image head, centred."""

import numpy as np
import pytest

from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.pretrained.geoclip import released
from geowhy.pretrained.geoclip.released import write_text_bank


class Letters:
    """A text encoder: counts of letters."""

    def __init__(self, on_progress):
        self.on_progress = on_progress

    def encode(self, texts):
        self.on_progress(len(texts), len(texts))
        return np.array([[t.count(c) for c in "abcdefgh"] for t in texts], np.float32) + 0.1


class Head:
    """An image head: twice as many numbers."""

    def __init__(self):
        self.weights = np.random.default_rng(0).normal(size=(8, 16)).astype(np.float32)

    def embed(self, features):
        out = np.maximum(features @ self.weights, 0)
        return out / np.linalg.norm(out, axis=1, keepdims=True)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Stands in for the installed model alone; everything else is real."""
    head = Head()
    monkeypatch.setenv("GEOWHY_HOME", str(tmp_path))
    monkeypatch.setattr(released, "check_installed", lambda: None)
    monkeypatch.setattr(released, "require", lambda name: tmp_path / name)
    monkeypatch.setattr(released.ClipTextEncoder, "load", lambda _, tell: Letters(tell))
    loaded = type("Released", (), {"aligner": head})
    monkeypatch.setattr(released.ReleasedGeoClip, "load", lambda: loaded)
    return head


def test_every_concept_has_a_direction_and_progress_is_told(parts):
    vocabulary = Vocabulary.load()
    told = []
    file = write_text_bank(vocabulary, lambda done, total: told.append((done, total)))
    prompts = sum(len(concept.prompts) for concept in vocabulary.concepts)
    assert told == [(prompts, prompts)]
    bank = ConceptBank.load(file)
    assert (bank.source, len(bank.ids)) == ("text", len(vocabulary.concepts))
    assert bank.directions.shape == (16, len(bank.ids))
    first = vocabulary.concepts[0]
    means = []
    for concept in vocabulary.concepts:
        rows = Letters(lambda *_: None).encode(concept.prompts)
        mean = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(axis=0)
        means.append(mean / np.linalg.norm(mean))
    placed = parts.embed(np.array(means, np.float32))
    expected = placed - placed.mean(axis=0)
    column = bank.ids.index(first.id)
    cosine = expected[0] @ bank.directions[:, column] / np.linalg.norm(expected[0])
    assert cosine == pytest.approx(1, abs=1e-3)


def test_breaking_off_leaves_no_bank(parts, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_text_bank(Vocabulary.load(), stop)
    assert not list(tmp_path.rglob("*text_bank*"))
