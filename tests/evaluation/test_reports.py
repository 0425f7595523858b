"""Every report is valid JSON, also where nothing could be measured."""

import json
import math

import numpy as np
import pytest

from geowhy.evaluation.concept_scores import ConceptReport
from geowhy.evaluation.error_bands import BandsReport, ErrorBand
from geowhy.evaluation.estimates import Estimate
from geowhy.evaluation.fidelity.consistency import SanityReport, StabilityReport
from geowhy.evaluation.fidelity.deletion import Curves, DeletionReport
from geowhy.evaluation.fidelity.planted import PlantedReport
from geowhy.evaluation.fidelity.report import FidelityReport
from geowhy.evaluation.fidelity.truth import PointingReport, TruthReport
from geowhy.evaluation.predictions import EvaluationReport, PredictionTable
from geowhy.evaluation.rule_report import Comparison, ConceptPull, Contrast, RulesReport, Scored
from geowhy.evaluation.rules import BOTTLENECK

NAN = float("nan")
UNKNOWN = Estimate(NAN, NAN, NAN)
SPOTS = np.array([[5.0, 5.0], [45.0, 45.0], [-25.0, 25.0]])
ONES, ALL = np.ones(3), np.ones(3, bool)
ALL_ABSTAINED = PredictionTable(
    {},
    ("a", "b", "c"),
    SPOTS,
    SPOTS,
    ONES,
    ONES,
    ALL,
    ALL,
    ((),) * 3,
    ONES,
    *(np.full(3, NAN),) * 2,
).measure()
UNSCORED = Scored("here", 0, 1, 0, 0, NAN, {BOTTLENECK: UNKNOWN}, {BOTTLENECK: NAN}, {})

REPORTS = {
    "evaluation": EvaluationReport("m", "test", "p", "g", "views", 3, ALL_ABSTAINED, None),
    "fidelity": FidelityReport(
        "m",
        1,
        "p",
        DeletionReport(0, 1, (Curves("o", (0,), (NAN,), (NAN,), UNKNOWN, UNKNOWN),)),
        SanityReport(0, UNKNOWN, UNKNOWN),
        TruthReport(0, {5: UNKNOWN}, {}, {}, UNKNOWN, UNKNOWN, {5: NAN}),
        StabilityReport(0, {"crop": UNKNOWN}, {}),
        PointingReport(0, UNKNOWN, UNKNOWN),
        PlantedReport(0, 0, UNKNOWN, UNKNOWN, UNKNOWN),
    ),
    "bands": BandsReport("m", 0, "r", (ErrorBand(0, math.inf, 0, (("a", UNKNOWN),), ()),)),
    "rules": RulesReport("m", 0, 0, 0, 0, "n", (Comparison("c", 2, 0, (), (UNSCORED,)),)),
    "concepts": ConceptReport("m", "p", (), (), (), UNKNOWN, UNKNOWN, ()),
    "contrast": Contrast("a", "b", (ConceptPull("c", "d", NAN, -math.inf, True, True),), NAN),
}


@pytest.mark.parametrize("name", REPORTS)
def test_what_could_not_be_measured_is_null(name):
    text = REPORTS[name].to_json()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} isn't JSON"))
    assert "null" in text.replace('"unseen": null', "")
