"""A concept, and what can only be seen when concepts are held against each other and the Earth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geowhy.arrays import Floats32
from geowhy.concepts.grounding import Grounding, LayerValues
from geowhy.errors import VocabularyError
from geowhy.geo.atlas import Atlas, uniform_on_land

__all__ = ["Concept", "check_groundings", "check_names"]

SAMPLED_PLACES = 20_000
RAREST = 0.001  # of the land: too few places to learn or to measure anything
LARGEST_CORRELATION = 0.98  # above it, two groundings are one
LONG_NAME = 7  # one letter more or less tells shorter names apart, as in "rice" and "rices"
EMPTY_WORDS = frozenset({"a", "an", "the", "of", "and", "or", "in", "with"})


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that may be said about a place.

    Attributes:
        id: short identifier, unique in a vocabulary.
        name: as shown to people.
        category: the group that it belongs to.
        definition: one line.
        prompts: three or more texts for a text encoder.
        grounding: where on Earth it holds, if an atlas can tell.
        from_above: whether a view from above shows it; if not, it is told of places alone.
        where: file and line, for messages.
    """

    id: str
    name: str
    category: str
    definition: str
    prompts: tuple[str, ...]
    grounding: Grounding | None = None
    from_above: bool = False
    where: str = field(default="", compare=False)

    @property
    def content(self) -> dict[str, Any]:
        """Everything that is said, as JSON takes it."""
        return {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "definition": self.definition,
            "prompts": list(self.prompts),
            "grounding": self.grounding.text if self.grounding else None,
            "from_above": self.from_above,
        }


def check_names(concepts: Sequence[Concept]) -> None:
    """Refuses two concepts of one id, or of names that are the same or nearly so.

    Names are nearly the same if they have the same words, whatever their order, number or spaces,
    or if one has a letter more, such as savanna and savannah.

    Raises:
        VocabularyError: with both places and a remedy.
    """
    ids: dict[str, Concept] = {}
    spelt: dict[str, Concept] = {}
    shortened: dict[str, Concept] = {}
    for concept in concepts:
        if concept.id in ids:
            raise _clash(concept, ids[concept.id], f"the id {concept.id!r} is taken")
        ids[concept.id] = concept
        spellings, shorter = _spellings(concept.name), _one_letter_less(concept.name)
        other = _first_of(spellings, spelt, shortened) or _first_of(shorter, spelt)
        if other is not None:
            names = f"the name {concept.name!r} is nearly {other.name!r}"
            raise _clash(concept, other, names)
        spelt |= dict.fromkeys(spellings, concept)
        shortened |= dict.fromkeys(shorter, concept)


def check_groundings(concepts: Sequence[Concept], atlas: Atlas) -> None:
    """Refuses groundings that are constant, too rare, or nearly the same as another's, on land.

    Raises:
        VocabularyError: with the place and a remedy.
    """
    grounded = [concept for concept in concepts if concept.grounding is not None]
    sample = uniform_on_land(atlas, SAMPLED_PLACES, np.random.default_rng(0))
    places = LayerValues(atlas, sample)
    truth = np.empty((SAMPLED_PLACES, len(grounded)), np.float32)
    for column, concept in enumerate(grounded):
        assert concept.grounding is not None
        truth[:, column] = concept.grounding.at(places)
        _check_spread(concept, truth[:, column])
    _check_distinct(grounded, truth)


def _check_spread(concept: Concept, truth: Floats32) -> None:
    known = truth[~np.isnan(truth)]
    if len(known) < RAREST * len(truth):
        raise _remark(concept, "the atlas is silent almost everywhere: ground it in other layers")
    if concept.grounding is None or concept.grounding.kind == "degree":
        if known.min() == known.max():
            raise _remark(
                concept, "the grounding is the same everywhere: make it tell places apart"
            )
        return
    share = float(known.mean())
    if share < RAREST:
        raise _remark(concept, f"it holds on {share:.2%} of the land, too little: widen it")
    if share > 1 - RAREST:
        raise _remark(concept, f"it holds on {share:.2%} of the land, nearly everywhere: narrow it")


def _check_distinct(concepts: Sequence[Concept], truth: Floats32) -> None:
    mean = np.nanmean(truth, axis=0)
    centred = np.nan_to_num(truth - mean)
    length = np.linalg.norm(centred, axis=0)
    correlation = np.abs(centred.T @ centred) / np.outer(length, length)
    alike = np.argwhere(np.triu(correlation, 1) > LARGEST_CORRELATION)
    for one, other in alike.tolist():
        same = f"the grounding is nearly that of {concepts[one].id!r}"
        raise _clash(concepts[other], concepts[one], same)


def _spellings(name: str) -> set[str]:
    """What a name has in common with names of the same words."""
    words = _words(name)
    stems = sorted(_stem(word) for word in words if word not in EMPTY_WORDS)
    return {" ".join(stems), _together(words)}


def _one_letter_less(name: str) -> set[str]:
    """A long name without one of its letters."""
    together = _together(_words(name))
    if len(together) < LONG_NAME:
        return set()
    return {together[:i] + together[i + 1 :] for i in range(len(together))}


def _first_of(spellings: set[str], *seen: dict[str, Concept]) -> Concept | None:
    found = (known[s] for known in seen for s in sorted(spellings) if s in known)
    return next(found, None)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def _together(words: list[str]) -> str:
    return "".join(_stem(word) for word in words)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _clash(concept: Concept, other: Concept, reason: str) -> VocabularyError:
    return _remark(concept, f"{reason} ({other.where}): change or remove one")


def _remark(concept: Concept, reason: str) -> VocabularyError:
    return VocabularyError(f"{concept.where}: concept {concept.id!r}: {reason}")
