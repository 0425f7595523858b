"""Pages that need no network: where pictures were taken and why, and what tells two places apart.

Pictures, maps and styles are inside of a page; its own policy forbids it to load anything, and to
run anything but the script of its maps. Templates escape every value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geowhy.answer import Prediction
from geowhy.arrays import Pixels
from geowhy.errors import DataError
from geowhy.geo.sphere import distance_km
from geowhy.render import wording
from geowhy.render.environment import digest_of, templates
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.evaluation.rule_report import Contrast
    from geowhy.posterior import CellDensity

__all__ = ["Provenance", "ReportEntry", "contrast_page", "html_report"]

SCRIPT = Path(__file__).with_name("report.js")
SHOWN_PULLS = 16


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
    page = templates().get_template("page.html")
    whole = page.render(
        title=title,
        entries=entries,
        provenance=provenance,
        script=script,
        digest=digest_of(script),
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
    page = templates().get_template("contrast.html")
    return page.render(
        contrast=contrast,
        note=note,
        shown=shown,
        others=len(others),
        rest=rest,
        most=max(*widest, *map(abs, rest), abs(contrast.bias)),
    )
