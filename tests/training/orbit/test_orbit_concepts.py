"""Concepts of pictures from above are learnt, promise what holds, and survive their folder."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geowhy.concepts.bank import BANK_FILE
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError, ModelFormatError
from geowhy.evaluation.estimates import auc
from geowhy.evaluation.orbit.stated import FIRST, StatedTruth
from geowhy.explain.concept_probability import FittedProbability
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.pose import Poses, picture_plane
from geowhy.images.overhead import WorldImage
from geowhy.model.attribution import LinearAttribution
from geowhy.model.store import ModelFolder, write_model
from geowhy.model.terms import Encoded, total_scores
from geowhy.orbit.concepts import OrbitConcepts, Statements
from geowhy.orbit.footprint_facts import FootprintReader
from geowhy.training.config import AlignmentConfig, LocationConfig, OptimiserConfig
from geowhy.training.orbit.concepts import train_concepts
from geowhy.training.orbit.config import ConceptsConfig, LookConfig, PairsConfig
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.queries import Queries, cut_queries, learnable_facts
from geowhy.training.orbit.statements import fit_statements

IDS = ("arid_climate", "cold_climate", "coastal", "forest", "elevation", "warmth", "flat")
VOCABULARY = Vocabulary.load(compared=False).only(IDS)
READER = FootprintReader(VOCABULARY)
FEATURES = 24
CONFIG = ConceptsConfig(
    location=LocationConfig(
        sigmas=(), surroundings=32, size=12, pretraining_steps=100, pretraining_batch=64
    ),
    alignment=AlignmentConfig(
        target_sigma_km=0.0, grounding_weight=2.0, whitened=16, hidden=32, concept_hidden=16
    ),
    optimiser=OptimiserConfig(steps=150, batch=64, queue=0, rate=3e-3, validate_every=100),
)


class NoBars:
    def stage(self, name):
        return lambda done, total: None


def poses(count, seed):
    rng = np.random.default_rng(seed)
    places = uniform_on_land(Atlas.load(), count, rng)
    return Poses(places, 150 * 10 ** rng.random(count), 360 * rng.random(count))


def seen(at, seed=0):
    """Queries whose features are a mixture of what the land is like, with some noise."""
    points = at.ground(picture_plane((7, 7)).reshape(-1, 2))
    facts = READER.at(points).numbers
    mixture = np.random.default_rng(1).normal(size=(facts.shape[1], FEATURES))
    pooled = (facts / (np.abs(facts).mean(axis=0) + 1e-3)) @ mixture
    noise = np.random.default_rng(seed).normal(size=pooled.shape)
    return Queries(np.asarray(pooled + noise, np.float32), at.lat_lon, points)


@pytest.fixture(scope="module")
def concepts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train_concepts(seen(poses(800, 0)), VOCABULARY, CONFIG, folder, False, NoBars())


@pytest.fixture(scope="module")
def unseen():
    return poses(200, 5)


def test_pictures_and_footprints_are_told_by_the_same_concepts(concepts, unseen):
    queries, facts = seen(unseen, 2), READER.read(unseen)
    assert concepts.bank.ids == tuple(c.id for c in VOCABULARY.concepts)
    images, places = concepts.images(queries.pooled), concepts.places(unseen)
    at_places = (places.scaled * places.length) @ concepts.aligner.basis
    holds = READER.holds(facts)
    for scores, least in ((images.concepts, 0.75), (at_places, 0.85)):
        found = [
            auc(*(side[~np.isnan(h)] for side in (h, s)))
            for h, s in zip(holds.T, scores.T, strict=True)
        ]
        assert np.mean(found) > least
    scores = total_scores([concepts.term()], Encoded((images,)), Encoded((places,)))
    assert np.median((scores > np.diag(scores)[:, None]).mean(axis=1)) < 0.1


def test_scores_of_footprints_are_in_deviations_of_the_truth(concepts, unseen):
    places, truth = concepts.places(unseen), READER.read(unseen).truth
    scores = (places.scaled * places.length) @ concepts.aligner.basis
    for number in range(len(IDS)):
        known = ~np.isnan(truth[:, number])
        standard = (truth[known, number] - truth[known, number].mean()) / truth[known, number].std()
        slope, offset = np.polyfit(scores[known, number], standard, 1)
        assert slope == pytest.approx(1, abs=0.4)
        assert offset == pytest.approx(0, abs=0.35)


def stated(concepts, images, answers, reference):
    """What is stated of each picture, for the footprint that it was answered with."""
    attribution, likely = LinearAttribution([concepts.term()], 1.0), FittedProbability(concepts)
    for number in range(len(images.concepts)):
        image, place = (Encoded((side.rows(np.array([number])),)) for side in (images, answers))
        plain = attribution.explain(image, place, reference)
        probable = likely.with_probabilities(plain.contributions, image)
        yield [c.name for c in replace(plain, contributions=probable).stated(FIRST)]


def test_the_stated_concepts_hold(concepts, unseen):
    images, places = concepts.images(seen(unseen, 2).pooled), concepts.places(unseen)
    average = Encoded((places,)).average()

    def truth_of(answers):
        return StatedTruth.of([*stated(concepts, images, answers, average)], unseen, IDS)

    found = truth_of(places)
    assert found.stated.value > 0.85
    assert found.stated.value > found.most_frequent.value
    assert 1 < found.count < 5
    wrong = truth_of(places.rows(np.roll(np.arange(len(unseen)), 1)))
    assert wrong.stated.value < found.stated.value
    nothing = truth_of(average.parts[0].rows(np.zeros(200, int)))
    assert nothing.silent == 1
    assert np.isnan(nothing.stated.value)


def test_what_is_promised_comes_true_as_often(concepts, unseen):
    probability = concepts.probabilities(concepts.images(seen(unseen, 2).pooled))
    holds = READER.holds(READER.read(unseen))
    known = ~np.isnan(holds)
    assert probability[known].mean() == pytest.approx(holds[known].mean(), abs=0.05)
    sure = known & (probability > 0.8)
    assert holds[sure].mean() > 0.8


def test_contributions_add_up_and_an_edit_moves_the_score(concepts, unseen):
    images, places = concepts.images(seen(unseen, 2).pooled), concepts.places(unseen)
    term, one = concepts.term(), Encoded((images.rows(np.array([3])),))
    scores = term.scores(one, Encoded((places,)))
    shares, rest = term.contributions(one, Encoded((places,)))
    assert shares.sum(axis=1) + rest == pytest.approx(scores[0], abs=1e-3)
    without = term.edited(one, lambda z: np.where(np.arange(z.shape[1]) == 2, 0, z))
    moved = term.scores(Encoded((without,)), Encoded((places,)))
    assert moved[0] == pytest.approx(scores[0] - shares[:, 2], abs=1e-3)


def test_an_explanation_names_probabilities(concepts, unseen):
    images, places = concepts.images(seen(unseen, 2).pooled), concepts.places(unseen)
    image, place = (Encoded((side.rows(np.array([0])),)) for side in (images, places))
    plain = LinearAttribution([concepts.term()], 1.0).explain(
        image, place, Encoded((places,)).average()
    )
    told = FittedProbability(concepts).with_probabilities(plain.contributions, image)
    expected = dict(zip(concepts.bank.names, concepts.probabilities(images)[0], strict=True))
    assert {c.name: c.probability for c in told} == expected


def test_they_survive_their_folder(concepts, unseen, tmp_path):
    write_model(
        tmp_path / "model",
        {"concepts": concepts.config},
        {"model": concepts.tensors},
        {BANK_FILE: concepts.bank.to_bytes()},
    )
    found = OrbitConcepts.load(ModelFolder.open(tmp_path / "model"))
    pooled = seen(unseen, 2).pooled
    for name in ("concepts", "length"):
        own, read = (getattr(each.images(pooled), name) for each in (concepts, found))
        np.testing.assert_array_equal(own, read)
    for name in ("scaled", "length"):
        own, read = (getattr(each.places(unseen), name) for each in (concepts, found))
        np.testing.assert_array_equal(own, read)
    promised = [each.probabilities(each.images(pooled)) for each in (concepts, found)]
    np.testing.assert_array_equal(*promised)


@pytest.mark.parametrize(
    "lost", ["statements/slope", "alignment/offset", "location/surroundings.mean"]
)
def test_a_folder_that_lacks_a_part_is_refused(concepts, tmp_path, lost):
    tensors = {name: array for name, array in concepts.tensors.items() if name != lost}
    bank = {BANK_FILE: concepts.bank.to_bytes()}
    folder = write_model(tmp_path / "m", {"concepts": concepts.config}, {"model": tensors}, bank)
    with pytest.raises(ModelFormatError, match=lost.partition("/")[2]):
        OrbitConcepts.load(folder)


def test_concepts_that_footprints_do_not_tell_apart_are_left_out(tmp_path):
    queries = seen(poses(400, 3))
    rare = Vocabulary.load(compared=False).only(("arid_climate", "ice_sheet"))
    everyone = np.ones(400, bool)
    reader, facts = learnable_facts(rare, queries, everyone)
    assert [c.id for c in reader.vocabulary.concepts] == ["arid_climate"]
    np.testing.assert_allclose(facts.truth, READER.at(queries.points).truth[:, [0]], rtol=1e-6)
    with pytest.raises(DataError, match="cut more queries"):
        learnable_facts(rare, queries[:40], everyone[:40])


def test_cells_are_held_back_whole():
    queries = seen(poses(600, 4))
    back = queries.in_cells(0.2, seed=0)
    assert back.mean() == pytest.approx(0.2, abs=0.1)
    block = np.floor(queries.lat_lon / 10) @ [100, 1]
    assert not set(block[back]) & set(block[~back])


def test_queries_are_cut_once_and_know_their_ground():
    rng = np.random.default_rng(0)
    world = WorldImage(rng.integers(0, 256, (180, 360, 3)).astype(np.uint8))
    source = PairSource(
        {"bmng": world}, PairsConfig(worlds={"bmng": 1.0}), LookConfig(plain=0.0), "cpu"
    )
    torch.manual_seed(0)
    told = []
    found = cut_queries(
        300,
        lambda count: source.poses(count, 150.0, 3000.0),
        lambda some: source.queries(some, 8),
        lambda pictures: torch.stack([pictures.mean((2, 3)), pictures.amax((2, 3))], dim=1),
        lambda done, total: told.append((done, total)),
    )
    assert (len(found), found.pooled.shape, found.points.shape) == (300, (300, 6), (300, 49, 2))
    assert told == [(256, 300), (300, 300)]
    np.testing.assert_allclose(found.points[:, 24], found.lat_lon, atol=1e-3)
    assert (found.pooled[:, :3] <= found.pooled[:, 3:]).all()
    assert (found.pooled[:, :3].std(axis=0) > 0.01).all()


def test_curves_are_the_likeliest_and_never_fall():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 4)).astype(np.float32)
    log_odds = scores * [2.0, 0.7, -1.0, 1.0] + [-1.0, 0.5, 0.0, 0.0]
    holds = (rng.random(scores.shape) < 1 / (1 + np.exp(-log_odds))).astype(np.float32)
    holds[:, 3] = 0
    holds[::2, 1] = np.nan
    found = fit_statements(scores, holds)
    assert found.slope[:3] == pytest.approx([2.0, 0.7, 0.0], abs=0.1)
    assert found.offset[:2] == pytest.approx([-1.0, 0.5], abs=0.1)
    assert (found.probabilities(scores)[:, 3] < 0.01).all()
    assert found.probabilities(np.zeros((1, 4), np.float32))[0, 2] == pytest.approx(0.5, abs=0.02)
    assert isinstance(found, Statements)
