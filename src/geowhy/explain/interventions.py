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
from typing import Literal

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
        asked: what is changed and how; only a map or category, which are no one thing, is doubled.
        columns: which of the k concepts and m maps it is.
    """

    asked: ConceptChange
    columns: Ints


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
    if change.asked.kind == "without":
        return np.zeros((len(values), len(columns)), np.float32)
    if change.asked.kind == "twice":
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
    asked, columns, doubles = name, of_word, False
    if len(of_name):
        asked, columns = attribution.names[of_name[0]], of_name
        doubles = bool(of_name[0] >= attribution.concepts)
    elif len(of_category):
        asked, columns, doubles = attribution.categories[of_category[0]], of_category, True
    more: Literal["with", "twice"] = "twice" if doubles else "with"
    return Change(ConceptChange(asked, more if sign == "+" else "without"), columns)


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
