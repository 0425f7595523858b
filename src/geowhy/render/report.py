"""A report: one HTML page that needs no network, and no script but to move its maps.

Pictures, maps and styles are inside of the page; its own policy forbids it to load anything, and
to run anything but the script of its maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geowhy.answer import Prediction
from geowhy.geo.sphere import distance_km
from geowhy.render.page_html import text, unbroken
from geowhy.render.page_map import map_script, movable_map, script_hash
from geowhy.render.page_picture import picture_figure
from geowhy.render.page_reasons import (
    candidates_table,
    categories_table,
    concepts_table,
    probability_fact,
    sparse_list,
    what_if_table,
)
from geowhy.render.provenance import Provenance, provenance_section
from geowhy.render.wording import (
    coordinates,
    kilometres,
    other_evidence_sentence,
    place_name,
    plainly,
    radius_sentence,
    reason_sentence,
    reference_words,
    scope_sentence,
    sure_of,
)
from geowhy.render.world_map import (
    CellProbabilities,
    MapContent,
    class_names,
    map_shapes,
    map_style,
)
from geowhy.types import LatLon

__all__ = ["Provenance", "ReportEntry", "html_report", "miss_km"]

STYLES = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{script}'"


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
    pixels: NDArray[np.uint8]
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
    style = map_style(":root") + STYLES.read_text(encoding="utf-8")
    articles = "".join(_article(number, entry) for number, entry in enumerate(entries, start=1))
    behind = provenance_section(provenance) if provenance else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{style}</style></head><body>"
        '<a class="skip" href="#answers">Skip to the answers</a>'
        f'<svg class="store" width="0" height="0" aria-hidden="true">{map_shapes()}</svg>'
        f'<div class="page">{_header(title, entries)}<main id="answers">{articles}{behind}</main>'
        f"{_footer(entries)}</div><script>{map_script()}</script></body></html>\n"
    )


def _policy() -> str:
    return POLICY.format(script=script_hash())


def _header(title: str, entries: Sequence[ReportEntry]) -> str:
    answered = [entry for entry in entries if not entry.prediction.abstained]
    return (
        f'<header><h1>{text(title)}</h1><p class="lead">The model '
        f"<strong>{text(_models(entries))}</strong> looked at each picture alone, "
        f"without its file name or metadata, and {_lead(answered)}</p>"
        f"{_legend(answered) if answered else ''}{_contents(entries)}</header>"
    )


def _lead(answered: Sequence[ReportEntry]) -> str:
    """How to read the answers; of an entry without one, nothing is drawn or held against."""
    if not answered:
        return "couldn’t tell where it was taken."
    names = list(
        dict.fromkeys(reference_words(each.prediction.explanation.against) for each in answered)
    )
    against = text(names[0]) if len(names) == 1 else "what it is held against"
    truth = " and the cross the truth" if any(entry.truth for entry in answered) else ""
    return (
        "said where on Earth it was taken, how sure that is "
        f"and which concepts led there. On the maps the blue dot is its answer{truth}; "
        "the colour is the probability of the cells, and the circles show how "
        "far off such answers are. The bars show how much each concept adds to the place, or takes "
        f"from it, against {against}, in log-odds: +0.7 doubles the odds, −0.7 halves them."
    )


def _models(entries: Sequence[ReportEntry]) -> str:
    return ", ".join(dict.fromkeys(entry.prediction.model for entry in entries))


def _legend(entries: Sequence[ReportEntry]) -> str:
    """What the maps of this page are drawn with, and nothing that isn't on one of them."""
    marks = ['<circle class="answer" cx="15" cy="8" r="6"/>', "answer"], *_other_marks(entries)
    items = [
        f'<li><svg class="world" viewBox="0 0 30 16" aria-hidden="true">{mark}</svg> {words}</li>'
        for mark, words in marks
    ]
    items += ["<li>Probability of a cell, some 87,000 km²:</li>"]
    items += [
        f'<li><span class="swatch d{i}"></span> {name}</li>' for i, name in enumerate(class_names())
    ]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _other_marks(entries: Sequence[ReportEntry]) -> Iterable[tuple[str, str]]:
    if any(len(entry.prediction.candidates) > 1 for entry in entries):
        yield '<circle class="mode" cx="15" cy="8" r="6"/>', "other places it may be, numbered"
    if any(entry.truth for entry in entries):
        yield '<path class="truth" d="M9 2l12 12m0-12l-12 12"/>', "truth"
    if any(entry.prediction.explanation.against.position for entry in entries):
        yield '<path class="rival" d="M15 1l7 7-7 7-7-7z"/>', "what it is held against"
    yield '<path class="circle half" d="M0 8h30"/>', "half of such answers are this near"
    yield '<path class="circle nine" d="M0 8h30"/>', "nine in ten are this near"


def _contents(entries: Sequence[ReportEntry]) -> str:
    """A list of the pictures, if there are several."""
    if len(entries) < 2:
        return ""
    items = "".join(
        f'<li><a href="#place-{number}">{text(plainly(entry.prediction.image))}</a>: '
        f"{'no answer' if entry.prediction.abstained else text(place_name(entry.prediction))}</li>"
        for number, entry in enumerate(entries, start=1)
    )
    return f'<nav aria-label="Pictures"><ol class="contents">{items}</ol></nav>'


def _article(number: int, entry: ReportEntry) -> str:
    prediction = entry.prediction
    heading = f"place-{number}"
    maps = () if prediction.abstained else prediction.explanation.evidence
    figure = picture_figure(number, prediction.image, entry.caption, entry.pixels, maps)
    return (
        f'<article aria-labelledby="{heading}"><div class="top{" wide" if maps else ""}">{figure}'
        f"<div>{_answer(prediction, heading)}{_facts(entry)}"
        f"{'' if prediction.abstained else movable_map(number, _map_content(entry))}</div></div>"
        f"{'' if prediction.abstained else _why(prediction)}</article>"
    )


def _why(prediction: Prediction) -> str:
    explanation = prediction.explanation
    return (
        f'<div class="why"><div><section>{concepts_table(prediction)}</section>'
        f"{categories_table(explanation)}</div><div>"
        f"<section>{candidates_table(prediction.candidates, prediction.scope)}</section>"
        f"{what_if_table(explanation.what_if)}{sparse_list(explanation.sparse)}</div></div>"
    )


def _answer(prediction: Prediction, heading: str) -> str:
    name = place_name(prediction)
    if prediction.abstention is None:
        said = scope_sentence(prediction.scope), other_evidence_sentence(prediction)
        scope = "".join(f'<p class="soft">{text(words)}</p>' for words in said if words)
        return (
            f'<h2 id="{heading}">{unbroken(name[:1].upper() + name[1:])}</h2>'
            f"<p>{unbroken(radius_sentence(prediction))}</p>{scope}"
        )
    return (
        f'<h2 id="{heading}">No answer</h2><div class="abstained">'
        f"<p>{unbroken(reason_sentence(prediction.abstention))}</p></div>"
    )


def _facts(entry: ReportEntry) -> str:
    prediction = entry.prediction
    facts = []
    if not prediction.abstained:
        facts.append(("Answer", coordinates(prediction.position)))
    if not prediction.abstained and (best := sure_of(prediction)):
        facts.append(probability_fact(best, prediction.scope))
    if entry.truth is not None:
        facts.append(("Truth", coordinates(entry.truth)))
    if entry.truth is not None and not prediction.abstained:
        facts.append(("Distance to the truth", kilometres(miss_km(entry.truth, prediction))))
    items = (f"<div><dt>{title}</dt><dd>{unbroken(value)}</dd></div>" for title, value in facts)
    return f'<dl class="facts">{"".join(items)}</dl>'


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


def _footer(entries: Sequence[ReportEntry]) -> str:
    credits = dict.fromkeys(entry.credit for entry in entries if entry.credit)
    items = "".join(f"<li>{text(credit)}</li>" for credit in credits)
    pictures = f"<p>Pictures:</p><ul>{items}</ul>" if items else ""
    return (
        f"<footer>{pictures}<p>Made by geowhy with the model {text(_models(entries))}. "
        "Coasts: NOAA GLOBE "
        "and MODIS MCD12C1. Equal Earth projection; density on H3 cells of resolution 2. Names of "
        "places: GeoNames, CC BY 4.0. Distances are great circles on a sphere of radius "
        "6371.0088 km.</p><p>An answer is an estimate and no proof of where a picture was taken."
        "</p></footer>"
    )


def miss_km(truth: LatLon, prediction: Prediction) -> float:
    """How far the answer is from the truth, km."""
    answer = prediction.position
    return float(distance_km((truth.lat, truth.lon), (answer.lat, answer.lon)))
