"""Evidence beside the image's: it adds up in the ledger, and both decoders honour it alike."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import geowhy
from geowhy.errors import ConfigError, DataError
from geowhy.geo.regions import Region
from geowhy.images.reading import read_image
from geowhy.locator import Locator

VIEW = Path(geowhy.__file__).parent / "data" / "demo" / "view-africa.png"


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


@pytest.fixture(scope="module")
def side(engine):
    return engine.sides([read_image(VIEW).pixels])


def test_a_field_is_a_term_of_the_ledger_and_moves_the_answer(engine, side):
    plain, moved = engine.posterior(side), engine.with_evidence(NorthOf(40.0, 50.0))
    posterior = moved.posterior(side)
    assert [term.source for term in posterior.ledger] == ["concepts", "maps", "toy"]
    assert posterior.ledger[0].log_likelihood == pytest.approx(plain.ledger[0].log_likelihood)
    assert moved.estimate(side).lat_lon[0] > 35 > engine.estimate(side).lat_lon[0]


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
