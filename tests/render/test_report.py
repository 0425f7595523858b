"""The page: self-contained, escaped, and complete."""

import base64
import hashlib
import re
from itertools import pairwise

import numpy as np
import pytest

from geowhy.answer import Candidate, Scope
from geowhy.explanation import (
    ConceptChange,
    ConceptScore,
    Counterfactual,
    EvidenceMap,
    Explanation,
    Reference,
    SparseForm,
)
from geowhy.render.report import Provenance, html_report
from geowhy.render.wording import concept_words, coordinates, kilometres, log_odds, percent
from geowhy.types import LatLon

from .pages import Page, entry

HOSTILE = '<script>alert("x")</script>\'.png'
TWO = (
    Candidate(LatLon(9.4075, -0.8393), 0.34, "near Tamale, Ghana"),
    Candidate(LatLon(-9.6, -40.7), 0.2, "near Petrolina, Brazil"),
)
FOUND = Counterfactual(
    "-savanna",
    (ConceptChange("savanna", "without"),),
    LatLon(0, 0),
    "at sea",
    1100.0,
    0.34,
    0.12,
    0.5,
)


def full(**changes):
    """An explanation that has everything."""
    values = {
        "score": 1.25,
        "contributions": (
            ConceptScore("savanna", 1.0, True, "climate"),
            ConceptScore("coast", -0.25, True, "water"),
        ),
        "unexplained": 0.5,
        "against": Reference("place", LatLon(48.9, 2.4), "near Paris, France"),
        "sparse": SparseForm((ConceptScore("savanna", 1.2, True),), 0.9, 0.93, 0.97, 1.2),
        "what_if": (FOUND,),
        "evidence": (
            EvidenceMap("the answer", np.eye(4, dtype=np.float32), "occlusion"),
            EvidenceMap("savanna", np.eye(4, dtype=np.float32), "occlusion"),
        ),
    }
    return Explanation(**{**values, **changes})


def whole(**changes):
    return html_report([entry(explanation=full(**changes), candidates=TWO)])


def test_nothing_is_loaded_and_nothing_runs_but_the_script_of_the_maps():
    text = html_report([entry(explanation=full()), entry(truth=LatLon(0, 0))])
    page = Page(text)
    assert not re.search(r"https?:|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert all(image["href"].startswith("data:image/") for image in page.all("image"))
    assert all(use["href"].startswith("#") for use in page.all("use"))
    assert page.all("script") == [{}]
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    assert page.all("link") == []


def test_the_policy_allows_just_that_script():
    text = html_report([entry()])
    (policy,) = [each["content"] for each in Page(text).all("meta") if "http-equiv" in each]
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )


def test_what_only_a_script_can_do_is_hidden_without_it():
    page = Page(html_report([entry()]))
    hidden = [each["class"] for _, each in page.tags if "hidden" in each]
    assert hidden == ["controls", "hint soft small"]
    assert [each["aria-label"] for each in page.all("button")] == [
        "Zoom in",
        "Zoom out",
        "Whole Earth",
        "Answer",
    ]


def test_every_picture_and_map_has_words():
    page = Page(html_report([entry(), entry(caption="")]))
    assert [image["alt"] for image in page.all("img")] == ["A view", "view.png"]
    maps = [each for each in page.all("svg") if each.get("role") == "img"]
    assert len(maps) == 2
    assert all("Answer 9.41° N, 0.84° W" in each["aria-label"] for each in maps)
    assert page.all("html") == [{"lang": "en"}]


def test_ids_are_unique_and_all_references_lead_somewhere():
    page = Page(html_report([entry(), entry(), entry()]))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {use["href"][1:] for use in page.all("use")} <= set(ids)
    assert {each["aria-labelledby"] for each in page.all("article")} <= set(ids)


@pytest.mark.parametrize("field", ["image", "caption", "credit"])
def test_foreign_texts_are_escaped(field):
    page = Page(html_report([entry(**{field: HOSTILE}), entry()]))
    assert page.all("script") == [{}]
    assert HOSTILE in page.words


def test_names_of_concepts_places_and_references_are_escaped():
    concept = ConceptScore(HOSTILE, 1.0, True, HOSTILE)
    changes = (ConceptChange(HOSTILE, "without"),)
    found = Counterfactual(HOSTILE, changes, LatLon(0, 0), HOSTILE, 1100.0, 0.3, 0.1, 0.5)
    explanation = full(
        contributions=(concept, ConceptScore("coast", 0.5, True, "water")),
        against=Reference("place", LatLon(0, 0), HOSTILE),
        sparse=SparseForm((concept,), 0.9, 0.93, 0.97, 1.2),
        what_if=(found,),
        evidence=(EvidenceMap(HOSTILE, np.eye(2, dtype=np.float32), "patches"),),
    )
    place = (Candidate(LatLon(0, 0), 0.5, HOSTILE),)
    given = Provenance(
        HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, HOSTILE, (HOSTILE,), ((HOSTILE,) * 2,)
    )
    named = entry(explanation=explanation, candidates=place)
    page = Page(html_report([named], HOSTILE, given))
    assert page.all("script") == [{}]
    assert page.words.count(HOSTILE) >= 15


def test_the_truth_and_the_distance_to_it():
    known = Page(html_report([entry(truth=LatLon(9.4075, 179.1607))])).words
    assert "Distance to the truth17,900 km" in known
    assert "Distance to the truth" not in Page(html_report([entry()])).words


def test_an_abstention_is_said_and_no_place_radius_or_probability_given():
    page = html_report([entry(abstained=True, truth=LatLon(1.0, 2.0))])
    assert (
        "No answerThe image is unlike those that the model was trained on (novelty 3.0"
        in Page(page).words
    )
    for words in ("Tamale", "9.41", "34 %", "Half of such answers are", "Distance to the truth"):
        assert words not in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Truth1.00° N" in Page(page).words


def test_a_page_of_abstentions_explains_no_mark_of_a_map_and_names_no_rival():
    unsure = entry(abstained=True, explanation=full(), candidates=TWO, truth=LatLon(1.0, 2.0))
    page = html_report([unsure])
    assert not Page(page).all("circle")
    for words in ("legend", "On the maps", "Paris", "Petrolina", "evidence", "savanna"):
        assert words not in Page(page).words, words
    assert 'class="legend"' not in page
    both = html_report([unsure, entry()])
    assert 'class="legend"' in both
    assert 'class="rival"' not in both
    assert "Paris" not in Page(both).words


def test_a_probability_among_given_places_is_said_to_be_one():
    few = Page(html_report([entry(scope=Scope(4, is_own=True))])).words
    assert "Probability among the 4 places considered34 %" in few
    assert "Only the given places were considered." in few
    assert "Probabilities are among the 4 places considered." in few
    alone = Page(html_report([entry(scope=Scope(1, region="Malta"))])).words
    assert "Probability of this placethe only place considered" in alone
    assert "34 %" not in alone
    assert "considered" not in Page(html_report([entry()])).words


def test_bars_start_at_zero_and_are_in_proportion():
    concepts = (ConceptScore("warm", 1.0, True), ConceptScore("coast", -0.25, True))
    text = html_report([entry(concepts=concepts)])
    assert '<i class="for" style="width:50.0%">' in text
    assert '<i class="against" style="width:12.5%">' in text
    assert "−0.25" in text
    words = "These 2 concepts are 71 % of the evidence; what no concept carries adds +0.50."
    assert words in Page(text).words


def test_the_rows_add_up_to_the_score_and_nothing_is_hidden():
    concepts = tuple(ConceptScore(f"concept {i}", 1.0 - i / 10, True) for i in range(10))
    explanation = Explanation(sum(c.contribution for c in concepts) - 0.3, concepts, -0.3)
    page = Page(html_report([entry(explanation=explanation)]))
    assert "4 other concepts+1.00" in page.words
    assert "What no concept carries−0.30" in page.words
    assert "Together, against everywhere else+5.20" in page.words


def test_what_is_no_concept_is_counted_and_named_as_what_it_is():
    reasons = (
        ConceptScore("warm", 2.0, True, "climate"),
        ConceptScore("agreement with the map", 1.5, True, "registration", is_concept=False),
        ConceptScore("rim", 1.0, False, "appearance", is_concept=False),
        *(ConceptScore(f"concept {i}", 0.5 - i / 50, True) for i in range(4)),
        ConceptScore("centre", 0.1, True, "appearance", is_concept=False),
    )
    form = SparseForm(reasons[:2], 0.9, 0.9, 0.9, 3.5)
    said = Explanation(sum(each.contribution for each in reasons), reasons, 0.0, sparse=form)
    page = Page(html_report([entry(explanation=said)]))
    for words in ("agreement with the map (registration)", "rim (appearance)", "Reason", "warm"):
        assert words in page.words
    assert "These 4 concepts and 2 other reasons are 92 % of the evidence" in page.words
    assert "1 other concept+0.44" in page.words
    assert "1 other reason+0.10" in page.words
    assert "1 concept and 1 other reason tell 90 % of what" in page.words
    assert "less rim" not in page.words
    concepts = tuple(each for each in reasons if each.is_concept)
    alone = Page(html_report([entry(concepts=concepts)])).words
    assert "Reason" not in alone
    assert "reason" not in alone


def test_what_rounds_to_nothing_has_no_row():
    explanation = Explanation(1.004, (ConceptScore("warm", 1.0, True),), 0.004)
    assert "What no concept carries" not in html_report([entry(explanation=explanation)])


def test_the_reference_is_named_in_words_and_on_the_map():
    text = whole()
    assert "For and against it, compared with the place near Paris, France" in Page(text).words
    assert "Held against 48.90° N, 2.40° E" in text
    assert text.count('class="rival"') == 2  # on the map and in the legend
    assert 'class="rival"' not in html_report([entry()])


def test_places_have_the_same_numbers_on_the_map_and_in_the_table():
    text = whole()
    assert re.findall(r'<circle class="(\w+)" r="10.5"/><text[^>]*>(\d)', text) == [
        ("mode", "2"),
        ("answer", "1"),
    ]
    assert "1near Tamale, Ghana9.41° N" in Page(text).words
    assert "2near Petrolina, Brazil" in Page(text).words


def test_one_place_needs_no_number():
    text = html_report([entry()])
    assert 'class="badge' not in text
    assert '<circle class="answer" r="7"/>' in text


def test_counterfactuals_say_where_to_how_far_and_how_probable():
    words = Page(whole()).words
    assert "Without savannaat sea (50 %)1,100 km34 % → 12 %" in words


def test_a_place_that_stays_is_said_to():
    changes = (ConceptChange("coast", "without"),)
    near = Counterfactual("-coast", changes, LatLon(9, -1), "near", 3.0, 0.3, 0.29, 0.29)
    assert "Without coastthe same placestays30 % → 29 %" in Page(whole(what_if=(near,))).words


def test_the_sparse_form_is_a_sentence_and_a_list():
    words = Page(whole()).words
    assert "One concept tells 93 % of what tells these places apart (cosine 0.97)." in words
    assert "savanna +1.20" in words
    assert "together they give the place +1.20." in words


def test_words_stay_apart_where_a_template_breaks_its_lines():
    words = Page(html_report([entry(), entry()])).words
    assert "The model embedded looked at each picture alone" in words
    assert "view.png: near Tamale, Ghana" in words
    assert "Drag, pinch or double-tap; arrow keys" in words


def test_kinds_of_concepts_are_summed():
    words = Page(whole()).words
    assert "By kind of concept" in words
    assert "climate+1.00water−0.25" in words


@pytest.mark.parametrize(
    "heading",
    ["What if", "In the fewest", "By kind of", "Evidence in the picture", "Behind these answers"],
)
def test_sections_appear_with_their_data_alone(heading):
    assert heading not in Page(html_report([entry()])).words
    page = html_report([entry(explanation=full())], provenance=Provenance("embedded"))
    assert heading in Page(page).words


def test_each_map_is_chosen_by_a_labelled_button_and_said_in_words():
    page = Page(whole())
    buttons = page.all("input")
    assert [each["class"] for each in buttons] == ["pick-0", "pick-1", "pick-2"]
    assert [each["class"] for each in buttons if "checked" in each] == ["pick-1"]
    assert {each["name"] for each in buttons} == {"view-1"}
    assert "PictureThe answerSavanna" in page.words
    labels = [each["aria-label"] for each in page.all("svg") if "evidence" in each["class"]]
    assert labels[0].startswith("Map of the evidence: The answer. The evidence for the answer is")
    assert labels[1].startswith("Map of the evidence: savanna. What savanna adds is")


def test_a_page_for_one_photograph_stays_small():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (1200, 1600, 3)).astype(np.uint8)  # the worst picture there is
    explanation = full(evidence=full().evidence[:1] * 5)
    text = html_report([entry(explanation=explanation, pixels=noise)])
    assert len(text) < 800_000
    calm = np.repeat(np.repeat(noise[:12, :16], 100, axis=0), 100, axis=1)
    assert len(html_report([entry(explanation=explanation, pixels=calm)])) < 250_000


def test_provenance_is_shown_as_far_as_it_is_known():
    given = Provenance(
        "embedded",
        digest="sha256 1f2e",
        gallery="points on land",
        places=192_000,
        sources=("GeoNames, CC BY 4.0",),
        faithfulness=(("Deletion", "0.71"),),
    )
    page = Page(html_report([entry()], provenance=given))
    assert "Digestsha256 1f2e" in page.words
    assert "points on land, 192,000 places" in page.words
    assert "DataGeoNames, CC BY 4.0" in page.words
    assert "Deletion0.71" in page.words
    bare = Page(html_report([entry()], provenance=Provenance("embedded"))).words
    assert "Digest" not in bare
    assert "How faithful" not in bare


def test_headings_are_in_order_and_landmarks_are_there():
    page = Page(html_report([entry(explanation=full()), entry()], provenance=Provenance("m")))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(len(page.all(tag)) == 1 for tag in ("main", "header", "footer", "nav"))


def test_several_pictures_get_a_list_and_there_is_a_way_past_it():
    page = Page(html_report([entry("a.png"), entry("b.png", abstained=True)]))
    assert [each["href"] for each in page.all("a")] == ["#answers", "#place-1", "#place-2"]
    assert "a.png: near Tamale, Ghanab.png: no answer" in page.words
    assert not Page(html_report([entry()])).all("nav")


def test_without_concepts_it_says_so():
    assert "No concept speaks" in html_report([entry(concepts=())])


def test_the_footer_names_model_and_credits_once():
    words = Page(html_report([entry(), entry()])).words
    assert words.count("view.png: NASA. Public domain.") == 1
    assert "with the model embedded" in words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (coordinates(LatLon(-33.868, 151.209)), "33.87° S, 151.21° E"),
        (kilometres(0.2), "under 1 km"),
        (kilometres(7.4), "7 km"),
        (kilometres(314), "310 km"),
        (kilometres(1849), "1,800 km"),
        (percent(0.0), "0 %"),
        (percent(0.004), "under 1 %"),
        (percent(0.996), "over 99 %"),
        (percent(1.0), "100 %"),
        (concept_words(ConceptScore("warm", 0.5, True)), "warm"),
        (concept_words(ConceptScore("warm", 0.5, False)), "less warm"),
    ],
)
def test_wording(said, expected):
    assert said == expected


@pytest.mark.parametrize(
    ("contribution", "words"),
    [(0.824, "+0.82"), (-20.36, "−20.4"), (9.996, "+10.0"), (99.96, "+100"), (204.03, "+204")],
)
def test_log_odds_have_three_digits(contribution, words):
    assert log_odds(contribution) == words
