"""The page: self-contained, escaped, and complete."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from geowhy.explain.report import ReportEntry, html_report
from geowhy.explain.wording import concept_words, coordinates, kilometres, log_odds, percent
from geowhy.explanation import ConceptScore, Explanation
from geowhy.types import Candidate, LatLon, Prediction

VOID = {"meta", "img", "br"}
HOSTILE = '<script>alert("x")</script>.png'


def entry(image="view.png", abstained=False, truth=None, concepts=None, **changes):
    concepts = concepts if concepts is not None else (ConceptScore("snow", 0.5, False),)
    prediction = Prediction(
        image=image,
        position=LatLon(9.4075, -0.8393),
        radius_50_km=312.0,
        radius_90_km=1849.0,
        abstained=abstained,
        reason="unlike the training images" if abstained else "",
        candidates=(Candidate(LatLon(9.4075, -0.8393), 0.34, "near Tamale, Ghana"),),
        explanation=Explanation(0.5, concepts, 0.5),
        model="embedded",
    )
    pixels = np.zeros((8, 12, 3), np.uint8)
    values = {"caption": "A view", "credit": "view.png: NASA. Public domain."}
    return ReportEntry(prediction, pixels, None, truth, **{**values, **changes})


class Page(HTMLParser):
    """Checks that tags close in order, and gathers attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_nothing_is_loaded_and_nothing_runs():
    text = html_report([entry(), entry(truth=LatLon(0, 0))])
    page = Page(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert not page.all("script")
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert all(use["href"].startswith("#") for use in page.all("use"))
    (policy,) = [each["content"] for each in page.all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'")


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
    page = Page(html_report([entry(**{field: HOSTILE})]))
    assert not page.all("script")
    assert HOSTILE in page.words


def test_the_truth_and_the_distance_to_it():
    known = Page(html_report([entry(truth=LatLon(9.4075, 179.1607))])).words
    assert "Distance to the truth17,900 km" in known
    assert "Distance to the truth" not in Page(html_report([entry()])).words


def test_abstention_is_said_first_and_the_guess_is_marked():
    words = Page(html_report([entry(abstained=True)])).words
    assert "No answerUnlike the training images.Only a guess" in words
    assert "Best guess9.41° N" in words


def test_a_guess_gets_no_radius():
    text = html_report([entry(abstained=True)])
    assert "Half of such answers are" not in text
    assert "best guess 9.41° N" in text
    assert text.count('class="circle ') == 2  # both in the legend


def test_bars_start_at_zero_and_are_in_proportion():
    concepts = (ConceptScore("warm", 1.0, True), ConceptScore("coast", -0.25, True))
    text = html_report([entry(concepts=concepts)])
    assert "<i class='for' style='width:50.0%'>" in text
    assert "<i class='against' style='width:12.5%'>" in text
    assert "−0.25" in text
    assert "These 2 concepts are 71 % of the evidence; what no concept carries adds +0.50." in text


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
