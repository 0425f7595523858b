"""``geowhy rules``: how well a few concepts a country name it, beside classifiers that see all.

All are linear and fitted on the same training views. Test views lie in 10° cells that the model
never saw, so a country is asked for only if enough training views lie in the rest of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ConfigError, DataError
from geowhy.evaluation.bottleneck import (
    Fit,
    Lesson,
    LinearClassifier,
    fit_dense,
    fit_sparse,
    tuned,
)
from geowhy.evaluation.contrast import Contrast
from geowhy.evaluation.resampling import block_mean
from geowhy.evaluation.rule_report import (
    BOTTLENECK,
    ClassifierScore,
    Comparison,
    RulesReport,
    Scored,
)
from geowhy.evaluation.rule_views import RuleViews, SomeViews
from geowhy.geo.atlas import Atlas, Country
from geowhy.geo.cells import cell_of
from geowhy.geo.regions import OTHER_NAMES

__all__ = [
    "CELL_RESOLUTION",
    "FEWEST_VIEWS",
    "MOST_CONCEPTS",
    "CountryRules",
    "contrast_of",
    "country_rules",
    "find_country",
    "measure_rules",
]

MOST_CONCEPTS = 30  # a class
FEWEST_VIEWS = 30  # of a class among those that rules are fitted on
CELL_RESOLUTION = 0  # of H3: such a cell, 2,000 km across, holds several of the 10° cells
NEAREST_NAMES = 3

Labels = NDArray[np.int64]
Report = Callable[[str], None]
Read = Callable[[SomeViews], NDArray[np.float32]]
ClassOf = Callable[[NDArray[np.float64]], Labels]

# What each classifier reads of a view, and how it is fitted.
CLASSIFIERS: dict[str, tuple[Read, Fit]] = {
    BOTTLENECK: (lambda views: views.concepts, partial(fit_sparse, most=MOST_CONCEPTS)),
    "dense, all concepts": (lambda views: views.concepts, fit_dense),
    "dense, image embedding": (lambda views: views.embedding, fit_dense),
    "dense, backbone features": (lambda views: views.whitened, fit_dense),
}


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
    concepts: NDArray[np.float32]
    labels: NDArray[np.intp]
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

    def mean(self, row: int) -> NDArray[np.float32]:
        """Mean standardised scores over the views of a class, ``[k]``."""
        return np.asarray(self.concepts[self.labels == row].mean(axis=0), np.float32)

    def note(self, model: str) -> str:
        """Where the rules come from, in words."""
        return (
            f"{model}: at most {MOST_CONCEPTS} concepts a country, fitted on {len(self.labels):,} "
            f"training views of {len(self.countries)} countries, seed {self.seed}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What is to be named: the class of a view, by number, and which classes count."""

    name: str
    class_of: ClassOf
    classes: Labels

    @classmethod
    def of(cls, name: str, class_of: ClassOf, fitted: SomeViews) -> _Task:
        """With the classes that enough of the views to be fitted on have."""
        known = class_of(fitted.centres)
        numbers, counts = np.unique(known[known >= 0], return_counts=True)
        classes = numbers[counts >= FEWEST_VIEWS]
        if len(classes) < 2:
            raise ConfigError(
                f"{name}: {len(classes)} of {len(numbers)} have the {FEWEST_VIEWS} training views "
                "that a rule takes, and it takes two of them: give a model that was trained on "
                "more views"
            )
        return cls(name, class_of, classes)

    def labelled(self, views: SomeViews) -> tuple[SomeViews, NDArray[np.intp]]:
        """The views of the classes that count, and the position of each's class."""
        numbers = self.class_of(views.centres)
        counts = np.isin(numbers, self.classes)
        return views.only(counts), np.searchsorted(self.classes, numbers[counts])


def measure_rules(views: RuleViews, with_cells: bool, report: Report) -> RulesReport:
    """Fits all classifiers and measures them; ``report`` is told of each as it begins.

    Raises:
        ConfigError: if there are too few training views to tell two classes.
    """
    fitted = views.read(views.fitted)
    asked = {
        "held-out 10° cells": views.read(views.test),
        "cells of the training": views.read(views.near),
    }
    tasks = [_Task.of("countries", _countries(Atlas.load()), fitted)]
    if with_cells:
        tasks.append(_Task.of(f"H3 cells of resolution {CELL_RESOLUTION}", _cells, fitted))
    compared = tuple(_compare(task, fitted, asked, report) for task in tasks)
    return RulesReport(
        views.model.name,
        views.config.split.seed,
        views.seed,
        len(views.fitted),
        len(views.model.bank.names),
        views.near_words,
        compared,
    )


def country_rules(views: RuleViews, report: Report) -> CountryRules:
    """The bottleneck alone, for pictures of it.

    Raises:
        ConfigError: if there are too few training views to tell two countries.
    """
    atlas = Atlas.load()
    fitted = views.read(views.fitted)
    task = _Task.of("countries", _countries(atlas), fitted)
    report("fitting the bottleneck")
    classifier, _ = _fitted(BOTTLENECK, task, fitted)
    kept, labels = task.labelled(fitted)
    countries = tuple(_country(atlas, number) for number in task.classes.tolist())
    return CountryRules(
        classifier, countries, classifier.standardised(kept.concepts), labels, views.seed
    )


def contrast_of(
    rules: CountryRules, first: Country, second: Country, bank: ConceptBank
) -> Contrast:
    """What tells two countries apart by the bottleneck, on the training views of each.

    Raises:
        DataError: if a country has too few of them, or both are the same.
    """
    rows = (rules.row(first), rules.row(second))
    weights, biases = rules.classifier.weights, rules.classifier.biases
    return Contrast.of(
        (first.name, second.name),
        tuple(zip(bank.names, bank.categories, strict=True)),
        (weights[rows[0]], weights[rows[1]]),
        (rules.mean(rows[0]), rules.mean(rows[1])),
        float(biases[rows[0]] - biases[rows[1]]),
    )


def find_country(name: str, atlas: Atlas) -> Country:
    """The country with this English name or ISO code, in any case.

    Raises:
        DataError: if there is none; names the nearest.
    """
    by_code = {country.code: country for country in atlas.countries}
    others = {name: code for name, code in OTHER_NAMES.items() if code in by_code}
    known = {name.casefold(): by_code[code] for name, code in others.items()}
    for country in atlas.countries:
        known |= {country.code.casefold(): country, country.name.casefold(): country}
    asked = " ".join(name.split()).casefold()
    if asked in known:
        return known[asked]
    near = difflib.get_close_matches(asked, known, n=NEAREST_NAMES)
    names = ", ".join(dict.fromkeys(known[each].name for each in near))
    hint = f"did you mean {names}?" if names else "give an English name or a two-letter ISO code"
    raise DataError(f"there is no country {name!r}: {hint}")


def _compare(
    task: _Task, fitted: SomeViews, asked: dict[str, SomeViews], report: Report
) -> Comparison:
    """One task: every classifier, on every set of views."""
    found = {}
    for name in CLASSIFIERS:
        report(f"{task.name}: fitting {name}")
        found[name] = _fitted(name, task, fitted)
    kept, labels = task.labelled(fitted)
    commonest = int(np.bincount(labels).argmax())
    fits = {name: classifier for name, (classifier, _) in found.items()}
    return Comparison(
        task.name,
        len(task.classes),
        len(kept.centres),
        tuple(_score_of(name, *found[name]) for name in CLASSIFIERS),
        tuple(_scored(words, task, views, fits, commonest) for words, views in asked.items()),
    )


def _fitted(name: str, task: _Task, fitted: SomeViews) -> tuple[LinearClassifier, float]:
    read, fit = CLASSIFIERS[name]
    kept, labels = task.labelled(fitted)
    return tuned(fit, Lesson(read(kept), labels, len(task.classes), kept.blocks))


def _score_of(name: str, classifier: LinearClassifier, strength: float) -> ClassifierScore:
    used = classifier.used
    total, mean, most = int(used.sum()), float(used.mean()), int(used.max())
    return ClassifierScore(name, total, mean, most, strength)


def _scored(
    words: str,
    task: _Task,
    views: SomeViews,
    fits: dict[str, LinearClassifier],
    commonest: int,
) -> Scored:
    kept, labels = task.labelled(views)
    if not len(labels):
        raise ConfigError(
            f"{task.name}: no view of the {words} has one of the {len(task.classes)} classes: give "
            "a model that was trained on more views"
        )
    hits = {
        name: classifier.predict(CLASSIFIERS[name][0](kept)) == labels
        for name, classifier in fits.items()
    }
    blocks = kept.blocks
    own = hits[BOTTLENECK].astype(np.float64)
    return Scored(
        words,
        len(labels),
        len(views.centres) - len(labels),
        len(np.unique(labels)),
        len(np.unique(blocks)),
        float((labels == commonest).mean()),
        {name: block_mean(hit.astype(np.float64), blocks) for name, hit in hits.items()},
        {name: _balanced(hit, labels) for name, hit in hits.items()},
        {n: block_mean(own - hit, blocks) for n, hit in hits.items() if n != BOTTLENECK},
    )


def _balanced(hits: NDArray[np.bool_], labels: NDArray[np.intp]) -> float:
    """Mean over the classes that occur of the share of their views that are named rightly."""
    return float(np.mean([hits[labels == each].mean() for each in np.unique(labels)]))


def _countries(atlas: Atlas) -> ClassOf:
    layer = atlas.layer("country")
    return lambda lat_lon: layer.at(lat_lon).astype(np.int64)


def _country(atlas: Atlas, number: int) -> Country:
    code = atlas.layer("country").info.labels[number]
    return next(country for country in atlas.countries if country.code == code)


def _cells(lat_lon: NDArray[np.float64]) -> Labels:
    return cell_of(lat_lon, CELL_RESOLUTION).astype(np.int64)
