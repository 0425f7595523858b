"""All measures of faithfulness of a model, as one report: ``geowhy evaluate MODEL --faithfulness``.

What is measured was decided on other views than those that are reported: see docs/explanations.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from geowhy.errors import ConfigError
from geowhy.evaluation.estimates import JsonReport, finding
from geowhy.evaluation.fidelity.consistency import (
    SanityReport,
    StabilityReport,
    measure_sanity,
    measure_stability,
)
from geowhy.evaluation.fidelity.deletion import DeletionReport, measure_deletion
from geowhy.evaluation.fidelity.of_poses import (
    PoseFidelityReport,
    measure_pose_fidelity,
    tells_poses,
)
from geowhy.evaluation.fidelity.planted import PlantedReport, measure_planted_cue
from geowhy.evaluation.fidelity.truth import (
    PointingReport,
    TruthReport,
    measure_pointing,
    measure_truth,
)
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.evaluation.protocol import training_config
from geowhy.locator import Locator
from geowhy.model.concept_terms import ConceptTerm
from geowhy.registry import require

__all__ = ["FidelityReport", "measure_fidelity"]

TRUTH_VIEWS, DELETION_VIEWS, SANITY_VIEWS, STABILITY_VIEWS = 1000, 60, 200, 200
COMPOSITES = 60

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class FidelityReport(JsonReport):
    """How true a model's explanations are."""

    model: str
    seed: int  # of the views and of all that is drawn at random
    protocol: str
    deletion: DeletionReport
    sanity: SanityReport
    truth: TruthReport
    stability: StabilityReport
    pointing: PointingReport
    planted: PlantedReport

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        planted, pointing = self.planted, self.pointing
        lines = [
            f"model     {self.model}",
            f"views     {self.protocol}, drawn with seed {self.seed}",
            "interval  95 %, bootstrap over blocks of 10°",
            "",
            *self.deletion.lines(),
            "",
            *_truth_lines(self.truth),
            "",
            *self.sanity.lines(),
            "",
            *self.stability.lines(),
            "",
            f"Planted cue: a model of {planted.training_views:,} views, asked about "
            f"{planted.asked} others with the cue painted in",
            finding("answer moved to where the concept holds", planted.moved.text(".1%")),
            finding("of these, concept named first", planted.first.text(".1%")),
            finding("the same without the cue", planted.first_without.text(".1%")),
            "",
            f"Pointing game: {pointing.composites} composites of two halves; chance is 50 %",
            finding("strongest field in the right half", pointing.strongest.text(".1%")),
            finding("positive evidence in the right half", pointing.evidence.text(".1%")),
        ]
        return "\n".join(lines)


def measure_fidelity(model: str, seed: int, say: Say) -> FidelityReport | PoseFidelityReport:
    """Measures the explanations of a model from above on pictures that it never saw.

    Takes about ten minutes on two cores. ``say`` is told what is being done.

    Raises:
        ModelNotFoundError: if the model, its backbone or the world image isn't installed.
        MissingExtraError: without the extra ``train``.
        ConfigError: if the model has no views, or no concepts that take part in its scores.
    """
    locator = Locator.from_pretrained(model)
    if tells_poses(locator):
        return measure_pose_fidelity(locator, seed, say)
    config = training_config(model)
    if not any(isinstance(term, ConceptTerm) for term in locator.engine.model.terms):
        raise ConfigError(
            f"{model}: scores embeddings alone, so no concept can be broken or taken away from it: "
            "give a model with alignment.space = concept or both"
        )
    require(config.backbone)  # which the last part trains with: said now, not in ten minutes
    say(f"locating {TRUTH_VIEWS:,} test views")
    views = AnsweredViews.draw(locator, config, TRUTH_VIEWS, seed)
    say("asking the atlas what is true there")
    truth = measure_truth(locator, views)
    say("shuffling weights and concepts")
    sanity = measure_sanity(locator, views.first(SANITY_VIEWS), seed)
    say("cropping, compressing and shifting")
    stability = measure_stability(locator, views.first(STABILITY_VIEWS))
    pointing = measure_pointing(locator, views, COMPOSITES, _progress(say, "pointing", COMPOSITES))
    deletion = measure_deletion(
        locator, views.first(DELETION_VIEWS), seed, _progress(say, "deleting", DELETION_VIEWS)
    )
    planted = measure_planted_cue(config, seed, say)
    words = f"test views of held-out 10° cells, split seed {config.split.seed}"
    measured = (deletion, sanity, truth, stability, pointing, planted)
    return FidelityReport(locator.name, seed, words, *measured)


def _progress(say: Say, what: str, total: int) -> Callable[[int, int], None]:
    def tell(done: int, of: int) -> None:
        if done % max(1, total // 10) == 0:
            say(f"{what}: {done} of {of}")

    return tell


def _truth_lines(found: TruthReport) -> Iterator[str]:
    yield f"Truth by the atlas at the true place: {found.views} views"
    for title, by_count in (
        ("concepts that are stated", found.stated),
        ("all that speak for the place, however unsure", found.listed),
        ("the most frequent concepts", found.most_frequent),
    ):
        for count, estimate in by_count.items():
            yield finding(f"{title}, first {count}", estimate.text(".1%"))
    yield finding("concepts drawn by frequency", found.by_frequency.text(".1%"))
    yield finding("concepts drawn at random", found.random.text(".1%"))
    yield "  stated on average: " + ", ".join(
        f"{number:.1f} of {count}" for count, number in found.count.items()
    )
