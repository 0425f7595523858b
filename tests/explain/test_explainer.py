"""Long explanations of the model that comes with geowhy."""

from pathlib import Path

import numpy as np
import pytest

from geowhy.errors import ConfigError, CoordinateError
from geowhy.explain.explainer import Question, changed, parse_changes
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator
from geowhy.model.terms import total_scores
from geowhy.types import LatLon

VIEW = Path(__file__).parent.parent / "data" / "views" / "view-africa.png"
PERTH = (-31.95, 115.86)


@pytest.fixture(scope="module")
def locator():
    return Locator.from_pretrained()


def total(explanation):
    return sum(c.contribution for c in explanation.contributions) + explanation.unexplained


@pytest.mark.parametrize("against", ["elsewhere", "average", "runner-up", PERTH, LatLon(*PERTH)])
def test_contributions_add_up_against_any_reference(locator, against):
    explanation = locator.explain(VIEW, against=against, sparse=None)
    assert total(explanation) == pytest.approx(explanation.score, abs=1e-6)
    assert sum(explanation.by_category.values()) == pytest.approx(explanation.score, abs=1e-6)


def test_against_a_coordinate_is_the_difference_of_logits(locator):
    from geowhy.images.reading import read_image

    decoded = locator.engine.decode([read_image(VIEW).pixels])[0]
    there = locator.engine.model.location_side([PERTH])
    rows, weights = locator.engine.contest(decoded).answer
    here = locator.engine.gallery.side.rows(rows)
    logit, logits = (
        total_scores(locator.engine.model.terms, decoded.side, side)[0] for side in (there, here)
    )
    expected = (weights @ logits - logit[0]) / locator.engine.calibration.temperature
    explanation = locator.explain(VIEW, against=PERTH, sparse=None)
    assert explanation.score == pytest.approx(expected, abs=1e-3)
    assert explanation.against.position == LatLon(*PERTH)
    assert "Perth" in explanation.against.place


def test_a_counterfactual_is_what_the_model_says_then(locator):
    found = locator.explain(VIEW, what_if="-high country", sparse=None).what_if[0]
    prediction = locator.locate(VIEW)
    moved = distance_km(
        (prediction.position.lat, prediction.position.lon), (found.position.lat, found.position.lon)
    )
    assert found.moved_km == pytest.approx(moved, rel=1e-6)
    assert 0 < found.probability_after < found.probability_before < 1
    assert found.probability_before <= prediction.candidates[0].probability
    from geowhy.images.reading import read_image

    decoded = locator.engine.decode([read_image(VIEW).pixels])[0]
    evidence = locator.engine.attribution
    after = changed(evidence, decoded.side, parse_changes("-high country", evidence))
    assert locator.engine.estimate(after).lat_lon == (found.position.lat, found.position.lon)


def test_doing_nothing_changes_nothing(locator):
    """Taking a category twice is taking it once; adding what is strongest already is nothing."""
    explanation = locator.explain(VIEW, what_if=["-climate", "-climate -climate"], sparse=None)
    first, second = explanation.what_if
    assert first.moved_km == second.moved_km
    assert first.probability_after == second.probability_after


def test_usual_counterfactuals_leave_out_what_speaks_for_the_place(locator):
    explanation = locator.examine(VIEW).prediction.explanation
    strongest = [c.name for c in explanation.speaking_for(3)]
    asked = [found.change for found in explanation.what_if]
    assert asked[:3] == [f"-{name}" for name in strongest]
    assert asked[3].removeprefix("-") in explanation.by_category


def test_the_sparse_form_tells_as_much_as_was_asked(locator):
    found = locator.explain(VIEW, sparse=0.8).sparse
    assert found.reproduced >= found.asked == 0.8
    assert len(found.concepts) < 40
    assert found.cosine**2 >= found.reproduced - 1e-6


def test_maps_of_the_answer_and_of_what_speaks_for_it(locator):
    explanation = locator.explain(VIEW, regions="occlusion", sparse=None)
    names = [each.of for each in explanation.evidence]
    assert names == ["the answer", *(c.name for c in explanation.speaking_for(3))]
    assert all(each.evidence.shape == (8, 8) for each in explanation.evidence)


def test_what_is_stated_is_likely_and_speaks_for_the_place(locator):
    explanation = locator.explain(VIEW, sparse=None)
    stated = explanation.stated(5)
    assert stated
    assert all(c.probability >= 0.5 and c.contribution > 0 and c.present for c in stated)
    assert {c.name for c in stated} <= {c.name for c in explanation.contributions}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"against": "nowhere"}, ConfigError),
        ({"against": (91.0, 0.0)}, CoordinateError),
        ({"what_if": "-dessert"}, ConfigError),
        ({"regions": "patches"}, ConfigError),
        ({"sparse": 2.0}, ConfigError),
    ],
)
def test_questions_without_an_answer_are_refused(locator, asked, error):
    with pytest.raises(error):
        locator.explain(VIEW, **asked)


def test_one_region_alone_has_a_place_to_be_held_against(locator):
    within = locator.within("Lesotho")
    examined = within.examine(VIEW, Question(sparse=None, what_if=()))
    assert np.isfinite(examined.prediction.explanation.score)


def test_the_same_question_gets_the_same_answer_whichever_way_it_is_asked(locator):
    examined = locator.examine(VIEW).prediction.explanation
    assert locator.explain(VIEW).what_if == examined.what_if
    assert locator.explain(VIEW, what_if=(), sparse=None).what_if == ()
