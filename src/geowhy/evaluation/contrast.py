"""What tells two places apart by linear rules: how far each concept pulls towards either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from geowhy.arrays import AnyFloats, Floats32, Ints
from geowhy.concepts.bank import ConceptBank
from geowhy.errors import DataError
from geowhy.evaluation.output import to_json
from geowhy.evaluation.rules import (
    BOTTLENECK,
    FEWEST_VIEWS,
    MOST_CONCEPTS,
    LinearClassifier,
    RuleViews,
    Task,
)
from geowhy.geo.atlas import Atlas, Country

__all__ = ["ConceptPull", "Contrast", "CountryRules", "country_rules"]


@dataclass(frozen=True, slots=True)
class ConceptPull:
    """How far a concept pulls the views of two places towards their own.

    Attributes:
        name: the concept.
        category: its group.
        first: log-odds that it adds for the first place, on the mean of that place's views;
            negative if it speaks against it.
        second: the same for the second place, on its own views.
        first_has: whether the views of the first place have more of it than the average view.
        second_has: the same of the second place.
    """

    name: str
    category: str
    first: float
    second: float
    first_has: bool
    second_has: bool

    @property
    def shown(self) -> tuple[float, float]:
        """What speaks for either place; 0 for what speaks against it."""
        return max(self.first, 0.0), max(self.second, 0.0)

    @property
    def width(self) -> float:
        """What speaks for either place, together."""
        return sum(self.shown)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two places and all that tells them apart.

    Attributes:
        first, second: names of the places.
        pulls: of every concept that a rule of either uses, the widest first.
        bias: log-odds of the first against the second place with all concepts at their average.
    """

    first: str
    second: str
    pulls: tuple[ConceptPull, ...]
    bias: float

    @classmethod
    def of(
        cls,
        places: tuple[str, str],
        concepts: Sequence[tuple[str, str]],
        weights: tuple[AnyFloats, AnyFloats],
        means: tuple[AnyFloats, AnyFloats],
        bias: float,
    ) -> Self:
        """From rules over k concepts.

        Args:
            places: their names.
            concepts: name and category of each.
            weights: of either rule, ``[k]``.
            means: of the standardised scores of either place's views, ``[k]``.
            bias: of the first rule less that of the second.

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
        pulls.sort(key=lambda pull: pull.width, reverse=True)
        return cls(*places, tuple(pulls), bias)

    @property
    def margins(self) -> tuple[float, float]:
        """Mean log-odds of either place against the other, on its own views."""
        first = sum(pull.first for pull in self.pulls) + self.bias
        second = sum(pull.second for pull in self.pulls) - self.bias
        return first, second

    def speaking_for(self, which: int, count: int) -> list[ConceptPull]:
        """The concepts that speak most for the first (0) or the second place (1)."""
        told = [pull for pull in self.pulls if pull.shown[which] > 0]
        return sorted(told, key=lambda pull: pull.shown[which], reverse=True)[:count]

    def words(self, which: int, count: int) -> str:
        """What speaks most for a place: "grassland +0.53, less desert +0.21"."""
        told = []
        for pull in self.speaking_for(which, count):
            has = (pull.first_has, pull.second_has)[which]
            told.append(f"{'' if has else 'less '}{pull.name} {pull.shown[which]:+.2f}")
        return ", ".join(told) or "nothing"

    def to_json(self) -> str:
        """Everything, as one JSON object."""
        return to_json(asdict(self) | {"margins": self.margins})


@dataclass(frozen=True, slots=True, eq=False)
class CountryRules:
    """The bottleneck that names countries, with the views that it was fitted on.

    Attributes:
        classifier: on concept scores.
        countries: its classes.
        concepts: standardised scores of the views, ``[N, k]``.
        labels: the class of each, ``[N]``.
        seed: of the sample of views.
    """

    classifier: LinearClassifier
    countries: tuple[Country, ...]
    concepts: Floats32
    labels: Ints
    seed: int

    def row(self, country: Country) -> int:
        """The class of a country.

        Raises:
            DataError: if it has too few training views; says how many are wanted.
        """
        if country not in self.countries:
            names = ", ".join(sorted(each.name for each in self.countries))
            raise DataError(
                f"{country.name}: too few of the {len(self.labels):,} training views lie there, "
                f"and a rule takes {FEWEST_VIEWS}: choose two of {names}"
            )
        return self.countries.index(country)

    def mean(self, row: int) -> Floats32:
        """Mean standardised scores over the views of a class, ``[k]``."""
        return np.asarray(self.concepts[self.labels == row].mean(axis=0), np.float32)

    def contrast(self, first: Country, second: Country, bank: ConceptBank) -> Contrast:
        """What tells two countries apart, on the training views of each.

        Raises:
            DataError: if a country has too few of them, or both are the same.
        """
        a, b = self.row(first), self.row(second)
        weights, biases = self.classifier.weights, self.classifier.biases
        return Contrast.of(
            (first.name, second.name),
            tuple(zip(bank.names, bank.categories, strict=True)),
            (weights[a], weights[b]),
            (self.mean(a), self.mean(b)),
            float(biases[a] - biases[b]),
        )

    def note(self, model: str) -> str:
        """Where the rules come from, in words."""
        return (
            f"{model}: at most {MOST_CONCEPTS} concepts a country, fitted on {len(self.labels):,} "
            f"training views of {len(self.countries)} countries, seed {self.seed}"
        )


def country_rules(views: RuleViews, report: Callable[[str], None]) -> CountryRules:
    """The bottleneck alone, for pictures of it.

    Raises:
        ConfigError: if there are too few training views to tell two countries.
    """
    atlas = Atlas.load()
    fitted = views.read(views.fitted)
    task = Task.countries(atlas, fitted)
    report("fitting the bottleneck")
    classifier, _ = task.fit(BOTTLENECK, fitted)
    kept, labels = task.labelled(fitted)
    by_code, codes = (
        {each.code: each for each in atlas.countries},
        atlas.layer("country").info.labels,
    )
    countries = tuple(by_code[codes[number]] for number in task.classes.tolist())
    return CountryRules(
        classifier, countries, classifier.standardised(kept.concepts), labels, views.seed
    )
