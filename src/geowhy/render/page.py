"""Templates of pages, escaped throughout, and what they call: words, pictures as addresses."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from PIL import Image

from geowhy.arrays import AnyFloats, Pixels
from geowhy.explanation import Explanation
from geowhy.render import wording
from geowhy.render.evidence_picture import grey_picture, overlay, scale_end
from geowhy.render.evidence_words import THE_ANSWER, evidence_sentence, method_sentence
from geowhy.render.world_map import class_names, map_figure, map_shapes, view_of_answer

__all__ = ["templates"]

JPEG_QUALITY = 85
GREY_SIDE = 480
MOST_MAPS = 7  # as many as the style sheet can switch
SHOWN_CONCEPTS = 6  # on either side
SHOWS = 0.005  # a part of the score from which on two digits show it
UNIT = re.compile(r"(?<=[0-9°]) (?=(?:km|%|[NSEW])(?![0-9A-Za-z]))")
BETWEEN_TAGS = re.compile(r"(?<=[>}])\n\s*|\n\s*(?=[<{])")


class _Joined(Extension):
    """Leaves out line ends beside a tag, where a space would show; elsewhere they are spaces."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return BETWEEN_TAGS.sub("", source).replace("\n", " ")


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates of a page and its parts; every value in them is escaped."""
    made = Environment(
        loader=PackageLoader("geowhy.render"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_Joined],
    )
    for words in (wording.coordinates, wording.kilometres, wording.percent, wording.log_odds):
        made.filters[words.__name__] = words
    made.filters.update(plainly=wording.plainly, unbroken=_unbroken, capital=_capital)
    made.globals.update({name: getattr(wording, name) for name in wording.__all__})
    made.globals.update(
        most_maps=MOST_MAPS,
        shown_concepts=SHOWN_CONCEPTS,
        same_place_km=wording.SAME_PLACE_KM,
        the_answer=THE_ANSWER,
    )
    for call in (class_names, map_figure, map_shapes, view_of_answer, scale_end, strongest):
        made.globals[call.__name__] = call
    for each in (evidence_sentence, method_sentence, picture_address, grey_address):
        made.globals[each.__name__] = each
    made.globals.update(overlay_address=overlay_address, rest_of=rest_of, kinds_of=kinds_of)
    return made


def _unbroken(words: str) -> str:
    """Words with no line ending between a number and its unit."""
    return UNIT.sub("\N{NO-BREAK SPACE}", words)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def strongest(values: Iterable[float]) -> float:
    """The greatest of some values by size: where a bar is full."""
    return max(map(abs, values))


def rest_of(explanation: Explanation) -> dict[str, float]:
    """What the concepts that aren't shown add together, and what none carries: never hidden."""
    shown = explanation.shown(SHOWN_CONCEPTS)
    others = len(explanation.contributions) - len(shown)
    total = sum(concept.contribution for concept in explanation.contributions)
    parts = {}
    if others > 0:
        words = "1 other concept" if others == 1 else f"{others} other concepts"
        parts[words] = total - sum(concept.contribution for concept in shown)
    if abs(explanation.unexplained) >= SHOWS:
        parts["What no concept carries"] = explanation.unexplained
    return parts


def kinds_of(explanation: Explanation) -> dict[str, float]:
    """What the concepts of each kind add together, as far as two digits show it."""
    return {name: value for name, value in explanation.by_category.items() if abs(value) >= SHOWS}


def picture_address(pixels: Pixels, side: int) -> str:
    """A picture ``[H, W, 3]`` or ``[H, W]``, no side longer, in an address of its own.

    Small ones stay as they are, photographs become JPEG: whichever takes less.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    jpeg = _address(picture, "jpeg", quality=JPEG_QUALITY, optimize=True)
    return min(_address(picture, "png", optimize=True), jpeg, key=len)


def grey_address(pixels: Pixels) -> str:
    """A picture ``[height, width, 3]`` in grey, which all maps of it use."""
    return picture_address(grey_picture(pixels), GREY_SIDE)


def overlay_address(evidence: AnyFloats, height: int, width: int) -> str:
    """A map of evidence ``[rows, columns]`` to lay over a picture of this size."""
    return _address(overlay(evidence, height, width), "png", optimize=True)


def _address(picture: Image.Image, kind: str, **options: int) -> str:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
