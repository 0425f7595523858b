"""Answers as JSON: one object an image, one line each."""

from __future__ import annotations

import json
from typing import Any

from geowhy.errors import ImageError
from geowhy.types import Candidate, LatLon, Prediction

__all__ = ["as_json"]

COORDINATE_DIGITS = 5  # about 1 m
KM_DIGITS = 1
SHARE_DIGITS = 4


def as_json(answer: Prediction | ImageError, count: int) -> str:
    """One line of ASCII, so that no terminal or pipe can spoil it.

    ``count`` is how many concepts are listed on either side; ``explained_share`` is their share.
    """
    if isinstance(answer, ImageError):
        return json.dumps({"image": answer.image, "error": answer.reason})
    return json.dumps(_record(answer, count))


def _record(answer: Prediction, count: int) -> dict[str, Any]:
    return {
        "image": answer.image,
        **_position(answer.position),
        "radius_50_km": round(answer.radius_50_km, KM_DIGITS),
        "radius_90_km": round(answer.radius_90_km, KM_DIGITS),
        "calibrated": answer.calibrated,
        "scope": answer.scope,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "candidates": [_candidate(candidate) for candidate in answer.candidates],
        "concepts": [
            {
                "name": concept.name,
                "contribution": round(concept.contribution, SHARE_DIGITS),
                "present": concept.present,
            }
            for concept in answer.explanation.shown(count)
        ],
        "explained_share": round(answer.explanation.explained_share(count), SHARE_DIGITS),
        "model": answer.model,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    probability = round(candidate.probability, SHARE_DIGITS)
    place = {"probability": probability, "place": candidate.place}
    return {**_position(candidate.position), **place}


def _position(position: LatLon) -> dict[str, float]:
    return {
        "lat": round(position.lat, COORDINATE_DIGITS),
        "lon": round(position.lon, COORDINATE_DIGITS),
    }
