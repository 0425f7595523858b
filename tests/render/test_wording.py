"""Values in words: why a model abstains, and among which places it chose."""

import pytest

from geowhy.answer import Abstention, Scope
from geowhy.explanation import AVERAGE, ELSEWHERE, ConceptChange, Reference
from geowhy.render.wording import (
    among_words,
    changes_words,
    reason_sentence,
    reference_words,
    scope_sentence,
)
from geowhy.types import LatLon


def test_an_abstention_says_what_was_measured_and_the_limit():
    assert reason_sentence(Abstention("novel", 3.14, 1.5)) == (
        "The image is unlike those that the model was trained on (novelty 3.1, limit 1.5)."
    )
    assert reason_sentence(Abstention("too_wide", 4321.0, 2000.0)) == (
        "It could be almost anywhere (radius 4,321 km at 50 %, limit 2,000 km)."
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
