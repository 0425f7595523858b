"""A score is a sum of terms; each term is, for its part, a sum over things that have names.

logit(image, place) = Σ over terms t, Σ over contributors c of t: share[t, c](image, place), plus
what no contributor of a term explains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self, TypeVar, cast, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Bools, Floats32, Floats64, Ints, Pixels, Rows, Selection
from geowhy.assets.files import in_parts, is_mapped
from geowhy.errors import ConfigError
from geowhy.hints import NO_HINTS, Hints

__all__ = [
    "Deferred",
    "Edit",
    "Encoded",
    "Part",
    "ScoreTerm",
    "ScoringModel",
    "TakesHints",
    "told",
    "total_scores",
]

Edit = Callable[[Floats32], Floats32]
AVERAGED = 1_000
_P = TypeVar("_P", bound="Part")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one term keeps of N images or places: arrays ``[N, ...]``, which subclasses name."""

    def arrays(self) -> dict[str, Floats32]:
        """Its arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def rows(self, chosen: Selection) -> Self:
        """Those that are ``chosen``, numbers ``[m]`` or flags ``[N]``."""
        return replace(self, **{name: array[chosen] for name, array in self.arrays().items()})

    def mean(self, rows: Ints, weights: Floats32) -> Self:
        """The weighted mean of some of them, one row; ``weights`` ``[m]`` add up to 1."""
        arrays = self.arrays().items()
        return replace(self, **{name: _mean(array, rows, weights) for name, array in arrays})

    def average(self) -> Self:
        """The mean of all of them, one row."""
        arrays = self.arrays().items()
        return replace(self, **{name: a.mean(axis=0, keepdims=True) for name, a in arrays})

    def averaged(self, count: int) -> Self:
        """The means of each ``count`` in a row."""
        arrays = self.arrays().items()
        return replace(
            self,
            **{n: a.reshape(len(a) // count, count, *a.shape[1:]).mean(axis=1) for n, a in arrays},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Deferred(Part):
    """A part of M places that is only made when a term asks for it: there are too many of them."""

    numbers: Rows  # by which `make` knows the places, [M]
    kind: type[Part]  # of what is made
    make: Callable[[Rows], Part]  # from numbers to a part of as many rows
    is_mean: bool = False  # whether one row stands for the mean of all

    def arrays(self) -> dict[str, Any]:
        """The numbers alone."""
        return {"numbers": self.numbers[:1] if self.is_mean else self.numbers}

    def made(self) -> Part:
        """What it stands for."""
        part = self.make(self.numbers)
        return part.average() if self.is_mean else part

    def mean(self, rows: Ints, weights: Floats32) -> Part:  # type: ignore[override]
        """The weighted mean of some of them, one row; ``weights`` ``[m]`` add up to 1."""
        return self.make(self.numbers[rows]).mean(np.arange(len(rows)), weights)

    def average(self) -> Deferred:
        """The mean of all of them, or of every n-th: `AVERAGED` tell enough."""
        step = -(-len(self.numbers) // AVERAGED)
        return replace(self, numbers=self.numbers[::step], is_mean=True)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """N images, or N places, with a part for each term of a model's score."""

    parts: tuple[Part, ...]  # at least one, all with N rows

    def __len__(self) -> int:
        return len(next(iter(self.parts[0].arrays().values())))

    def part(self, kind: type[_P]) -> _P:
        """The part of a kind.

        Raises:
            TypeError: if there is none: what was encoded belongs to another model.
        """
        for part in self.parts:
            if isinstance(part, Deferred) and issubclass(part.kind, kind):
                return cast(_P, part.made())
            if isinstance(part, kind):
                return part
        has = ", ".join(type(part).__name__ for part in self.parts)
        raise TypeError(f"no {kind.__name__} among {has}: encode with the model that scores")

    def made(self) -> Encoded:
        """The same with all parts made, for whoever asks for them often."""
        parts = (part.made() if isinstance(part, Deferred) else part for part in self.parts)
        return Encoded(tuple(parts))

    def rows(self, chosen: Selection) -> Encoded:
        """Those that are ``chosen``, numbers ``[m]`` or flags ``[N]``."""
        return Encoded(tuple(part.rows(chosen) for part in self.parts))

    def mean(self, rows: Ints, weights: Floats32) -> Encoded:
        """The weighted mean of some of them, one row; ``weights`` ``[m]`` add up to 1."""
        return Encoded(tuple(part.mean(rows, weights) for part in self.parts))

    def average(self) -> Encoded:
        """The mean of all of them, one row."""
        return Encoded(tuple(part.average() for part in self.parts))

    def averaged(self, count: int) -> Encoded:
        """The means of each ``count`` in a row, such as the crops of one image.

        Where scores are taken of embeddings, they are then the means of the crops' scores.
        """
        if count == 1:
            return self
        return Encoded(tuple(part.averaged(count) for part in self.parts))

    @classmethod
    def joined(cls, pieces: Sequence[Encoded]) -> Encoded:
        """One after the other."""
        joined = []
        for parts in zip(*(piece.parts for piece in pieces), strict=True):
            names = parts[0].arrays()
            arrays = {n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
            joined.append(replace(parts[0], **arrays))
        return cls(tuple(joined))


def _mean(array: Floats32, rows: Ints, weights: Floats32) -> Floats32:
    if not is_mapped(array):
        return np.asarray(weights[None] @ array[rows], np.float32)
    taken = np.concatenate(list(in_parts(array, rows)))
    return np.asarray(weights[None] @ taken, np.float32)


class ScoreTerm(Protocol):
    """One addend of the score of a place for an image, itself the sum of c contributors."""

    @property
    def source(self) -> str:
        """Its name in the ledger."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its c contributors."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Of each contributor."""

    @property
    def are_concepts(self) -> bool:
        """Whether its contributors are concepts."""

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats before calibration, ``[N, M]``."""

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """What each contributor adds for one image ``[M, c]``, and what none explains ``[M]``."""

    def activations(self, images: Encoded) -> Floats32:
        """How strongly images show each contributor, ``[N, c]``."""

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """Whether one place has more of each contributor than another, ``[c]``."""

    def edited(self, image: Encoded, edit: Edit) -> Part:
        """Its part of one image with contributors edited ``[1, c]`` to ``[n, c]``: n images."""


class ScoringModel(Protocol):
    """What answers and explanations need of a model, however it is made.

    `geowhy.model.geomodel.GeoModel` is the one that geowhy trains; it has more, of which training
    and the measures of concepts make use.
    """

    @property
    def name(self) -> str:
        """What answers call it."""

    @property
    def terms(self) -> tuple[ScoreTerm, ...]:
        """What its scores are sums of; at least one, those of concepts first."""

    def features(self, pixels: Sequence[Pixels]) -> Floats32:
        """One row for each RGB image ``[H, W, 3]``, ``[N, f]``."""

    def image_side(self, features: Floats32) -> Encoded:
        """Features ``[N, f]`` as the terms take them, N rows."""

    def location_side(self, lat_lon: ArrayLike) -> Encoded:
        """Places, degrees ``[M, 2]``, as the terms take them, M rows."""


@runtime_checkable
class TakesHints(ScoringModel, Protocol):
    """A model that tells how pictures lie."""

    def with_hints(self, hints: Hints) -> Self:
        """The same model, which weighs poses by these hints and no others.

        Raises:
            ConfigError: if it knows no picture like that.
        """


def told(model: ScoringModel, hints: Hints) -> ScoringModel:
    """The model with the hints.

    Raises:
        ConfigError: if it can't make use of them.
    """
    if isinstance(model, TakesHints):
        return model.with_hints(hints)
    if hints != NO_HINTS:
        raise ConfigError(
            f"the model {model.name} doesn't tell how wide a picture is or where its top points: "
            "give no hints of that, or choose a model of pictures from above"
        )
    return model


def total_scores(terms: Sequence[ScoreTerm], images: Encoded, places: Encoded) -> Floats32:
    """Logits ``[N, M]`` of places given images, before calibration."""
    total = terms[0].scores(images, places)
    for term in terms[1:]:
        total += term.scores(images, places)
    return total
