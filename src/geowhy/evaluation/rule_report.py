"""``geowhy rules``: how well a few concepts a country name it, and what tells two apart.

Beside them are classifiers that see all. All are linear and fitted on the same training views. Test
views lie in 10° cells that the model never saw, so a country is asked for only if enough training
views lie in the rest of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import partial

import numpy as np

from geowhy.arrays import AnyFloats
from geowhy.errors import ConfigError, DataError
from geowhy.evaluation.estimates import Estimate, JsonReport, block_mean, columns, to_json
from geowhy.evaluation.rules import (
    BOTTLENECK,
    CLASSIFIERS,
    FEWEST_VIEWS,
    MOST_CONCEPTS,
    LinearClassifier,
    RuleViews,
    SomeViews,
    Task,
)
from geowhy.geo.atlas import Atlas, Country
from geowhy.geo.cells import cell_of, ten_degree_cell

__all__ = ["Contrast", "RulesReport", "contrast_countries", "measure_rules"]

CELL_RESOLUTION = 0  # of H3: such a cell, 2,000 km across, holds several of the 10° cells
SIZES, SCORES = (28, -9, -9, -6, -10), (28, 24, 10, 30)  # widths of columns
ALLOWED_POINTS = 3.0  # that the bottleneck may be behind a dense classifier


@dataclass(frozen=True, slots=True)
class ClassifierScore:
    """How large a classifier is."""

    name: str
    weights: int  # that aren't 0, without the biases
    mean_a_class: float
    most_a_class: int
    strength: float  # of the regularisation


@dataclass(frozen=True, slots=True)
class Scored:
    """How good the classifiers are on some views, by their names."""

    views: str  # where the views lie
    scored: int  # those whose class can be named
    left_out: int  # those whose class has too few training views
    classes: int  # that occur among the scored
    blocks: int  # of 10 degrees that hold them
    commonest: float  # accuracy of always naming the class with most training views
    accuracy: dict[str, Estimate]  # 95 % intervals by blocks
    balanced: dict[str, float]  # mean accuracy over classes
    gap: dict[str, Estimate]  # accuracy of the bottleneck less a dense one's, on the same draws

    @property
    def best_dense(self) -> str:
        """The dense classifier that the bottleneck is held against: the most accurate one."""
        return max(self.gap, key=lambda name: self.accuracy[name].value)

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"  {self.views}: {self.scored:,} views of {self.classes} classes in {self.blocks} "
            f"blocks; {self.left_out:,} left out",
            columns(SCORES, "", "accuracy", "balanced", "bottleneck is ahead by"),
        ]
        for name, accuracy in self.accuracy.items():
            gap = ""
            if name in self.gap:
                points = Estimate(*(100 * share for share in astuple(self.gap[name])))
                gap = points.text("+.1f", " points ")
            cells = (accuracy.text("6.1%", " "), f"{self.balanced[name]:.1%}", gap)
            lines.append(columns(SCORES, f"  {name}", *cells))
        lines.append(columns(SCORES, "  always the commonest", f"{self.commonest:6.1%}"))
        best = self.best_dense
        verdict = "within" if -100 * self.gap[best].value <= ALLOWED_POINTS else "not within"
        return [*lines, f"  {verdict} {ALLOWED_POINTS:g} points of the best dense one ({best})"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One task: what is named, by which classifiers, and how well."""

    task: str
    classes: int  # that can be named
    fitted: int  # views that the classifiers were fitted on
    classifiers: tuple[ClassifierScore, ...]
    scored: tuple[Scored, ...]

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{self.task}: {self.classes} classes, {self.fitted:,} training views",
            columns(SIZES, "", "weights", "a class", "most", "strength"),
        ]
        for c in self.classifiers:
            sizes = (f"{c.weights:,}", f"{c.mean_a_class:.1f}", str(c.most_a_class))
            lines.append(columns(SIZES, f"  {c.name}", *sizes, f"{c.strength:g}"))
        for scored in self.scored:
            lines += ["", *scored.lines()]
        return lines


@dataclass(frozen=True, slots=True)
class RulesReport(JsonReport):
    """All tasks of a model."""

    model: str
    split_seed: int  # of its cells
    seed: int  # of the sample of training views
    sampled: int  # how many were drawn
    concepts: int  # how many the bottleneck chooses among
    near: str  # what the views in the cells of the training are
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


def measure_rules(views: RuleViews, with_cells: bool, report: Callable[[str], None]) -> RulesReport:
    """Fits all classifiers and measures them; ``report`` is told of each as it begins.

    Raises:
        ConfigError: if there are too few training views to tell two classes.
    """
    fitted = views.read(views.fitted)
    asked = {
        "held-out 10° cells": views.read(views.manifest.rows("test")),
        "cells of the training": views.read(views.near),
    }
    tasks = [Task.countries(Atlas.load(), fitted)]
    if with_cells:
        cells = partial(cell_of, resolution=CELL_RESOLUTION)
        tasks.append(Task.of(f"H3 cells of resolution {CELL_RESOLUTION}", cells, fitted))
    compared = []
    for task in tasks:
        fits, sizes = {}, []
        for name in CLASSIFIERS:
            report(f"{task.name}: fitting {name}")
            fits[name], strength = task.fit(name, fitted)
            used = fits[name].used
            of_all, most = int(used.sum()), int(used.max())
            sizes.append(ClassifierScore(name, of_all, float(used.mean()), most, strength))
        _, labels = task.labelled(fitted)
        commonest = int(np.bincount(labels).argmax())
        scored = tuple(_scored(words, task, some, fits, commonest) for words, some in asked.items())
        compared.append(Comparison(task.name, len(task.classes), len(labels), tuple(sizes), scored))
    return RulesReport(
        views.model.name,
        views.config.split.seed,
        views.seed,
        len(views.fitted),
        len(views.model.bank.names),
        views.near_words,
        tuple(compared),
    )


def _scored(
    words: str, task: Task, views: SomeViews, fits: dict[str, LinearClassifier], commonest: int
) -> Scored:
    kept, labels = task.labelled(views)
    if not len(labels):
        raise ConfigError(
            f"{task.name}: no view of the {words} has one of the {len(task.classes)} classes: give "
            "a model that was trained on more views"
        )
    hits = {
        name: (classifier.predict(CLASSIFIERS[name][0](kept)) == labels).astype(np.float64)
        for name, classifier in fits.items()
    }
    blocks, own, classes = ten_degree_cell(kept.centres), hits[BOTTLENECK], np.unique(labels)
    return Scored(
        words,
        len(labels),
        len(views.centres) - len(labels),
        len(classes),
        len(np.unique(blocks)),
        float((labels == commonest).mean()),
        {name: block_mean(hit, blocks) for name, hit in hits.items()},
        {
            name: float(np.mean([hit[labels == each].mean() for each in classes]))
            for name, hit in hits.items()
        },
        {n: block_mean(own - hit, blocks) for n, hit in hits.items() if n != BOTTLENECK},
    )


@dataclass(frozen=True, slots=True)
class ConceptPull:
    """How far a concept pulls the views of two places towards their own."""

    name: str
    category: str
    first: float  # log-odds that it adds for the first place, on the mean of that place's views
    second: float  # the same for the second place, on its own views
    first_has: bool  # whether its views have more of it than the average view
    second_has: bool

    @property
    def shown(self) -> tuple[float, float]:
        """What speaks for either place; 0 for what speaks against it."""
        return max(self.first, 0.0), max(self.second, 0.0)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two places and all that tells them apart."""

    first: str
    second: str
    pulls: tuple[ConceptPull, ...]  # of every concept that a rule of either uses, the widest first
    bias: float  # log-odds of the first against the second place with all concepts at their average

    @classmethod
    def of(
        cls,
        places: tuple[str, str],
        concepts: Sequence[tuple[str, str]],
        weights: tuple[AnyFloats, AnyFloats],
        means: tuple[AnyFloats, AnyFloats],
        bias: float,
    ) -> Contrast:
        """From the names of two places and rules over k concepts, each with name and category.

        Weights are of either rule, ``[k]``; means of the standardised scores of either place's
        views, ``[k]``; the bias is that of the first rule less that of the second.

        Raises:
            DataError: if both places are the same.
        """
        if places[0] == places[1]:
            raise DataError(f"{places[0]}: can't be told from itself: give two places")
        towards_first = weights[0] - weights[1]
        pulls = [
            ConceptPull(
                *concepts[row],
                float(towards_first[row] * means[0][row]),
                float(-towards_first[row] * means[1][row]),
                bool(means[0][row] > 0),
                bool(means[1][row] > 0),
            )
            for row in np.flatnonzero(towards_first).tolist()
        ]
        pulls.sort(key=lambda pull: sum(pull.shown), reverse=True)
        return cls(*places, tuple(pulls), bias)

    @property
    def margins(self) -> tuple[float, float]:
        """Mean log-odds of either place against the other, on its own views."""
        first = sum(pull.first for pull in self.pulls) + self.bias
        second = sum(pull.second for pull in self.pulls) - self.bias
        return first, second

    def words(self, which: int, count: int) -> str:
        """What speaks most for the first (0) or the second place (1): "less desert +0.21"."""
        speaking = [pull for pull in self.pulls if pull.shown[which] > 0]
        speaking.sort(key=lambda pull: pull.shown[which], reverse=True)
        told = [
            f"{'' if (pull.first_has, pull.second_has)[which] else 'less '}{pull.name} "
            f"{pull.shown[which]:+.2f}"
            for pull in speaking[:count]
        ]
        return ", ".join(told) or "nothing"

    def to_json(self) -> str:
        """Everything, as one JSON object."""
        return to_json(asdict(self) | {"margins": self.margins})


def contrast_countries(
    views: RuleViews, first: Country, second: Country, report: Callable[[str], None]
) -> tuple[Contrast, str]:
    """What tells two countries apart by the bottleneck alone, on the training views of each.

    The text says where the rules come from. ``report`` is told of each stage.

    Raises:
        ConfigError: if there are too few training views to tell two countries.
        DataError: if a country has too few of them, or both are the same.
    """
    atlas, fitted = Atlas.load(), views.read(views.fitted)
    task = Task.countries(atlas, fitted)
    kept, labels = task.labelled(fitted)
    codes = atlas.layer("country").info.labels
    known = [codes[number] for number in task.classes.tolist()]
    for country in (first, second):
        if country.code not in known:
            names = ", ".join(sorted(c.name for c in atlas.countries if c.code in known))
            raise DataError(
                f"{country.name}: too few of the {len(labels):,} training views lie there, "
                f"and a rule takes {FEWEST_VIEWS}: choose two of {names}"
            )
    report("fitting the bottleneck")
    classifier, _ = task.fit(BOTTLENECK, fitted)
    concepts, bank = classifier.standardised(kept.concepts), views.model.bank
    a, b = known.index(first.code), known.index(second.code)
    contrast = Contrast.of(
        (first.name, second.name),
        tuple(zip(bank.names, bank.categories, strict=True)),
        (classifier.weights[a], classifier.weights[b]),
        (concepts[labels == a].mean(axis=0), concepts[labels == b].mean(axis=0)),
        float(classifier.biases[a] - classifier.biases[b]),
    )
    return contrast, (
        f"{views.model.name}: at most {MOST_CONCEPTS} concepts a country, fitted on "
        f"{len(labels):,} training views of {len(known)} countries, seed {views.seed}"
    )
