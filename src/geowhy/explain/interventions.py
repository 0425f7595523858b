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
from geowhy.explanation import ChangeKind, ConceptChange
from geowhy.model.attribution import LinearAttribution
from geowhy.model.terms import Encoded

__all__ = ["Change", "changed", "parse_changes", "weighed"]


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One thing that a picture shall show less or more of."""

    asked: ConceptChange  # only a map or category, which are no one thing, is doubled
    columns: Ints  # which of the k concepts and m maps it is


def parse_changes(text: str, attribution: LinearAttribution) -> tuple[Change, ...]:
    """Reads "-desert +coast": names of concepts, maps or categories, each with a sign.

    A word that is no name stands for all concepts with this word in their names.

    Raises:
        ConfigError: if a name is unknown, or has no sign; the message lists the nearest names.
    """
    words = re.split(r"(?:^|[\s,]+)(?=[+\-−])", text.strip())
    words = [word.strip(" ,") for word in words if word.strip(" ,")]
    if not words:
        raise ConfigError(f"what if {text!r}: give changes such as '-desert +coast'")
    names = [name.lower() for name in attribution.names]
    categories = [name.lower() for name in attribution.categories]
    changes = []
    for word in words:
        sign, name = word[0], " ".join(word[1:].lower().replace("_", " ").split())
        if sign not in "+-−" or not name:
            raise ConfigError(
                f"what if {text!r}: put + or - before each name, as in '-desert +coast'"
            )
        asked, doubles = name, False
        if name in names:
            columns = [i for i, known in enumerate(names) if known == name]
            asked, doubles = attribution.names[columns[0]], columns[0] >= attribution.concepts
        elif name in categories:
            columns = [i for i, known in enumerate(categories) if known == name]
            asked, doubles = attribution.categories[columns[0]], True
        else:
            has_word = re.compile(rf"\b{re.escape(name)}\b").search
            columns = [i for i in range(attribution.concepts) if has_word(names[i])]
        if not columns:
            raise ConfigError(f"what if {text!r}: {_unknown(name, attribution)}")
        kind: ChangeKind = "without"
        if sign == "+":
            kind = "twice" if doubles else "with"
        changes.append(Change(ConceptChange(asked, kind), np.array(columns, np.intp)))
    return tuple(changes)


def changed(attribution: LinearAttribution, image: Encoded, changes: Sequence[Change]) -> Encoded:
    """One image after all changes at once.

    A concept or map that is taken away counts nothing. A concept that is strengthened counts as
    much as the strongest concept of the image does; a map or a category, twice.
    """

    def edit(columns: Ints, values: Floats32) -> Floats32:
        edited = values.copy()
        strongest = values.max(axis=1, keepdims=True)
        for change in changes:
            own = np.isin(columns, change.columns)
            if change.asked.kind == "without":
                edited[:, own] = 0.0
            elif change.asked.kind == "twice":
                edited[:, own] = 2.0 * values[:, own]
            else:
                edited[:, own] = np.maximum(values[:, own], strongest)
        return edited

    return attribution.edited(image, [partial(edit, columns) for columns in attribution.columns])


def weighed(attribution: LinearAttribution, image: Encoded, weights: Floats32) -> Encoded:
    """One image as N: with its contributors multiplied by ``weights`` ``[N, n]``."""

    def edit(columns: Ints, values: Floats32) -> Floats32:
        return np.asarray(values * weights[:, columns], np.float32)

    return attribution.edited(image, [partial(edit, columns) for columns in attribution.columns])


def _unknown(name: str, attribution: LinearAttribution) -> str:
    known = {each.lower(): each for each in (*attribution.names, *attribution.categories)}
    near = [known[each] for each in difflib.get_close_matches(name, known, 4, 0.5)]
    near += [each for key, each in known.items() if name in key and each not in near][:6]
    listed = f"did you mean {', '.join(near)}?" if near else "see: geowhy concepts list"
    return f"the model has no concept, map or category {name!r}: {listed}"
