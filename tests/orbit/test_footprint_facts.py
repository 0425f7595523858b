"""The facts of a footprint are those of the land that it covers, at its own width."""

import numpy as np
import pytest

from geowhy.concepts.grounding import parse_grounding
from geowhy.concepts.vocabulary import Concept, Vocabulary
from geowhy.geo.atlas import Atlas
from geowhy.geo.pose import Poses
from geowhy.orbit.footprint_facts import FACTS, FootprintReader

ATLAS = Atlas.load()
SAHARA, NICE, OCEAN = (22.7, -4.0), (43.75, 7.2), (0.0, -30.0)


def concept(id_, grounding, category="climate"):
    prompts = ("one", "two", "three")
    return Concept(id_, id_, category, id_, prompts, parse_grounding(grounding, ATLAS), True)


VOCABULARY = Vocabulary(
    (
        concept("desert", "koppen_30 == 'BWh'"),
        concept("coast", "distance_to_coast_km < 15", "water and coast"),
        concept("coast_as_area", "distance_to_coast_km < 15"),
        concept("warmth", "temperature_mean"),
    )
)
DESERT, COAST, COAST_AS_AREA, WARMTH = range(4)


@pytest.fixture(scope="module")
def reader():
    return FootprintReader(VOCABULARY)


def footprints(places, widths):
    return Poses(np.array(places), np.array(widths), np.zeros(len(places)))


def test_a_class_is_a_share_of_the_land_and_a_degree_its_mean(reader):
    poses = footprints([SAHARA, NICE], [300.0, 600.0])
    facts = reader.read(poses)
    line = (np.arange(7) - 3) / 7
    plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    for row in (0, 1):
        points = poses.ground(plane)[row]
        land = points[ATLAS.is_land(points)]
        said = VOCABULARY.truth(ATLAS, land)
        assert facts.truth[row] == pytest.approx(np.nanmean(said, axis=0), rel=1e-5)
        assert facts.ground[row, FACTS.index("land")] == pytest.approx(len(land) / 49)
        wind = ATLAS.layer("wind").at(land)
        found = facts.ground[row, [FACTS.index("wind mean"), FACTS.index("wind spread")]]
        assert found == pytest.approx([np.nanmean(wind), np.nanstd(wind)], rel=1e-4)
    assert 0.3 < facts.ground[1, 0] < 0.95
    assert facts.truth[0, DESERT] == 1


def test_a_wider_footprint_has_facts_of_its_own(reader):
    narrow, wide = reader.read(footprints([SAHARA, SAHARA], [150.0, 6000.0])).truth
    assert narrow[DESERT] == 1
    assert wide[DESERT] < 0.9


def test_only_the_part_of_the_square_that_a_picture_shows_counts(reader):
    """Chile is long from north to south, and narrow from west to east."""
    chile = Poses([(-30.0, -70.3)] * 2, 1500.0, [0.0, 90.0])
    from_west, from_north = reader.read(chile, (1, 9)).ground[:, 0]
    assert from_north > 0.9
    assert from_west < 0.7


def test_a_coast_holds_anywhere_and_an_area_by_a_quarter(reader):
    facts = reader.read(footprints([NICE], [1500.0]))
    assert 0 < facts.truth[0, COAST] == facts.truth[0, COAST_AS_AREA] < 0.25
    holds = reader.holds(facts)[0]
    assert (holds[COAST], holds[COAST_AS_AREA]) == (1, 0)


def test_a_degree_holds_above_the_mean_of_the_land(reader):
    poses = footprints([SAHARA, (55.0, 40.0)], [300.0, 300.0])
    assert reader.holds(reader.read(poses))[:, WARMTH].tolist() == [1, 0]


def test_where_there_is_no_land_nothing_is_known(reader):
    facts = reader.read(footprints([OCEAN, SAHARA], [200.0, 200.0]))
    assert np.isnan(facts.truth[0]).all()
    assert np.isnan(reader.holds(facts)[0]).all()
    assert (facts.numbers[0] == 0).all()
    assert facts.numbers.shape == (2, len(FACTS) + 4)
    assert np.isfinite(facts[[1]].truth).all()
    assert len(facts[[1]]) == 1
    nothing = reader.read(footprints([OCEAN], [200.0]))
    assert np.isnan(nothing.truth).all()


def test_the_packaged_vocabulary_is_told_of_any_footprint():
    seen = Vocabulary.load().seen
    facts = FootprintReader(seen).read(footprints([SAHARA, NICE, OCEAN], [150.0, 3000.0, 300.0]))
    ids = [each.id for each in seen.concepts]
    assert facts.truth.shape == (3, len(ids))
    assert facts.truth[0, ids.index("hot_desert_climate")] == 1
    assert facts.truth[0, ids.index("rainforest")] == 0
