"""What a likeness is worth in the search is read off pictures whose places are known."""

import numpy as np
import pytest

from geowhy.geo.sphere import uniform_on_sphere
from geowhy.orbit.gallery import GalleryPlaces
from geowhy.training.orbit.search import fit_search_scale


def drawn(scale, count=300, places=400):
    """Likenesses to places far apart, and pictures at one each, as probable as the scale says."""
    rng = np.random.default_rng(0)
    known = GalleryPlaces(uniform_on_sphere(places, rng), rng.choice([50.0, 200.0], places))
    likeness = rng.normal(0.5, 0.15, (count, places)).astype(np.float32)
    nats = scale * likeness + known.log_share
    shares = np.exp(nats - nats.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    at = np.array([rng.choice(places, p=share) for share in shares])
    return known, likeness, known.lat_lon[at], known.width_km[at]


@pytest.mark.parametrize("scale", [8.0, 30.0])
def test_the_scale_is_that_under_which_pictures_were_drawn(scale):
    assert fit_search_scale(*drawn(scale)) == pytest.approx(scale, rel=0.25)


def test_a_picture_of_no_known_place_tells_nothing():
    places, likeness, lat_lon, width_km = drawn(20.0, count=60)
    alone = fit_search_scale(places, likeness, lat_lon, width_km)
    unknown = np.concatenate([width_km, np.full(60, 5_000.0)])
    both = fit_search_scale(places, np.tile(likeness, (2, 1)), np.tile(lat_lon, (2, 1)), unknown)
    assert both == alone
