"""What `geowhy.evaluation.place_rules` found, as a table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.evaluation.output import JsonReport, columns, with_interval
from geowhy.evaluation.resampling import Estimate

__all__ = ["BOTTLENECK", "ClassifierScore", "Comparison", "RulesReport", "Scored"]

BOTTLENECK = "bottleneck"
SIZES, SCORES = (28, -9, -9, -6, -10), (28, 24, 10, 30)  # widths of columns
ALLOWED_POINTS = 3.0  # that the bottleneck may be behind a dense classifier


@dataclass(frozen=True, slots=True)
class ClassifierScore:
    """How large a classifier is.

    Attributes:
        weights: that aren't 0, without the biases.
        mean_a_class, most_a_class: of them.
        strength: of the regularisation that was chosen.
    """

    name: str
    weights: int
    mean_a_class: float
    most_a_class: int
    strength: float


@dataclass(frozen=True, slots=True)
class Scored:
    """How good the classifiers are on some views, by their names.

    Attributes:
        views: where the views lie.
        scored: those whose class can be named.
        left_out: those whose class has too few training views.
        classes: that occur among the scored.
        blocks: of 10 degrees that hold them.
        commonest: accuracy of always naming the class with most training views.
        accuracy: 95 % intervals by blocks.
        balanced: mean accuracy over classes.
        gap: accuracy of the bottleneck less that of each dense classifier, on the same draws.
    """

    views: str
    scored: int
    left_out: int
    classes: int
    blocks: int
    commonest: float
    accuracy: dict[str, Estimate]
    balanced: dict[str, float]
    gap: dict[str, Estimate]

    @property
    def best_dense(self) -> str:
        """The dense classifier that the bottleneck is held against: the most accurate one."""
        return max(self.gap, key=lambda name: self.accuracy[name].value)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One task: what is named, by which classifiers, and how well.

    Attributes:
        classes: that can be named.
        fitted: views that the classifiers were fitted on.
    """

    task: str
    classes: int
    fitted: int
    classifiers: tuple[ClassifierScore, ...]
    scored: tuple[Scored, ...]

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{self.task}: {self.classes} classes, {self.fitted:,} training views",
            columns(SIZES, "", "weights", "a class", "most", "strength"),
        ]
        lines += [
            columns(
                SIZES,
                f"  {c.name}",
                f"{c.weights:,}",
                f"{c.mean_a_class:.1f}",
                str(c.most_a_class),
                f"{c.strength:g}",
            )
            for c in self.classifiers
        ]
        for scored in self.scored:
            lines += ["", *_scored_lines(scored)]
        return lines


@dataclass(frozen=True, slots=True)
class RulesReport(JsonReport):
    """All tasks of a model.

    Attributes:
        split_seed: of its cells.
        seed: of the sample of training views.
        sampled: how many were drawn.
        concepts: how many the bottleneck chooses among.
        near: what the views in the cells of the training are.
    """

    model: str
    split_seed: int
    seed: int
    sampled: int
    concepts: int
    near: str
    tasks: tuple[Comparison, ...]

    def table(self) -> str:
        """For people: what was done, then every task."""
        lines = [
            f"model      {self.model}, {self.concepts} concepts that views show",
            f"fitted     on {self.sampled:,} training views, seed {self.seed}; linear softmax, "
            "L2; strength chosen in",
            "           thirds of their 10° cells, then fitted on all; a class needs 30 of these "
            "views, others are left out",
            f"tested     held-out 10° cells: the test views, split seed {self.split_seed}, no "
            "pixel of which the model saw",
            "           cells of the training:",
            f"           {self.near}",
            "interval   95 %, bootstrap over blocks of 10°; a gap is taken on the same draws",
        ]
        for task in self.tasks:
            lines += ["", *task.lines()]
        return "\n".join(lines)


def _scored_lines(s: Scored) -> list[str]:
    lines = [
        f"  {s.views}: {s.scored:,} views of {s.classes} classes in {s.blocks} blocks; "
        f"{s.left_out:,} left out",
        columns(SCORES, "", "accuracy", "balanced", "bottleneck is ahead by"),
    ]
    for name, accuracy in s.accuracy.items():
        gap = _points(s.gap[name]) if name in s.gap else ""
        told = with_interval(accuracy, "6.1%", " ")
        lines.append(columns(SCORES, f"  {name}", told, f"{s.balanced[name]:.1%}", gap))
    lines.append(columns(SCORES, "  always the commonest", f"{s.commonest:6.1%}"))
    best = s.best_dense
    behind = -100 * s.gap[best].value
    verdict = "within" if behind <= ALLOWED_POINTS else "not within"
    return [*lines, f"  {verdict} {ALLOWED_POINTS:g} points of the best dense one ({best})"]


def _points(estimate: Estimate) -> str:
    hundredfold = Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)
    return with_interval(hundredfold, "+.1f", " points ")
