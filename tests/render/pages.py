"""Entries of a report, and a reader of its page, for the tests."""

from html.parser import HTMLParser

import numpy as np

from geowhy.answer import Abstention, Candidate, Prediction, Scope
from geowhy.explanation import ConceptScore, Explanation
from geowhy.render.report import ReportEntry
from geowhy.types import LatLon

VOID = {"meta", "img", "br", "input"}
PLACE = Candidate(LatLon(9.4075, -0.8393), 0.34, "near Tamale, Ghana")


def entry(
    image="view.png",
    abstained=False,
    truth=None,
    concepts=None,
    explanation=None,
    candidates=(PLACE,),
    pixels=None,
    scope=None,
    position=PLACE.position,
    radius_50_km=312.0,
    radius_90_km=1849.0,
    **changes,
):
    concepts = concepts if concepts is not None else (ConceptScore("snow", 0.5, False),)
    prediction = Prediction(
        image=image,
        position=position,
        radius_50_km=radius_50_km,
        radius_90_km=radius_90_km,
        abstention=Abstention("novel", 3.0, 1.5) if abstained else None,
        scope=scope or Scope(192_000),
        candidates=candidates,
        explanation=explanation or Explanation(0.5, concepts, 0.5),
        model="embedded",
    )
    pixels = np.zeros((8, 12, 3), np.uint8) if pixels is None else pixels
    values = {"caption": "A view", "credit": "view.png: NASA. Public domain.", "density": None}
    return ReportEntry(prediction, pixels, truth=truth, **{**values, **changes})


class Page(HTMLParser):
    """Checks that tags close in order, and gathers attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], ""
        self.feed(text)
        assert self.open == []
        self.words = self.words.replace("\N{NO-BREAK SPACE}", " ")

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.words += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]
