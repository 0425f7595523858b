"""Answers as JSON, one object an image, one line each; and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from geowhy.answer import (
    Abstention,
    Agreement,
    Candidate,
    FileRecord,
    Footprint,
    Prediction,
    Scope,
)
from geowhy.errors import DataError, GeowhyError, ImageError
from geowhy.explanation import (
    ConceptChange,
    ConceptScore,
    Counterfactual,
    EvidenceMap,
    Explanation,
    Reference,
    SparseForm,
)
from geowhy.hints import HeadingRange, Hints, WidthRange
from geowhy.types import LatLon

__all__ = ["VERSION", "Withheld", "as_json", "explanation_json", "prediction_from_json"]

VERSION = 1  # of the schema: goes up when a key changes its meaning or goes away
COORDINATE_DIGITS = 5  # about 1 m
KM_DIGITS = 1
SHARE_DIGITS = 4
DEGREE_DIGITS = 2  # of a heading
POSE = (
    "heading_deg",
    "width_km",
    "footprint",
    "verified",
    "agreement",
)  # an answer has them, a guess hasn't
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Withheld:
    """What a line says of an image whose place the model declined to name.

    Attributes:
        image, abstention, model, scope, calibrated: as of the `Prediction`.
    """

    image: str
    abstention: Abstention
    model: str
    scope: Scope
    calibrated: bool


def as_json(answer: Prediction | ImageError, count: int, *, guess: bool = False) -> str:
    """One line of ASCII, so that no terminal or pipe can spoil it.

    ``count`` is how many concepts are listed on either side; ``explained_share`` is their share.
    After an abstention no place is given but as ``guess``, and that and its concepts only if
    asked for.
    """
    if isinstance(answer, ImageError):
        said = {"version": VERSION, "image": answer.image, "error": answer.reason}
        return json.dumps(said)
    return json.dumps(_record(answer, count, guess))


def explanation_json(answer: Prediction, *, guess: bool = False) -> str:
    """The answer with all that was said about why, on one line of ASCII."""
    said = answer.explanation
    record = _record(answer, len(said.contributions), guess)
    record |= {
        "categories": {name: round(x, SHARE_DIGITS) for name, x in said.by_category.items()},
        "sparse": _plain(said.sparse),
        "what_if": _plain(said.what_if),
        "evidence": [
            {"of": each.of, "method": each.method, "fields": each.evidence.round(4).tolist()}
            for each in said.evidence
        ],
    }
    if answer.abstained:
        for each in record["what_if"]:
            each |= dict.fromkeys(f"probability_{when}" for when in ("before", "after", "there"))
    if answer.abstained and not guess:
        record |= {"categories": {}, "sparse": None, "what_if": [], "evidence": []}
    return json.dumps(record)


def prediction_from_json(line: str) -> Prediction | Withheld | ImageError:
    """What a line of `as_json` or `explanation_json` said, to the digits that it holds.

    Concepts that the line doesn't list are missing. What is unknown of a guess is NaN.

    Raises:
        DataError: if it is no such line, or one of another version; says what is wrong.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise DataError(f"no JSON object ({error}): give one line of geowhy's output") from error
    if not isinstance(record, dict):
        raise DataError(f"no JSON object but {record!r:.40}: give one line of geowhy's output")
    if record.get("version") != VERSION:
        raise DataError(
            f"a record of version {record.get('version')}, and this geowhy reads version "
            f"{VERSION}: read it with the geowhy that wrote it, or write it anew"
        )
    try:
        return _read(record)
    except KeyError as error:
        raise DataError(f"the record lacks {error}: it isn't whole; write it anew") from error
    except (TypeError, ValueError, GeowhyError) as error:
        image = json.dumps(record.get("image"))
        raise DataError(f"the record of {image} can't be read ({error}): write it anew") from error


def _record(answer: Prediction, count: int, guess: bool) -> dict[str, Any]:
    said, scope = answer.explanation, answer.scope
    record = {
        "version": VERSION,
        "image": answer.image,
        **_position(answer.position),
        "radius_50_km": round(answer.radius_50_km, KM_DIGITS),
        "radius_90_km": round(answer.radius_90_km, KM_DIGITS),
        **_pose(answer),
        "calibrated": answer.calibrated,
        "scope": {
            "places": scope.places,
            "is_own": scope.is_own,
            "region": scope.region or None,
            "outside_weight": scope.outside_weight if scope.region else None,
            **_plain(scope.hints),
        },
        "other_evidence": list(answer.other_evidence),
        "notes": list(answer.notes),
        "file_says": _plain(answer.file_says),
        "abstained": answer.abstained,
        "abstention": asdict(answer.abstention) if answer.abstention else None,
        "candidates": _plain(answer.candidates),
        "against": _plain(said.against) | {"place": said.against.place or None},
        "score": round(said.score, SHARE_DIGITS),
        "unexplained": round(said.unexplained, SHARE_DIGITS),
        "concepts": _plain(said.shown(count)),
        "explained_share": round(said.explained_share(count), SHARE_DIGITS),
        "model": answer.model,
    }
    if answer.abstained:
        # Radii and probabilities were measured on answers; of a guess they'd promise too much.
        record |= dict.fromkeys(("lat", "lon", "radius_50_km", "radius_90_km", *POSE))
        unknown = dict.fromkeys(("radius_50_km", "radius_90_km", "probability"))
        place = answer.candidates[0].place if answer.candidates else ""
        best = {**_position(answer.position), "place": place, **unknown}
        record |= {"candidates": [], "guess": best if guess else None}
    if answer.abstained and not guess:
        # Why a place that isn't named would be: to say it is nearly to name it.
        record |= dict.fromkeys(("against", "score", "unexplained", "explained_share"))
        record |= {"concepts": []}
    return record


def _pose(answer: Prediction) -> dict[str, Any]:
    """How the picture lies on the ground; null for models that don't tell."""
    heading, width, corners = answer.heading_deg, answer.width_km, answer.footprint
    agreement = answer.agreement
    return {
        "heading_deg": None if heading is None else round(heading, DEGREE_DIGITS),
        "width_km": None if width is None else round(width, KM_DIGITS),
        "footprint": corners and [_position(corner) for corner in corners],
        "verified": answer.verified,
        "agreement": None if agreement is None else _plain(asdict(agreement)),
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """A value of an answer as JSON has it: positions stand among the keys, numbers are rounded."""
    if isinstance(value, float):
        return round(value, SHARE_DIGITS)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if not is_dataclass(value):
        return value
    record: dict[str, Any] = {}
    for field in fields(value):
        found = getattr(value, field.name)
        if field.name == "position":
            record |= _position(found) if found else dict.fromkeys(("lat", "lon"))
        else:
            km = field.name.endswith("_km")
            record[field.name] = round(found, KM_DIGITS) if km else _plain(found)
    return record


def _position(position: LatLon) -> dict[str, float]:
    return {
        "lat": round(position.lat, COORDINATE_DIGITS),
        "lon": round(position.lon, COORDINATE_DIGITS),
    }


def _read(record: Record) -> Prediction | Withheld | ImageError:
    if "error" in record:
        return ImageError(record["image"], record["error"])
    image, model, calibrated = record["image"], record["model"], record["calibrated"]
    among = record["scope"]
    width, heading = among.get("width"), among.get("heading")  # lines of before lack these
    scope = Scope(
        places=among["places"],
        is_own=among["is_own"],
        region=among["region"] or "",
        outside_weight=among["outside_weight"] or 0.0,
        hints=Hints(width and WidthRange(**width), heading and HeadingRange(**heading)),
    )
    abstention = Abstention(**record["abstention"]) if record["abstention"] else None
    if abstention and record["guess"] is None:
        return Withheld(image, abstention, model, scope, calibrated)
    answer = record["guess"] if abstention else record
    candidates = record["candidates"] if abstention is None else [answer]
    return Prediction(
        image=image,
        position=_read_position(answer),
        radius_50_km=_known(answer["radius_50_km"]),
        radius_90_km=_known(answer["radius_90_km"]),
        candidates=tuple(
            Candidate(_read_position(each), _known(each["probability"]), each["place"])
            for each in candidates
        ),
        explanation=_read_explanation(record),
        model=model,
        scope=scope,
        abstention=abstention,
        calibrated=calibrated,
        other_evidence=tuple(record["other_evidence"]),
        # Lines of before lack these.
        heading_deg=record.get("heading_deg"),
        width_km=record.get("width_km"),
        footprint=_read_footprint(record.get("footprint")),
        verified=record.get("verified"),
        agreement=_read_agreement(record.get("agreement")),
        notes=tuple(record.get("notes", ())),
        file_says=_read_file_record(record.get("file_says")),
    )


def _read_agreement(found: Record | None) -> Agreement | None:
    return None if found is None else Agreement(found["here"], found["next_best"])


def _read_file_record(found: Record | None) -> FileRecord | None:
    if found is None:
        return None
    return FileRecord(_read_position(found), found["origin"], found["width_km"])


def _read_explanation(record: Record) -> Explanation:
    sparse, against = record.get("sparse"), record["against"]
    where = None if against["lat"] is None else _read_position(against)
    return Explanation(
        score=record["score"],
        contributions=_read_concepts(record["concepts"]),
        unexplained=record["unexplained"],
        against=Reference(against["kind"], where, against["place"] or ""),
        sparse=sparse and SparseForm(**{**sparse, "concepts": _read_concepts(sparse["concepts"])}),
        what_if=tuple(
            Counterfactual(
                change=each["change"],
                changes=tuple(ConceptChange(**change) for change in each["changes"]),
                position=_read_position(each),
                place=each["place"],
                moved_km=each["moved_km"],
                probability_before=_known(each["probability_before"]),
                probability_after=_known(each["probability_after"]),
                probability_there=_known(each["probability_there"]),
            )
            for each in record.get("what_if", ())
        ),
        evidence=tuple(
            EvidenceMap(each["of"], np.array(each["fields"], np.float32), each["method"])
            for each in record.get("evidence", ())
        ),
    )


def _read_concepts(listed: list[dict[str, Any]]) -> tuple[ConceptScore, ...]:
    """Strongest first, as an explanation has them."""
    concepts = [ConceptScore(**each) for each in listed]
    return tuple(sorted(concepts, key=lambda each: abs(each.contribution), reverse=True))


def _read_footprint(corners: list[Record] | None) -> Footprint | None:
    if corners is None:
        return None
    top_left, top_right, bottom_right, bottom_left = map(_read_position, corners)
    return top_left, top_right, bottom_right, bottom_left


def _read_position(found: Record) -> LatLon:
    return LatLon(found["lat"], found["lon"])


def _known(number: float | None) -> float:
    return math.nan if number is None else number
