"""Pages that need no network: where pictures were taken and why, and what tells two places apart.

Pictures, maps and styles are inside of a page; its own policy forbids it to load anything, and to
run anything but the script of its maps. Templates escape every value.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from PIL import Image

from geowhy.answer import Prediction
from geowhy.arrays import Pixels
from geowhy.errors import DataError
from geowhy.geo.sphere import distance_km
from geowhy.render import evidence, wording, world_map
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.evaluation.rule_report import Contrast
    from geowhy.posterior import CellDensity

__all__ = ["Provenance", "ReportEntry", "contrast_page", "html_report"]

STYLES, SCRIPT = (Path(__file__).with_name(f"report.{kind}") for kind in ("css", "js"))
SHOWN_PULLS = 16
UNIT = re.compile(r"(?<=[0-9°]) (?=(?:km|%|[NSEW])(?![0-9A-Za-z]))")
BETWEEN_TAGS = re.compile(r"(?<=[>}])\n\s*|\n\s*(?=[<{])")


@dataclass(frozen=True, slots=True, eq=False)
class ReportEntry:
    """One image of a report."""

    prediction: Prediction  # what the model says
    pixels: Pixels  # the image, uint8 [H, W, 3]
    density: CellDensity | None  # probability of H3 cells; None to draw none
    truth: LatLon | None = None  # where the image was taken; None if unknown
    caption: str = ""  # what the image shows, in words
    credit: str = ""  # whose it is and its licence; named in the footer if not empty

    @property
    def miss_km(self) -> float | None:
        """How far the answer is from the truth, km; None if either isn't there."""
        if self.truth is None or self.prediction.abstained:
            return None
        answer = self.prediction.position
        return float(distance_km((self.truth.lat, self.truth.lon), (answer.lat, answer.lon)))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is behind the answers of a page; what is empty is left out."""

    model: str  # its name
    digest: str = ""  # of its weights or of its folder, such as "sha256 1f2e…"
    version: str = ""  # of geowhy
    gallery: str = ""  # the places it chooses among, in words
    places: int = 0  # how many they are; 0 if unknown
    calibration: str = ""  # what its radii and probabilities were fitted on, in words
    sources: tuple[str, ...] = ()  # data that it was made of, and their licences, a line each
    faithfulness: tuple[tuple[str, str], ...] = ()  # what was measured of it, and the figure


def html_report(
    entries: Sequence[ReportEntry],
    title: str = "Where, and why",
    provenance: Provenance | None = None,
) -> str:
    """The page for these images, in order; with what is behind the answers, if it is given."""
    script = SCRIPT.read_text(encoding="utf-8")
    answered = [entry for entry in entries if not entry.prediction.abstained]
    references = (entry.prediction.explanation.against for entry in answered)
    page = _templates().get_template("page.html")
    whole = page.render(
        title=title,
        entries=entries,
        provenance=provenance,
        script=script,
        digest=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode(),
        models=", ".join(dict.fromkeys(entry.prediction.model for entry in entries)),
        answered=answered,
        rivals=list(dict.fromkeys(map(wording.reference_words, references))),
        credits=list(dict.fromkeys(entry.credit for entry in entries if entry.credit)),
    )
    return f"{whole}\n"


def contrast_page(contrast: Contrast, note: str = "") -> str:
    """What tells two places apart, as bars to either side; no script: rows add up to its margin.

    Raises:
        DataError: if no concept tells the places apart.
    """
    shown, others = contrast.pulls[:SHOWN_PULLS], contrast.pulls[SHOWN_PULLS:]
    widest = [abs(x) for pull in shown for x in (pull.first, pull.second)]
    if not any(widest):
        raise DataError(
            f"no concept tells {contrast.first} from {contrast.second}: choose other places"
        )
    rest = sum(pull.first for pull in others), sum(pull.second for pull in others)
    page = _templates().get_template("contrast.html")
    return page.render(
        contrast=contrast,
        note=note,
        shown=shown,
        others=len(others),
        rest=rest,
        most=max(*widest, *map(abs, rest), abs(contrast.bias)),
    )


class _Joined(Extension):
    """Leaves out line ends beside a tag, where a space would show; elsewhere they are spaces."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return BETWEEN_TAGS.sub("", source).replace("\n", " ")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    """The templates of pages and their parts, with all words, maps and pictures as calls."""
    made = Environment(
        loader=PackageLoader("geowhy.render"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_Joined],
    )
    for module in (wording, world_map, evidence):
        made.globals.update({name: getattr(module, name) for name in module.__all__})
    for words in (wording.coordinates, wording.kilometres, wording.percent, wording.log_odds):
        made.filters[words.__name__] = words
    made.filters.update(
        plainly=wording.plainly,
        unbroken=partial(UNIT.sub, "\N{NO-BREAK SPACE}"),  # number and unit on one line
        capital=lambda words: words[:1].upper() + words[1:],
    )
    made.globals.update(
        style=STYLES.read_text(encoding="utf-8"),
        most_maps=7,  # as many as the style sheet can switch
        shown_concepts=6,  # on either side
        same_place_km=wording.SAME_PLACE_KM,
        picture_address=_picture_address,
        address=_address,
    )
    return made


def _picture_address(pixels: Pixels, side: int) -> str:
    """A picture ``[H, W, 3]`` or ``[H, W]``, no side longer, in an address of its own.

    Small ones stay as they are, photographs become JPEG: whichever takes less.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    return min(_address(picture, "png"), _address(picture, "jpeg"), key=len)


def _address(picture: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    picture.save(file, kind, quality=85, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
