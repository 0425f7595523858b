"""Faithfulness of a model of pictures from above, on pictures of a world that it never saw.

Of pictures that it answers: to refuse one is to claim nothing that could be explained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress

import numpy as np

from geowhy.errors import ConfigError
from geowhy.evaluation.estimates import JsonReport, finding
from geowhy.evaluation.fidelity.consistency import (
    SanityReport,
    StabilityReport,
    measure_sanity,
    measure_stability,
)
from geowhy.evaluation.fidelity.deletion import DeletionReport, measure_deletion
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.evaluation.orbit.queries import QueryRow, cut_queries, drawn_poses
from geowhy.evaluation.orbit.stated import FIRST, StatedTruth
from geowhy.evaluation.orbit.subject import OrbitSubject
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import open_world
from geowhy.locator import Locator
from geowhy.orbit.model import OrbitModel

__all__ = ["PoseFidelityReport", "measure_pose_fidelity", "tells_poses"]

WORLD, WIDTHS_KM = "three-globe", (150.0, 2_500.0)
PICTURES, DELETED, CHANGED = 300, 60, 100
AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class PoseFidelityReport(JsonReport):
    """How true the explanations of a model of pictures from above are."""

    model: str
    seed: int  # of the places, and of all that is drawn at random
    world: str
    pictures: int  # that were asked about
    answered: int  # of these; the others were refused
    deletion: DeletionReport
    truth: StatedTruth
    sanity: SanityReport
    stability: StabilityReport

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        low, high = WIDTHS_KM
        lines = [
            f"model     {self.model}",
            f"pictures  of the world {self.world}, {low:,.0f} to {high:,.0f} km wide, plain, seed "
            f"{self.seed}: {self.answered} of {self.pictures} are answered",
            "interval  95 %, bootstrap over blocks of 10°",
            "",
            *self.deletion.lines(),
            "",
            f"Truth by the atlas in the true footprint: {self.truth.pictures} pictures",
            finding(f"concepts that are stated, first {FIRST}", self.truth.stated.text(".1%")),
            finding(f"the {FIRST} most frequent concepts", self.truth.most_frequent.text(".1%")),
            "",
            *self.sanity.lines(),
            "",
            *self.stability.lines(),
        ]
        return "\n".join(lines)


def tells_poses(locator: Locator) -> bool:
    """Whether a model is one of pictures from above."""
    return isinstance(locator.engine.model, OrbitModel)


def measure_pose_fidelity(
    locator: Locator, seed: int, say: Callable[[str], None]
) -> PoseFidelityReport:
    """Measures the explanations of a model of pictures from above.

    Takes minutes on two cores. ``say`` is told what is being done.

    Raises:
        ModelNotFoundError: if the world isn't on this machine; says how to get it.
        ConfigError: if the model answers none of the pictures.
    """
    subject = OrbitSubject(locator.engine)
    world, poses = WorldPyramid(open_world(WORLD)), drawn_poses(QueryRow(WIDTHS_KM), PICTURES, seed)
    say(f"locating {PICTURES:,} pictures of {WORLD}")
    pictures, answers = [], []
    for start in range(0, PICTURES, AT_ONCE):
        numbers = np.arange(start, min(start + AT_ONCE, PICTURES))
        cut = cut_queries(world, poses[numbers], "plain", seed, numbers.tolist())
        pictures.append(cut)
        answers += locator.engine.decode(list(cut))
    is_answered = np.array([answer.abstention is None for answer in answers])
    if not is_answered.any():
        raise ConfigError(f"{locator.name}: answers none of the pictures: there is nothing to ask")
    known = tuple(compress(answers, is_answered))
    views = AnsweredViews(poses.lat_lon[is_answered], np.concatenate(pictures)[is_answered], known)
    say("asking the atlas what is true there")
    stated = [subject.stated(answer) for answer in known]
    truth = StatedTruth.of(stated, poses[is_answered], subject.concept_ids)
    say("shuffling weights and concepts")
    sanity = measure_sanity(locator, views, seed)
    say("cropping, compressing and shifting")
    stability = measure_stability(locator, views.first(CHANGED))
    say("deleting")
    deletion = measure_deletion(locator, views.first(DELETED), seed, lambda done, total: None)
    return PoseFidelityReport(
        locator.name, seed, WORLD, PICTURES, len(known), deletion, truth, sanity, stability
    )
