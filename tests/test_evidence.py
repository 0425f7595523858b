"""Evidence beside the image's: it adds up in the ledger, and both decoders honour it alike."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from geowhy.errors import ConfigError, DataError
from geowhy.geo.regions import Region
from geowhy.images.reading import read_image
from geowhy.locator import Locator

VIEW = Path(__file__).parent / "data" / "views" / "view-africa.png"
STRONG = 200.0  # nats: more than any picture says


@dataclass(frozen=True)
class NorthOf:
    """A toy: places south of a latitude count ``e**-nats`` of the others."""

    latitude: float
    nats: float
    source: str = "toy"
    is_prior: bool = False

    def log_likelihood(self, lat_lon):
        return np.where(lat_lon[:, 0] >= self.latitude, 0.0, -self.nats)


@pytest.fixture(scope="module")
def engine():
    return Locator.from_pretrained("embedded").engine


def test_a_field_is_a_term_of_the_ledger_and_moves_the_answer(engine):
    pixels = [read_image(VIEW).pixels]
    moved = engine.with_evidence(NorthOf(40.0, STRONG))
    side, plain = moved.sides(pixels), engine.posterior(engine.sides(pixels))
    posterior = moved.posterior(side)
    sources = [term.source for term in posterior.ledger]
    assert sources == [*(term.source for term in plain.ledger), "toy"]
    own, alone = (
        dict(zip(p.rows, p.ledger[0].log_likelihood, strict=True)) for p in (posterior, plain)
    )
    assert plain.rows[0] in own
    both = own.keys() & alone.keys()
    assert [own[row] for row in both] == pytest.approx([alone[row] for row in both])
    assert moved.estimate(side).lat_lon[0] > 35
    assert engine.estimate(engine.sides(pixels)).lat_lon[0] < 35


def test_a_field_is_part_of_the_explanation_and_of_what_if(engine):
    moved = Locator(engine.with_evidence(NorthOf(40.0, STRONG)))
    explanation = moved.explain(VIEW, what_if="-toy", sparse=None)
    total = sum(c.contribution for c in explanation.contributions) + explanation.unexplained
    assert total == pytest.approx(explanation.score, abs=1e-4)
    toy = next(c for c in explanation.contributions if c.name == "toy")
    assert toy.category == "evidence"
    assert toy.contribution > -1e-6  # of the rivals, too, hardly one is in the south
    plain = Locator(engine).locate(VIEW)
    without = explanation.what_if[0].position
    assert (without.lat, without.lon) == pytest.approx(
        (plain.position.lat, plain.position.lon), abs=1e-3
    )
    there = moved.explain(VIEW, against=(-30.0, 25.0), sparse=None)
    toy = next(c for c in there.contributions if c.name == "toy")
    assert toy.contribution == pytest.approx(STRONG, abs=0.1)


@pytest.mark.parametrize("values", [np.zeros(3), np.inf, np.nan, -np.inf])
def test_a_field_that_gives_no_numbers_is_refused_by_its_name(engine, values):
    class Broken(NorthOf):
        def log_likelihood(self, lat_lon):
            return values if np.ndim(values) else np.full(len(lat_lon), values)

    with pytest.raises(ConfigError, match="'broken'"):
        engine.with_evidence(Broken(0, 0, "broken"))


@pytest.mark.parametrize("outside", [-0.1, 1.5])
def test_a_weight_that_is_no_share_is_refused(engine, outside):
    with pytest.raises(DataError, match="give 0 to 1"):
        engine.within(Region.parse("Brazil"), outside)
