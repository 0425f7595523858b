"""What tells two places apart by linear rules: how far each concept pulls towards either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from geowhy.arrays import AnyFloats
from geowhy.errors import DataError
from geowhy.evaluation.output import to_json
from geowhy.evaluation.rules import BOTTLENECK, FEWEST_VIEWS, MOST_CONCEPTS, RuleViews, Task
from geowhy.geo.atlas import Atlas, Country

__all__ = ["ConceptPull", "Contrast", "contrast_countries"]


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
    ) -> Self:
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
