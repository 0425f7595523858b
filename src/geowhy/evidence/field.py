"""The contract of a piece of evidence: a log-likelihood at every place.

Fields add up: log p(place | all) = Σ fields(place) + constant.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import ConfigError
from geowhy.posterior.ledger import Term

__all__ = ["EvidenceField", "term_of"]


class EvidenceField(Protocol):
    """Says of any place how well it fits; only differences between places count.

    Attributes:
        source: its name in the ledger, such as "region".
        is_prior: whether it was known before the image was seen.
    """

    @property
    def source(self) -> str:
        """Its name in the ledger."""
        ...

    @property
    def is_prior(self) -> bool:
        """Whether it was known before the image was seen."""
        ...

    def log_likelihood(self, lat_lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """Nats ``[M]`` at places, degrees ``[M, 2]``; minus infinity rules a place out."""
        ...


def term_of(field: EvidenceField, lat_lon: NDArray[np.float64]) -> Term:
    """A field at M places, degrees ``[M, 2]``, as a term of the ledger.

    Raises:
        ConfigError: if it gives anything but a number below infinity for each of them.
    """
    values = np.asarray(field.log_likelihood(lat_lon), np.float32)
    if values.shape != (len(lat_lon),) or not (values < np.inf).all():
        raise ConfigError(
            f"the evidence {field.source!r} gave {values.shape} values for {len(lat_lon):,} "
            "places, or one that isn't a number: a field gives one finite number, or minus "
            "infinity, for each place"
        )
    if not np.isfinite(values).any():
        raise ConfigError(
            f"the evidence {field.source!r} rules out all {len(lat_lon):,} places: leave it out, "
            "or choose among other places"
        )
    return Term(field.source, values, field.is_prior)
