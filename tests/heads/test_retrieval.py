"""Two decoders weigh places alike: prior, temperature, and half of the evidence."""

from dataclasses import dataclass

import numpy as np
import pytest

from geowhy.evidence import FieldTerm
from geowhy.geo.cells import CellGrid
from geowhy.geo.sphere import lat_lon_to_unit, uniform_on_sphere
from geowhy.heads.gallery import CELL_RESOLUTION, Gallery
from geowhy.heads.retrieval import DensityHead, RetrievalHead
from geowhy.model.concept_terms import EmbeddingImages, EmbeddingPlaces, EmbeddingTerm
from geowhy.model.terms import Encoded
from geowhy.posterior.calibration import Calibration
from geowhy.posterior.ledger import Contest

PLACES = 60
SCALE = 12.0
BASIS = np.eye(3, dtype=np.float32)
TERMS = (EmbeddingTerm(tuple("abc"), ("",) * 3, BASIS, BASIS, SCALE),)


@pytest.fixture
def scene():
    """A gallery on which unit vectors are scored against each other, and one image."""
    rng = np.random.default_rng(0)
    lat_lon = uniform_on_sphere(PLACES, rng)
    units = lat_lon_to_unit(lat_lon).astype(np.float32)
    side = Encoded((EmbeddingPlaces(units, np.ones((PLACES, 1), np.float32)),))
    gallery = Gallery.of(lat_lon, CellGrid.build(lat_lon, CELL_RESOLUTION), side)
    image = Encoded((EmbeddingImages(units[7:8]),))
    prior = np.where(rng.random(PLACES) < 0.5, 0.0, np.log(0.05)).astype(np.float32)
    term = FieldTerm((Known(prior),), 1.0)
    side = Encoded((*side.parts, term.encode_places(lat_lon)))
    image = Encoded((*image.parts, term.encode_images(1)))
    return Gallery.of(lat_lon, gallery.grid, side), image, prior


@dataclass(frozen=True)
class Known:
    """Evidence that was known beforehand."""

    values: np.ndarray
    source: str = "region"
    is_prior: bool = True

    def log_likelihood(self, lat_lon):
        return self.values


def posteriors(scene, temperature):
    gallery, image, prior = scene
    calibration = Calibration(temperature=temperature)
    evidence = FieldTerm((Known(prior),), temperature)
    for head in (DensityHead, RetrievalHead):
        posterior = next(head(TERMS, gallery, calibration, evidence).posteriors(image))
        yield posterior, np.argsort(posterior.rows)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_both_weigh_places_alike_and_halve_the_evidence_but_not_the_prior(scene, temperature):
    (dense, _), (kept, order) = posteriors(scene, temperature)
    units = scene[0].side.part(EmbeddingPlaces).unit
    expected = SCALE * units @ units[7] / temperature
    for evidence, ours in ((1.0, "probability"), (0.5, "half")):
        weights = np.exp(evidence * expected + scene[2])
        for posterior, rows in ((dense, np.arange(PLACES)), (kept, order)):
            found = posterior.probability
            if ours == "half":
                found = posterior.with_half_of_the_evidence()
            assert found[rows] / found.sum() == pytest.approx(weights / weights.sum(), rel=1e-3)


def test_a_runner_up_is_there_however_few_candidates_are_asked_for(scene):
    gallery, image, _ = scene
    head = RetrievalHead(TERMS, gallery, Calibration())
    posterior = next(head.posteriors(image))
    contest = Contest.of(posterior, head.estimate(posterior, 1))
    assert contest.answer[0].tolist() == [7]
    cells = gallery.grid.point_to_cell
    assert cells[contest.runner_up[1][0][0]] != cells[7]
