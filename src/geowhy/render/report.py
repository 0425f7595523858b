"""A report: one HTML page that needs no network, and no script but to move its maps.

Pictures, maps and styles are inside of the page; its own policy forbids it to load anything, and
to run anything but the script of its maps.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from geowhy.answer import Candidate, Prediction, Scope
from geowhy.arrays import Pixels
from geowhy.geo.sphere import distance_km
from geowhy.render.page import templates
from geowhy.render.provenance import Provenance
from geowhy.render.wording import (
    among_words,
    coordinates,
    kilometres,
    percent,
    plainly,
    radius_sentence,
    reference_words,
    sure_of,
)
from geowhy.render.world_map import CellProbabilities, MapContent, map_style
from geowhy.types import LatLon

__all__ = ["Provenance", "ReportEntry", "html_report", "miss_km"]

STYLES, SCRIPT = (Path(__file__).with_name(f"report.{kind}") for kind in ("css", "js"))
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
)


@dataclass(frozen=True, slots=True, eq=False)
class ReportEntry:
    """One image of a report.

    Attributes:
        prediction: what the model says.
        pixels: the image, uint8 ``[H, W, 3]``.
        density: probability of H3 cells; None to draw none.
        truth: where the image was taken; None if unknown.
        caption: what the image shows, in words.
        credit: whose it is and its licence; named in the footer if not empty.
    """

    prediction: Prediction
    pixels: Pixels
    density: CellProbabilities | None
    truth: LatLon | None
    caption: str
    credit: str = ""


def html_report(
    entries: Sequence[ReportEntry],
    title: str = "Where, and why",
    provenance: Provenance | None = None,
) -> str:
    """The page for these images, in order; with what is behind the answers, if it is given."""
    script = SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    answered = [entry for entry in entries if not entry.prediction.abstained]
    against = list(
        dict.fromkeys(reference_words(each.prediction.explanation.against) for each in answered)
    )
    page = (
        templates()
        .get_template("page.html")
        .render(
            title=title,
            entries=entries,
            provenance=provenance,
            policy=POLICY.format(digest=digest),
            style=map_style(":root") + STYLES.read_text(encoding="utf-8"),
            script=script,
            models=", ".join(dict.fromkeys(entry.prediction.model for entry in entries)),
            answered=answered,
            has_truth=any(entry.truth for entry in answered),
            against=against[0] if len(against) == 1 else "what it is held against",
            marks=list(_marks(answered)),
            credits=list(dict.fromkeys(entry.credit for entry in entries if entry.credit)),
            facts=_facts,
            map_content=_map_content,
        )
    )
    return f"{page}\n"


def _marks(entries: Sequence[ReportEntry]) -> Iterable[tuple[str, str]]:
    """What the maps of this page are drawn with, and nothing that isn't on one of them."""
    yield '<circle class="answer" cx="15" cy="8" r="6"/>', "answer"
    if any(len(entry.prediction.candidates) > 1 for entry in entries):
        yield '<circle class="mode" cx="15" cy="8" r="6"/>', "other places it may be, numbered"
    if any(entry.truth for entry in entries):
        yield '<path class="truth" d="M9 2l12 12m0-12l-12 12"/>', "truth"
    if any(entry.prediction.explanation.against.position for entry in entries):
        yield '<path class="rival" d="M15 1l7 7-7 7-7-7z"/>', "what it is held against"
    yield '<path class="circle half" d="M0 8h30"/>', "half of such answers are this near"
    yield '<path class="circle nine" d="M0 8h30"/>', "nine in ten are this near"


def _facts(entry: ReportEntry) -> list[tuple[str, str]]:
    prediction = entry.prediction
    facts = []
    if not prediction.abstained:
        facts.append(("Answer", coordinates(prediction.position)))
    if not prediction.abstained and (best := sure_of(prediction)):
        facts.append(_probability_fact(best, prediction.scope))
    if entry.truth is not None:
        facts.append(("Truth", coordinates(entry.truth)))
    if entry.truth is not None and not prediction.abstained:
        facts.append(("Distance to the truth", kilometres(miss_km(entry.truth, prediction))))
    return facts


def _probability_fact(best: Candidate, scope: Scope) -> tuple[str, str]:
    """How probable the answer is, and among what; of a single place only that it is one."""
    among = among_words(scope)
    if not among:
        return "Probability of this place", percent(best.probability)
    if scope.places == 1:
        return "Probability of this place", among
    return f"Probability {among}", percent(best.probability)


def _map_content(entry: ReportEntry) -> MapContent:
    prediction = entry.prediction
    return MapContent(
        answer=prediction.position,
        radius_50_km=prediction.radius_50_km,
        radius_90_km=prediction.radius_90_km,
        density=entry.density,
        truth=entry.truth,
        title=f"World map for {plainly(prediction.image)}",
        description=_map_in_words(entry),
        others=tuple(each.position for each in prediction.candidates[1:]),
        rival=prediction.explanation.against.position,
    )


def _map_in_words(entry: ReportEntry) -> str:
    prediction = entry.prediction
    words = [f"Answer {coordinates(prediction.position)}", radius_sentence(prediction)[:-1]]
    if entry.truth is not None:
        away = kilometres(miss_km(entry.truth, prediction))
        words.append(f"Truth {coordinates(entry.truth)}, {away} away")
    if rival := prediction.explanation.against.position:
        words.append(f"Held against {coordinates(rival)}")
    return ". ".join(words)


def miss_km(truth: LatLon, prediction: Prediction) -> float:
    """How far the answer is from the truth, km."""
    answer = prediction.position
    return float(distance_km((truth.lat, truth.lon), (answer.lat, answer.lon)))
