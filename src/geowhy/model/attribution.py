"""What a score is a sum of: the contributions of a model's terms, by name.

Of a term in the concept space, each concept has its product of both concept scores. In the
embedding space an embedding is split along the concepts by ridge regression, and what lies along
none of them stays unexplained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import Floats32, Floats64, Ints
from geowhy.explanation import ELSEWHERE, ConceptScore, Explanation, Reference
from geowhy.model.terms import Encoded, ScoreTerm, total_scores

__all__ = ["LinearAttribution"]


class LinearAttribution:
    """What the scores of a model are sums of.

    Attributes:
        terms: of the score.
        names: of all contributors; one that is in several terms is there once.
        categories: of each.
        columns: for each term, which of ``names`` its contributors are.
        concepts: how many of ``names``, the first ones, are concepts.
        temperature: of the calibration, by which scores are divided.
    """

    def __init__(self, terms: Sequence[ScoreTerm], temperature: float) -> None:
        """Of a model's terms, those whose contributors are concepts first."""
        category_of: dict[str, str] = {}
        for term in terms:
            for name, category in zip(term.names, term.categories, strict=True):
                category_of.setdefault(name, category)
        self.terms = tuple(terms)
        self.names = tuple(category_of)
        self.categories = tuple(category_of.values())
        numbers = {name: number for number, name in enumerate(self.names)}
        self.columns = tuple(np.array([numbers[n] for n in t.names], np.intp) for t in terms)
        self.concepts = len({name for term in terms if term.are_concepts for name in term.names})
        self.temperature = temperature

    def explain(
        self, image: Encoded, place: Encoded, reference: Encoded, against: Reference = ELSEWHERE
    ) -> Explanation:
        """Why one place scores as it does for one image; each is a single row."""
        of_place, rest = self.shares(image, place)
        of_reference, rest_of_reference = self.shares(image, reference)
        shares, unexplained = (of_place - of_reference)[0], float((rest - rest_of_reference)[0])
        present = self._combined([term.exceeds(place, reference) for term in self.terms])
        scores = [
            ConceptScore(name, float(share), bool(has), category, is_concept=number < self.concepts)
            for number, (name, share, has, category) in enumerate(
                zip(self.names, shares, present, self.categories, strict=True)
            )
        ]
        scores.sort(key=lambda score: abs(score.contribution), reverse=True)
        return Explanation(float(shares.sum() + unexplained), tuple(scores), unexplained, against)

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Logits ``[N, M]`` over the temperature."""
        logits = total_scores(self.terms, images, places)
        logits *= np.float32(1 / self.temperature)
        return logits

    def shares(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """What each contributor adds to the logits of M places for one image, ``[M, n]``.

        The second part is what none of them explains, ``[M]``.
        """
        shares = np.zeros((len(places), len(self.names)))
        unexplained = np.zeros(len(places))
        for term, columns in zip(self.terms, self.columns, strict=True):
            of_term, rest = term.contributions(image, places)
            shares[:, columns] += of_term / self.temperature
            unexplained += rest / self.temperature
        return shares, unexplained

    def activations(self, image: Encoded) -> Floats64:
        """How strongly one image shows each contributor, ``[n]``."""
        found = [term.activations(image)[0] for term in self.terms]
        return self._combined(found).astype(np.float64)

    def edited(self, image: Encoded, edit: Callable[[Ints, Floats32], Floats32]) -> Encoded:
        """One image as n: contributors ``[c]`` with values ``[1, c]`` get new ones ``[n, c]``."""
        pairs = zip(self.terms, self.columns, strict=True)
        return Encoded(tuple(term.edited(image, partial(edit, columns)) for term, columns in pairs))

    def _combined(self, of_terms: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
        """Values of contributors ``[n]``: of the first term that has each."""
        combined = np.zeros(len(self.names), of_terms[0].dtype)
        for values, columns in reversed(list(zip(of_terms, self.columns, strict=True))):
            combined[columns] = values
        return combined
