"""Answers as JSON: one object an image, one line each."""

from __future__ import annotations

import json
from typing import Any

from geowhy.answer import Candidate, Prediction
from geowhy.errors import ImageError
from geowhy.explanation import ConceptScore, Counterfactual, SparseForm
from geowhy.types import LatLon

__all__ = ["as_json", "explanation_json"]

COORDINATE_DIGITS = 5  # about 1 m
KM_DIGITS = 1
SHARE_DIGITS = 4


def as_json(answer: Prediction | ImageError, count: int, *, guess: bool = False) -> str:
    """One line of ASCII, so that no terminal or pipe can spoil it.

    ``count`` is how many concepts are listed on either side; ``explained_share`` is their share.
    After an abstention no place is given but as ``guess``, and that and its concepts only if
    asked for.
    """
    if isinstance(answer, ImageError):
        return json.dumps({"image": answer.image, "error": answer.reason})
    return json.dumps(_record(answer, count, guess))


def explanation_json(answer: Prediction, *, guess: bool = False) -> str:
    """The answer with all that was said about why, on one line of ASCII."""
    said = answer.explanation
    record = _record(answer, len(said.contributions), guess)
    record |= {
        "against": {"name": said.against.name, "position": _maybe(said.against.position)},
        "score": round(said.score, SHARE_DIGITS),
        "unexplained": round(said.unexplained, SHARE_DIGITS),
        "categories": {name: round(x, SHARE_DIGITS) for name, x in said.by_category.items()},
        "sparse": _sparse(said.sparse) if said.sparse else None,
        "what_if": _what_if(answer),
        "evidence": [
            {"of": each.of, "method": each.method, "fields": each.evidence.round(4).tolist()}
            for each in said.evidence
        ],
    }
    if answer.abstained and not guess:
        # Why a place that isn't named would be: to say it is nearly to name it.
        record |= dict.fromkeys(("against", "score", "unexplained", "sparse"))
        record |= {"categories": {}, "what_if": [], "evidence": []}
    return json.dumps(record)


def _what_if(answer: Prediction) -> list[dict[str, Any]]:
    found = [_counterfactual(each) for each in answer.explanation.what_if]
    if not answer.abstained:
        return found
    unknown = dict.fromkeys(f"probability_{when}" for when in ("before", "after", "there"))
    return [each | unknown for each in found]


def _sparse(form: SparseForm) -> dict[str, Any]:
    return {
        "asked": form.asked,
        "reproduced": round(form.reproduced, SHARE_DIGITS),
        "cosine": round(form.cosine, SHARE_DIGITS),
        "score": round(form.score, SHARE_DIGITS),
        "concepts": [_concept(concept) for concept in form.concepts],
    }


def _counterfactual(found: Counterfactual) -> dict[str, Any]:
    return {
        "change": found.change,
        **_position(found.position),
        "place": found.place,
        "moved_km": round(found.moved_km, KM_DIGITS),
        "probability_before": round(found.probability_before, SHARE_DIGITS),
        "probability_after": round(found.probability_after, SHARE_DIGITS),
        "probability_there": round(found.probability_there, SHARE_DIGITS),
    }


def _concept(concept: ConceptScore) -> dict[str, Any]:
    return {
        "name": concept.name,
        "category": concept.category,
        "contribution": round(concept.contribution, SHARE_DIGITS),
        "present": concept.present,
        "probability": concept.probability and round(concept.probability, SHARE_DIGITS),
    }


def _maybe(position: LatLon | None) -> dict[str, float] | None:
    return None if position is None else _position(position)


def _record(answer: Prediction, count: int, guess: bool) -> dict[str, Any]:
    record = {
        "image": answer.image,
        **_position(answer.position),
        "radius_50_km": round(answer.radius_50_km, KM_DIGITS),
        "radius_90_km": round(answer.radius_90_km, KM_DIGITS),
        "calibrated": answer.calibrated,
        "scope": answer.scope,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "candidates": [_candidate(candidate) for candidate in answer.candidates],
        "concepts": [_concept(concept) for concept in answer.explanation.shown(count)],
        "explained_share": round(answer.explanation.explained_share(count), SHARE_DIGITS),
        "model": answer.model,
    }
    if answer.abstained:
        # Radii and probabilities were measured on answers; of a guess they'd promise too much.
        record |= dict.fromkeys(("lat", "lon", "radius_50_km", "radius_90_km"))
        record |= {"candidates": [], "guess": _guess(answer) if guess else None}
    if answer.abstained and not guess:
        record |= {"concepts": [], "explained_share": None}
    return record


def _guess(answer: Prediction) -> dict[str, Any]:
    place = answer.candidates[0].place if answer.candidates else ""
    unknown = dict.fromkeys(("radius_50_km", "radius_90_km", "probability"))
    return {**_position(answer.position), "place": place, **unknown}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    probability = round(candidate.probability, SHARE_DIGITS)
    place = {"probability": probability, "place": candidate.place}
    return {**_position(candidate.position), **place}


def _position(position: LatLon) -> dict[str, float]:
    return {
        "lat": round(position.lat, COORDINATE_DIGITS),
        "lon": round(position.lon, COORDINATE_DIGITS),
    }
