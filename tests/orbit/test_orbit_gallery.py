"""Places at several widths, and the search among their descriptions."""

import numpy as np
import pytest

from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.orbit.gallery import GalleryPlaces, OrbitGallery, distinct_places, gallery_places


@pytest.fixture(scope="module")
def places():
    return gallery_places(1_500.0, 2_000.0, 1.3, 0.5, 0.1)


def test_coasts_lie_in_a_picture(places):
    assert set(places.width_km) == {1_500.0, 1_950.0}
    coasts = np.array([[64.1, -21.9], [-54.8, -68.3], [35.2, 25.1]])  # Iceland, Fuegia, Crete
    for width_km in (1_500.0, 1_950.0):
        of_width = places.lat_lon[places.width_km == width_km]
        nearest = distance_matrix_km(coasts, of_width).min(axis=1)
        assert (nearest < 0.36 * width_km).all()


def test_open_sea_is_no_place(places):
    middle = np.array([[-48.9, -123.4]])  # farthest from all land
    assert distance_matrix_km(middle, places.lat_lon).min() > 1_000


def test_places_of_a_width_are_about_as_far_apart_as_asked(places):
    of_width = places.lat_lon[places.width_km == 1_500.0]
    away = distance_matrix_km(of_width, of_width)
    np.fill_diagonal(away, np.inf)
    assert np.median(away.min(axis=1)) == pytest.approx(750.0, rel=0.15)


def test_the_search_finds_a_place_by_its_own_description():
    rng = np.random.default_rng(0)
    lat_lon = np.stack([np.linspace(-60, 70, 300), np.linspace(-170, 170, 300)], axis=1)
    described = rng.normal(size=(300, 16)).astype(np.float32)
    described /= np.linalg.norm(described, axis=1, keepdims=True)
    gallery = OrbitGallery.of(GalleryPlaces(lat_lon, np.full(300, 200.0)), described)
    rows, scores = gallery.search(described[[5, 250]], 3)
    assert [found[0] for found in rows] == [5, 250]
    assert scores[0][0] == pytest.approx(1.0, abs=0.02)
    assert (np.diff(scores[0]) <= 0).all()
    allowed = np.arange(300) != 5
    assert gallery.search(described[[5]], 3, allowed)[0][0][0] != 5
    assert gallery.described(rows[0]) == pytest.approx(described[rows[0]], abs=0.02)


def test_of_places_that_show_nearly_the_same_only_the_best_is_found():
    lat_lon = np.array([[10.0, 10.0], [10.1, 10.1], [10.0, 10.0], [40.0, 40.0]])
    places = GalleryPlaces(lat_lon, np.array([300.0, 300.0, 900.0, 300.0]))
    scores = np.array([0.8, 0.9, 0.7, 0.1], np.float32)
    assert distinct_places(places, scores, 4).tolist() == [1, 2, 3]
    assert distinct_places(places, scores, 2).tolist() == [1, 2]
    scores[1] = -np.inf
    assert distinct_places(places, scores, 4).tolist() == [0, 2, 3]


def test_many_places_are_told_apart_as_one_by_one():
    rng = np.random.default_rng(0)
    near = np.array([20.0, 30.0]) + rng.normal(0, 3.0, (2_000, 2))
    places = GalleryPlaces(near, rng.choice([150.0, 195.0, 600.0], len(near)))
    scores = rng.normal(size=len(near)).astype(np.float32)
    expected = list[int]()
    for row in np.argsort(-scores):
        away = distance_km(near[row], near[expected])
        wider = np.maximum(places.width_km[row], places.width_km[expected])
        ratio = places.width_km[row] / places.width_km[expected]
        alike = (away < 0.3 * wider) & (ratio < 1.4) & (ratio > 1 / 1.4)
        if not alike.any():
            expected.append(int(row))
    assert len(expected) > 256
    assert distinct_places(places, scores, 2_000).tolist() == expected
    assert distinct_places(places, scores, 300).tolist() == expected[:300]


def test_the_nearest_places_are_found_one_of_each_width():
    places = GalleryPlaces(
        np.array([(0, 0), (0, 10), (50, 0), (1, 9)]), np.array([500.0, 500.0, 800.0, 800.0])
    )
    assert places.nearest([(0, 8), (60, 0)]).tolist() == [[1, 3], [0, 2]]


def test_places_of_every_width_share_pictures_evenly():
    """The widest have fewer places: each stands for more ground."""
    places = gallery_places(1_000, 2_000, 1.4, 0.25, 0.1)
    shares = np.exp(places.log_share)
    by_width = [shares[places.width_km == width].sum() for width in np.unique(places.width_km)]
    assert len(by_width) == 3
    assert max(by_width) < 1.25 * min(by_width)
