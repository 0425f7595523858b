"""What a model makes of an image that shows less or more of a concept.

An intervention changes what was read off the image, and the model does the rest: all places are
scored again. What is left isn't brought back to its former length: a model from which evidence is
taken grows less sure, rather than surer of the rest.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from geowhy.arrays import Floats32, Ints
from geowhy.errors import ConfigError
from geowhy.explanation import ConceptChange
from geowhy.model.attribution import LinearAttribution
from geowhy.model.encoded import Encoded

__all__ = ["Change", "changed", "parse_changes", "weighed"]


DOUBLE = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One thing that a picture shall show less or more of.

    Attributes:
        name: a concept, a map, a category, or a word for several concepts.
        columns: which of the k concepts and m maps it is.
        more: whether it is strengthened; else it is taken away.
        doubles: whether more of it is twice as much: of a map or category, which are no one thing.
    """

    name: str
    columns: Ints
    more: bool
    doubles: bool

    @property
    def asked(self) -> ConceptChange:
        """The same for who asked, whom columns don't matter."""
        if self.more:
            return ConceptChange(self.name, "twice" if self.doubles else "with")
        return ConceptChange(self.name, "without")


def parse_changes(text: str, attribution: LinearAttribution) -> tuple[Change, ...]:
    """Reads "-desert +coast": names of concepts, maps or categories, each with a sign.

    A word that is no name stands for all concepts with this word in their names.

    Raises:
        ConfigError: if a name is unknown, or has no sign; the message lists the nearest names.
    """
    words = [word.strip(" ,") for word in re.split(r"(?:^|[\s,]+)(?=[+\-−])", text.strip())]
    words = [word for word in words if word]
    if not words:
        raise ConfigError(f"what if {text!r}: give changes such as '-desert +coast'")
    return tuple(_change(word, text, attribution) for word in words)


def changed(attribution: LinearAttribution, image: Encoded, changes: Sequence[Change]) -> Encoded:
    """One image after all changes at once.

    A concept or map that is taken away counts nothing. A concept that is strengthened counts as
    much as the strongest concept of the image does; a map or a category, twice.
    """

    def edit(columns: Ints, values: Floats32) -> Floats32:
        edited = values.copy()
        for change in changes:
            own = np.flatnonzero(np.isin(columns, change.columns))
            edited[:, own] = _edited(values, own, change)
        return edited

    return attribution.edited(image, [partial(edit, columns) for columns in attribution.columns])


def weighed(attribution: LinearAttribution, image: Encoded, weights: Floats32) -> Encoded:
    """One image as N: with its contributors multiplied by ``weights`` ``[N, n]``."""

    def edit(columns: Ints, values: Floats32) -> Floats32:
        return np.asarray(values * weights[:, columns], np.float32)

    return attribution.edited(image, [partial(edit, columns) for columns in attribution.columns])


def _edited(values: Floats32, columns: Ints, change: Change) -> Floats32:
    if not change.more:
        return np.zeros((len(values), len(columns)), np.float32)
    if change.doubles:
        return np.asarray(values[:, columns] * DOUBLE, np.float32)
    strongest = values.max(axis=1, keepdims=True)
    return np.asarray(np.maximum(values[:, columns], strongest), np.float32)


def _change(word: str, text: str, attribution: LinearAttribution) -> Change:
    sign, name = word[0], " ".join(word[1:].lower().replace("_", " ").split())
    if sign not in "+-−" or not name:
        raise ConfigError(f"what if {text!r}: put + or - before each name, as in '-desert +coast'")
    of_name = _numbers(attribution.names, name)
    of_category = _numbers(attribution.categories, name)
    of_word = _with_word(attribution.names[: attribution.concepts], name)
    if not len(of_name) and not len(of_category) and not len(of_word):
        raise ConfigError(f"what if {text!r}: {_unknown(name, attribution)}")
    more, concepts = sign == "+", attribution.concepts
    if len(of_name):
        return Change(attribution.names[of_name[0]], of_name, more, bool(of_name[0] >= concepts))
    if len(of_category):
        return Change(attribution.categories[of_category[0]], of_category, more, doubles=True)
    return Change(name, of_word, more, doubles=False)


def _numbers(names: Sequence[str], asked: str) -> Ints:
    return np.array([i for i, name in enumerate(names) if name.lower() == asked], np.intp)


def _with_word(names: Sequence[str], asked: str) -> Ints:
    """All concepts with this word in their names: "desert" for each kind of desert."""
    word = re.compile(rf"\b{re.escape(asked)}\b", re.IGNORECASE)
    return np.array([i for i, name in enumerate(names) if word.search(name)], np.intp)


def _unknown(name: str, attribution: LinearAttribution) -> str:
    known = {each.lower(): each for each in (*attribution.names, *attribution.categories)}
    near = [known[each] for each in difflib.get_close_matches(name, known, 4, 0.5)]
    near += [each for key, each in known.items() if name in key and each not in near][:6]
    listed = f"did you mean {', '.join(near)}?" if near else "see: geowhy concepts list"
    return f"the model has no concept, map or category {name!r}: {listed}"
