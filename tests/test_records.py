"""Answers as JSON and back: a line holds all that an answer says, and a version."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geowhy.answer import Abstention, Agreement, Candidate, FileRecord, Prediction, Scope
from geowhy.errors import DataError, ImageError
from geowhy.explanation import (
    ConceptChange,
    ConceptScore,
    Counterfactual,
    EvidenceMap,
    Explanation,
    Reference,
    SparseForm,
)
from geowhy.hints import NO_HINTS, HeadingRange, Hints, WidthRange
from geowhy.records import VERSION, Withheld, as_json, explanation_json, prediction_from_json
from geowhy.types import LatLon

PARIS = Reference("runner-up", LatLon(48.9, 2.4), "near Paris, France")
EXPLANATION = Explanation(
    score=1.25,
    contributions=(
        ConceptScore("savanna", 1.0, True, "climate", 0.75),
        ConceptScore("coast", -0.25, False, "water", 0.0),
    ),
    unexplained=0.5,
    against=PARIS,
    sparse=SparseForm((ConceptScore("savanna", 1.5, True, "climate"),), 0.9, 0.93, 0.97, 1.5),
    what_if=(
        Counterfactual(
            change="-savanna +coast",
            changes=(ConceptChange("savanna", "without"), ConceptChange("coast", "with")),
            position=LatLon(0.5, 1.5),
            place="at sea",
            moved_km=1100.0,
            probability_before=0.34,
            probability_after=0.12,
            probability_there=0.5,
        ),
    ),
    evidence=(EvidenceMap("savanna", np.eye(3, dtype=np.float32), "occlusion"),),
)


HINTS = Hints(WidthRange(320.0, 500.5), HeadingRange(-30.25, 15.0))
SCOPE = Scope(192_000, region="Brazil", outside_weight=0.1, hints=HINTS)
FOOTPRINT = (LatLon(10.5, -2.0), LatLon(10.5, 0.5), LatLon(8.25, 0.5), LatLon(8.25, -2.0))


def prediction(**changes):
    values = {
        "image": "a\nb.png",
        "position": LatLon(9.4075, -0.8393),
        "radius_50_km": 312.0,
        "radius_90_km": 1849.5,
        "candidates": (
            Candidate(LatLon(9.4075, -0.8393), 0.34, "near Tamale, Ghana"),
            Candidate(LatLon(-12.0, 8.52), 0.004, "at sea, 500 km west of Lobito, Angola"),
        ),
        "explanation": EXPLANATION,
        "model": "embedded",
        "scope": SCOPE,
        "calibrated": False,
        "notes": ("the first of two bands is shown as grey",),
        "file_says": FileRecord(LatLon(9.5, -0.5), "georeference", 120.0),
        "other_evidence": ("stars of the south",),
        "heading_deg": 32.25,
        "width_km": 412.5,
        "footprint": FOOTPRINT,
        "verified": True,
        "agreement": Agreement(0.7125, 0.25),
    }
    return Prediction(**{**values, **changes})


def test_an_explained_answer_reads_back_as_it_was():
    given = prediction()
    line = explanation_json(given)
    read = prediction_from_json(line)
    for name in (
        "image",
        "position",
        "radius_90_km",
        "candidates",
        "model",
        "scope",
        "other_evidence",
        "notes",
        "file_says",
        "heading_deg",
        "width_km",
        "footprint",
        "verified",
        "agreement",
    ):
        assert getattr(read, name) == getattr(given, name), name
    assert read.calibrated is given.calibrated
    assert not read.abstained
    for name in ("score", "contributions", "unexplained", "against", "sparse", "what_if"):
        assert getattr(read.explanation, name) == getattr(EXPLANATION, name), name
    (maps,) = read.explanation.evidence
    assert (maps.of, maps.method, maps.evidence.dtype) == ("savanna", "occlusion", np.float32)
    assert (maps.evidence == np.eye(3)).all()
    assert explanation_json(read) == line


def test_a_short_answer_reads_back_with_the_concepts_that_it_lists():
    read = prediction_from_json(as_json(prediction(), 1))
    assert read.explanation.score == 1.25
    assert read.explanation.against == PARIS
    assert as_json(read, 1) == as_json(prediction(), 1)
    only = prediction(explanation=Explanation(1.5, EXPLANATION.contributions[:1], 0.5))
    assert prediction_from_json(as_json(only, 5)) == only


def test_what_a_model_does_not_tell_of_the_pose_is_null_and_may_be_missing():
    silent = dict.fromkeys(("heading_deg", "width_km", "footprint", "verified", "agreement"))
    line = as_json(prediction(**silent), 1)
    record = json.loads(line)
    assert {name: record[name] for name in silent} == silent
    assert prediction_from_json(line).footprint is None
    older = json.dumps({name: value for name, value in record.items() if name not in silent})
    assert prediction_from_json(older) == prediction_from_json(line)


def test_a_guess_has_no_pose_for_none_was_verified():
    line = as_json(prediction(abstention=Abstention("novel", 3.25, 1.5)), 1, guess=True)
    record = json.loads(line)
    assert [record[name] for name in ("heading_deg", "width_km", "footprint")] == [None] * 3
    assert prediction_from_json(line).footprint is None


@pytest.mark.parametrize("kind", ["novel", "too_wide"])
def test_an_abstention_reads_back_without_a_place(kind):
    why = Abstention(kind, 3.25, 1.5)
    read = prediction_from_json(explanation_json(prediction(abstention=why)))
    assert read == Withheld("a\nb.png", why, "embedded", SCOPE, calibrated=False)


def test_a_scope_of_before_hints_has_none():
    record = json.loads(as_json(prediction(), 1))
    record["scope"] = {n: v for n, v in record["scope"].items() if n not in ("width", "heading")}
    assert prediction_from_json(json.dumps(record)).scope == replace(SCOPE, hints=NO_HINTS)


def test_a_guess_reads_back_as_a_guess_of_unknown_radius():
    line = explanation_json(prediction(abstention=Abstention("novel", 3.25, 1.5)), guess=True)
    read = prediction_from_json(line)
    assert read.abstained
    assert read.position == LatLon(9.4075, -0.8393)
    assert read.candidates[0].place == "near Tamale, Ghana"
    assert np.isnan([read.radius_50_km, read.radius_90_km, read.candidates[0].probability]).all()
    assert explanation_json(read, guess=True) == line


def test_an_image_that_could_not_be_read_reads_back_as_its_error():
    read = prediction_from_json(as_json(ImageError("a.png", "no such file"), 5))
    assert isinstance(read, ImageError)
    assert (read.image, read.reason) == ("a.png", "no such file")


def test_the_documents_name_every_key_in_a_table():
    page = Path(__file__).parents[1] / "docs" / "command-line.md"
    if not page.is_file():
        pytest.skip("documents are only in a checkout")
    rows = re.findall(r"^\| (`.*?) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    line = explanation_json(prediction(abstention=Abstention("novel", 3.25, 1.5)))
    assert set(json.loads(line)) <= named


def test_each_line_has_its_version_first():
    for line in (as_json(prediction(), 1), as_json(ImageError("a", "b"), 1)):
        assert next(iter(json.loads(line).items())) == ("version", VERSION)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no JSON object"),
        ("[1]", "no JSON object"),
        ('{"image": "a.png"}', "version None"),
        (f'{{"version": {VERSION + 1}, "image": "a.png"}}', f"version {VERSION + 1}"),
        (f'{{"version": {VERSION}, "image": "a.png"}}', "lacks"),
        (as_json(prediction(), 1).replace("9.4075", "99.4075"), "a\\nb.png"),
    ],
)
def test_a_line_that_is_no_answer_is_refused_with_what_is_wrong(line, words):
    with pytest.raises(DataError) as caught:
        prediction_from_json(line)
    assert words in str(caught.value)
