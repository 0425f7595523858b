"""The contract of a field of evidence, and how such fields take part in scores.

Fields add up: log p(place | all) = Σ fields(place) + constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64, Points
from geowhy.errors import ConfigError
from geowhy.explanation import EVIDENCE_CATEGORY
from geowhy.model.terms import Edit, Encoded, Part
from geowhy.posterior.ledger import Term

__all__ = ["RULED_OUT", "EvidenceField", "FieldImages", "FieldPlaces", "FieldTerm"]

RULED_OUT = np.float32(-1e4)  # nats, for minus infinity: as good as never, and it can be averaged


class EvidenceField(Protocol):
    """Says of any place how well it fits; only differences between places count."""

    @property
    def source(self) -> str:
        """Its name in the ledger, such as "region"."""

    @property
    def is_prior(self) -> bool:
        """Whether it was known before the image was seen."""

    def log_likelihood(self, lat_lon: Points) -> Floats64:
        """Nats ``[M]`` at places, degrees ``[M, 2]``; minus infinity rules a place out."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldImages(Part):
    """Images as fields of evidence take them."""

    shares: Floats32  # how much of each of e fields counts, 1 for all of it, [N, e]


@dataclass(frozen=True, slots=True, eq=False)
class FieldPlaces(Part):
    """Places as fields of evidence see them."""

    values: Floats32  # log-likelihoods of e fields, nats [M, e]


@dataclass(frozen=True, slots=True, eq=False)
class FieldTerm:
    """Fields of evidence as a term of a score, whose contributors they are."""

    fields: tuple[EvidenceField, ...]  # at least one
    temperature: float  # of the calibration, which divides scores of images and no evidence
    source: str = "evidence"
    are_concepts: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the fields."""
        return tuple(field.source for field in self.fields)

    @property
    def categories(self) -> tuple[str, ...]:
        """One for all."""
        return (EVIDENCE_CATEGORY,) * len(self.fields)

    def encode_images(self, count: int) -> FieldImages:
        """``count`` images, to each of which all of the evidence applies."""
        return FieldImages(np.ones((count, len(self.fields)), np.float32))

    def encode_places(self, lat_lon: Points) -> FieldPlaces:
        """Places, degrees ``[M, 2]``.

        Raises:
            ConfigError: if a field gives anything but a number below infinity for each of them.
        """
        columns = []
        for field in self.fields:
            values = np.asarray(field.log_likelihood(lat_lon), np.float32)
            if values.shape != (len(lat_lon),) or not (values < np.inf).all():
                raise ConfigError(
                    f"the evidence {field.source!r} gave {values.shape} values for "
                    f"{len(lat_lon):,} places, or one that isn't a number: a field gives one "
                    "finite number, or minus infinity, for each place"
                )
            if not np.isfinite(values).any():
                raise ConfigError(
                    f"the evidence {field.source!r} rules out all {len(lat_lon):,} places: leave "
                    "it out, or choose among other places"
                )
            columns.append(np.maximum(values, RULED_OUT))
        return FieldPlaces(np.stack(columns, axis=1))

    def terms(self, images: Encoded, places: Encoded, row: int) -> Iterator[Term]:
        """What each field adds for one of the images at M places."""
        values = places.part(FieldPlaces).values * images.part(FieldImages).shares[row]
        for field, column in zip(self.fields, values.T, strict=True):
            yield Term(field.source, column, field.is_prior)

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``, times the temperature that will divide them."""
        shares = images.part(FieldImages).shares * np.float32(self.temperature)
        return np.asarray(shares @ places.part(FieldPlaces).values.T, np.float32)

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of each field ``[M, e]``; nothing is left over."""
        values = places.part(FieldPlaces).values.astype(np.float64)
        shares = image.part(FieldImages).shares[0] * self.temperature
        return values * shares, np.zeros(len(places))

    def activations(self, images: Encoded) -> Floats32:
        """How much of each field counts, ``[N, e]``."""
        return images.part(FieldImages).shares

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """Evidence is never absent, ``[e]``."""
        return np.ones(len(self.fields), np.bool_)

    def edited(self, image: Encoded, edit: Edit) -> FieldImages:
        """With other shares of the fields."""
        return FieldImages(edit(image.part(FieldImages).shares))
