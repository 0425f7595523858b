"""The contract of a model that an engine can put to work: it encodes images and places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from numpy.typing import ArrayLike

from geowhy.arrays import Floats32, Pixels
from geowhy.model.encoded import Encoded
from geowhy.model.terms import ScoreTerm

__all__ = ["ScoringModel"]


class ScoringModel(Protocol):
    """What answers and explanations need of a model, however it is made.

    `geowhy.model.geomodel.GeoModel` is the one that geowhy trains; it has more, of which training
    and the measures of concepts make use.
    """

    @property
    def name(self) -> str:
        """What answers call it."""
        ...

    @property
    def terms(self) -> tuple[ScoreTerm, ...]:
        """What its scores are sums of; at least one, those of concepts first."""
        ...

    def features(self, pixels: Sequence[Pixels]) -> Floats32:
        """One row for each RGB image ``[H, W, 3]``, ``[N, f]``."""
        ...

    def image_side(self, features: Floats32) -> Encoded:
        """Features ``[N, f]`` as the terms take them, N rows."""
        ...

    def location_side(self, lat_lon: ArrayLike) -> Encoded:
        """Places, degrees ``[M, 2]``, as the terms take them, M rows."""
        ...
