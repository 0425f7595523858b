"""A report: one HTML page that needs no network and no script.

Pictures, maps and styles are inside of the page; its own policy forbids it to load anything.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geowhy.explain.wording import (
    concept_words,
    coordinates,
    kilometres,
    log_odds,
    percent,
    place_name,
    plainly,
    radius_sentence,
    reason_sentence,
    share_sentence,
    sure_of,
)
from geowhy.explain.world_map import (
    CellProbabilities,
    MapContent,
    class_names,
    map_figure,
    map_shapes,
    map_style,
)
from geowhy.explanation import ConceptScore
from geowhy.geo.sphere import distance_km
from geowhy.types import LatLon, Prediction

__all__ = ["ReportEntry", "html_report", "miss_km"]

SHOWN_CONCEPTS = 6  # on either side
PICTURE_SIDE = 480  # pixels: twice what the page shows, for fine screens
STYLES = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


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


def html_report(entries: Sequence[ReportEntry], title: str = "Where, and why") -> str:
    """The page for these images, in order."""
    style = map_style(":root") + STYLES.read_text(encoding="utf-8")
    models = ", ".join(dict.fromkeys(entry.prediction.model for entry in entries))
    articles = "".join(_article(number, entry) for number, entry in enumerate(entries, start=1))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{style}</style></head><body>"
        f'<svg width="0" height="0" style="position:absolute" aria-hidden="true">{map_shapes()}'
        f'</svg><div class="page">{_header(title, models)}<main>{articles}</main>'
        f"{_footer(entries, models)}</div></body></html>\n"
    )


def _header(title: str, models: str) -> str:
    return (
        f"<header><h1>{_text(title)}</h1>"
        f'<p class="lead">The model <strong>{_text(models)}</strong> looked at each picture alone, '
        "without its file name or metadata, and said where on Earth it was taken, how sure that is "
        "and which concepts led there. On the maps the dot is its answer and the cross, where "
        "known, the truth; the colour is the probability of the cells, and the circles show how "
        "far off such answers are. The bars show how much each concept adds to the place, or takes "
        "from it, against the average place on Earth, in log-odds: +0.7 doubles the odds, −0.7 "
        f"halves them.</p>{_legend()}</header>"
    )


def _legend() -> str:
    marks = (
        ('<circle class="answer" cx="15" cy="8" r="6"/>', "answer"),
        ('<path class="truth" d="M9 2l12 12m0-12l-12 12"/>', "truth"),
        ('<path class="circle half" d="M0 8h30"/>', "half of such answers are this near"),
        ('<path class="circle nine" d="M0 8h30"/>', "nine in ten are this near"),
    )
    items = [
        f'<li><svg class="world" style="display:inline" viewBox="0 0 30 16" aria-hidden="true">'
        f"{mark}</svg> {words}</li>"
        for mark, words in marks
    ]
    items += ["<li>Probability of a cell, some 87,000 km²:</li>"]
    items += [
        f'<li><span class="swatch d{i}"></span> {name}</li>' for i, name in enumerate(class_names())
    ]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _article(number: int, entry: ReportEntry) -> str:
    prediction = entry.prediction
    heading = f"place-{number}"
    return (
        f'<article aria-labelledby="{heading}"><div class="top">{_figure(entry)}'
        f"<div>{_answer(prediction, heading)}{_facts(entry)}"
        f'<div class="map">{map_figure(_map_content(entry))}</div></div></div>'
        f'<div class="why"><section>{_candidates(prediction)}</section>'
        f"<section>{_concepts(prediction)}</section></div></article>"
    )


def _figure(entry: ReportEntry) -> str:
    height, width = entry.pixels.shape[:2]
    name = plainly(entry.prediction.image)
    return (
        f'<figure><img src="{_data_address(entry.pixels)}" width="{width}" height="{height}" '
        f'alt="{_text(entry.caption or name)}">'
        f"<figcaption>{_text(entry.caption)}<br>{_text(name)}</figcaption></figure>"
    )


def _answer(prediction: Prediction, heading: str) -> str:
    name = _text(place_name(prediction))
    if not prediction.abstained:
        return (
            f'<h2 id="{heading}">{name[:1].upper()}{name[1:]}</h2>'
            f"<p>{_text(radius_sentence(prediction))}</p>"
        )
    return (
        f'<h2 id="{heading}">No answer</h2><div class="abstained">'
        f"<p>{_text(reason_sentence(prediction))}</p>"
        f"<p>Only a guess, not to be relied on: {name}.</p></div>"
    )


def _facts(entry: ReportEntry) -> str:
    prediction = entry.prediction
    facts = [("Best guess" if prediction.abstained else "Answer", coordinates(prediction.position))]
    if best := sure_of(prediction):
        facts.append(("Probability of this place", percent(best.probability)))
    if entry.truth is not None:
        facts.append(("Truth", coordinates(entry.truth)))
        facts.append(("Distance to the truth", kilometres(miss_km(entry.truth, prediction))))
    items = (f"<div><dt>{title}</dt><dd>{_text(value)}</dd></div>" for title, value in facts)
    return f'<dl class="facts">{"".join(items)}</dl>'


def _map_content(entry: ReportEntry) -> MapContent:
    prediction = entry.prediction
    # The radii of a guess would promise too much: they were measured on answers.
    radii = 0.0 if prediction.abstained else 1.0
    return MapContent(
        answer=prediction.position,
        radius_50_km=radii * prediction.radius_50_km,
        radius_90_km=radii * prediction.radius_90_km,
        density=entry.density,
        truth=entry.truth,
        title=f"World map for {plainly(prediction.image)}",
        description=_map_in_words(entry),
    )


def _map_in_words(entry: ReportEntry) -> str:
    prediction = entry.prediction
    if prediction.abstained:
        words = [f"No answer; best guess {coordinates(prediction.position)}"]
    else:
        words = [f"Answer {coordinates(prediction.position)}", radius_sentence(prediction)[:-1]]
    if entry.truth is not None:
        away = kilometres(miss_km(entry.truth, prediction))
        words.append(f"Truth {coordinates(entry.truth)}, {away} away")
    return ". ".join(words)


def _candidates(prediction: Prediction) -> str:
    rows = (
        f"<tr><th scope='row'>{_text(candidate.place)}<br>"
        f"<span class='soft small'>{_text(coordinates(candidate.position))}</span></th>"
        f"<td class='number'>{percent(candidate.probability)}</td></tr>"
        for candidate in prediction.candidates
    )
    return (
        "<h3>Where it may be</h3><table><thead><tr><th scope='col'>Place</th>"
        "<th scope='col' class='number'>Probability</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _concepts(prediction: Prediction) -> str:
    shown = prediction.explanation.shown(SHOWN_CONCEPTS)
    if not shown:
        return "<h3>Why</h3><p>No concept speaks for or against it.</p>"
    most = max(abs(concept.contribution) for concept in shown)
    rows = "".join(_concept_row(concept, most) for concept in shown)
    return (
        "<h3>Why: what speaks for it, and against</h3><table class='concepts'><thead><tr>"
        "<th scope='col'>Concept</th><th scope='col' class='bars'>against · for</th>"
        f"<th scope='col' class='number'>Log-odds</th></tr></thead><tbody>{rows}</tbody></table>"
        f"<p class='soft small'>{share_sentence(prediction, SHOWN_CONCEPTS)}</p>"
    )


def _concept_row(concept: ConceptScore, most: float) -> str:
    side = "for" if concept.contribution > 0 else "against"
    width = 50 * abs(concept.contribution) / most
    return (
        f"<tr><th scope='row'>{_text(concept_words(concept))}</th><td aria-hidden='true'>"
        f"<span class='bar'><i class='{side}' style='width:{width:.1f}%'></i></span></td>"
        f"<td class='number'>{log_odds(concept.contribution)}</td></tr>"
    )


def _footer(entries: Iterable[ReportEntry], models: str) -> str:
    credits = dict.fromkeys(entry.credit for entry in entries if entry.credit)
    items = "".join(f"<li>{_text(credit)}</li>" for credit in credits)
    pictures = f"<p>Pictures:</p><ul>{items}</ul>" if items else ""
    return (
        f"<footer>{pictures}<p>Made by geowhy with the model {_text(models)}. Coasts: NOAA GLOBE "
        "and MODIS MCD12C1. Equal Earth projection; density on H3 cells of resolution 2. Names of "
        "places: GeoNames, CC BY 4.0. Distances are great circles on a sphere of radius "
        "6371.0088 km.</p><p>An answer is an estimate and no proof of where a picture was taken."
        "</p></footer>"
    )


def miss_km(truth: LatLon, prediction: Prediction) -> float:
    """How far the answer is from the truth, km."""
    answer = prediction.position
    return float(distance_km((truth.lat, truth.lon), (answer.lat, answer.lon)))


def _data_address(pixels: NDArray[np.uint8]) -> str:
    """The picture as a small PNG in an address of its own."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _text(words: str) -> str:
    return escape(words, quote=True)
