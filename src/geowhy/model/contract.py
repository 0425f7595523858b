"""The contract of a model that an engine can put to work: it encodes images and places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

    def features(self, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """One row for each RGB image ``[H, W, 3]``, ``[N, f]``."""
        ...

    def image_side(self, features: NDArray[np.float32]) -> Encoded:
        """Features ``[N, f]`` as the terms take them, N rows."""
        ...

    def location_side(self, lat_lon: ArrayLike) -> Encoded:
        """Places, degrees ``[M, 2]``, as the terms take them, M rows."""
        ...
