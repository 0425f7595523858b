"""Values in words: why a model abstains, and among which places it chose."""

import pytest

from geowhy.answer import Abstention, Agreement, FileRecord, Prediction, Scope
from geowhy.explanation import AVERAGE, ELSEWHERE, ConceptChange, Explanation, Reference
from geowhy.render.wording import (
    among_words,
    as_text,
    changes_words,
    direction,
    pose_sentence,
    reason_sentence,
    reference_words,
    scope_sentence,
    verdict_sentence,
)
from geowhy.types import LatLon


def test_an_abstention_says_what_was_measured_and_the_limit():
    assert reason_sentence(Abstention("novel", 3.14, 1.5)) == (
        "The image is unlike those that the model was trained on (novelty 3.1, limit 1.5)."
    )
    assert reason_sentence(Abstention("too_wide", 4321.0, 2000.0)) == (
        "It could be almost anywhere (radius 4,321 km at 50 %, limit 2,000 km)."
    )


def test_a_picture_without_a_match_says_how_probable_that_is():
    assert reason_sentence(Abstention("no_match", 0.83, 0.5)) == (
        "It agrees with no place on Earth that the model knows (83 % probable that it is of none, "
        "limit 50 %)."
    )


@pytest.mark.parametrize(
    ("scope", "sentence", "among"),
    [
        (Scope(192_000), "", ""),
        (
            Scope(1_234, region="Brazil"),
            "Only places in Brazil were considered.",
            "among the 1,234 places considered",
        ),
        (
            Scope(1_234, region="Brazil", outside_weight=0.1),
            "Places outside Brazil counted 0.1 of one inside.",
            "",
        ),
        (
            Scope(4, is_own=True),
            "Only the given places were considered.",
            "among the 4 places considered",
        ),
        (
            Scope(1, is_own=True, region="Brazil"),
            "Only the given places in Brazil were considered.",
            "the only place considered",
        ),
        (
            Scope(4, is_own=True, region="Brazil", outside_weight=0.1),
            "Only the given places were considered; those outside Brazil counted 0.1 of one "
            "inside.",
            "among the 4 places considered",
        ),
    ],
)
def test_the_choice_of_places_is_said_where_the_user_made_it(scope, sentence, among):
    assert scope_sentence(scope) == sentence
    assert among_words(scope) == among


def test_references_and_changes_in_words():
    assert reference_words(ELSEWHERE) == "everywhere else"
    assert reference_words(AVERAGE) == "the average place"
    paris = LatLon(48.9, 2.4)
    assert reference_words(Reference("place", paris, "near Paris, France")) == (
        "the place near Paris, France"
    )
    assert reference_words(Reference("runner-up", paris, "near Paris, France")) == (
        "the runner-up, near Paris, France"
    )
    changes = (
        ConceptChange("desert", "without"),
        ConceptChange("coast", "with"),
        ConceptChange("climate", "twice"),
    )
    assert changes_words(changes) == "without desert and with coast and with twice the climate"


def posed(**pose):
    where = LatLon(9.0, 1.0)
    said = Explanation(1.0, (), 1.0)
    return Prediction("a.png", where, 3.0, 9.0, (), said, "fake", Scope(5), **pose)


@pytest.mark.parametrize(
    ("heading_deg", "words"),
    [
        (0.0, "north (0°)"),
        (359.7, "north (0°)"),
        (22.0, "north (22°)"),
        (23.0, "north-east (23°)"),
        (180.2, "south (180°)"),
        (338.0, "north (338°)"),
        (337.0, "north-west (337°)"),
        (-90.0, "west (270°)"),
    ],
)
def test_a_heading_has_the_nearest_of_eight_directions(heading_deg, words):
    assert direction(heading_deg) == words


def test_an_answer_says_how_the_picture_lies_and_whether_that_was_verified():
    known = posed(heading_deg=40.2, width_km=412.0, verified=True)
    pose = "The picture is 410 km wide and its top points north-east (40°)."
    assert pose_sentence(known) == pose
    assert verdict_sentence(known).endswith("verified.")
    assert as_text(known).splitlines()[2:] == [f"  {pose}", f"  {verdict_sentence(known)}"]
    assert verdict_sentence(posed(verified=False)).startswith("Not verified")
    measured = posed(verified=True, agreement=Agreement(0.714, 0.24))
    assert "(edges: 0.71; next best place 0.24): verified." in verdict_sentence(measured)
    alone = posed(verified=False, agreement=Agreement(0.1))
    assert verdict_sentence(alone).endswith("well enough (edges: 0.10).")
    assert pose_sentence(posed(heading_deg=180.0)) == "The picture's top points south (180°)."
    assert pose_sentence(posed()) == verdict_sentence(posed()) == ""


@pytest.mark.parametrize("abstention", [None, Abstention("novel", 3.0, 1.5)])
def test_what_the_file_says_stands_below_the_answer_and_apart_from_it(abstention):
    said = FileRecord(LatLon(-33.5, 151.0), "georeference", 310.0)
    answer = posed(notes=("a note",), file_says=said, abstention=abstention)
    *_, note, record = as_text(answer).splitlines()
    assert note == "  Note: a note."
    assert record == (
        "  The file itself says 33.50° S, 151.00° E, 310 km wide (georeference); "
        "that took no part in the answer."
    )
