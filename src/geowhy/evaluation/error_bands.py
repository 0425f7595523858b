"""Which concepts speak for answers that are right, and for those that are far off.

The paper's table 3 (arXiv 2509.01910) has median activations of concepts by error. Here it is what
each concept adds to the answer, in log-odds, as an explanation states it; means of these add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geowhy.arrays import Floats64, Ints64
from geowhy.evaluation.estimates import Estimate, JsonReport, block_mean, columns
from geowhy.evaluation.protocol import open_views, training_config, views_at
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator

__all__ = ["LIMITS_KM", "BandsReport", "ErrorBand", "banded", "measure_bands"]

LIMITS_KM = (0.0, 25.0, 200.0, 750.0, 2500.0, math.inf)
LISTED = 8  # concepts on either side, as in the paper
FEWEST_VIEWS = 10  # of a band; means over fewer say nothing
WIDTHS = (58, 56)

Named = tuple[tuple[str, Estimate], ...]


@dataclass(frozen=True, slots=True)
class ErrorBand:
    """The views whose answers are so far off."""

    low_km: float  # included
    high_km: float | None  # excluded; None without an end
    count: int  # of views
    strongest: Named  # concepts that add most on average, and how much, log-odds; most first
    weakest: Named  # those that add least or take most away; least first

    @property
    def name(self) -> str:
        """Such as "25–200 km"."""
        if self.high_km is None:
            return f"over {self.low_km:,.0f} km"
        return f"{self.low_km:,.0f}–{self.high_km:,.0f} km"


@dataclass(frozen=True, slots=True)
class BandsReport(JsonReport):
    """All bands of a model."""

    model: str
    split_seed: int  # of its cells
    reference: str  # what answers are held against
    bands: tuple[ErrorBand, ...]  # by error, the smallest first

    def table(self) -> str:
        """For people: the concepts of each band."""
        total = sum(band.count for band in self.bands)
        lines = [
            f"concepts by error of the answer: {self.model}, {total:,} test views, held-out 10° "
            f"cells, split seed {self.split_seed}",
            f"mean of what a concept adds to the answer against {self.reference}, log-odds; 95 % "
            "interval, bootstrap over blocks of 10°",
        ]
        for band in self.bands:
            lines += ["", f"{band.name}: {band.count:,} views"]
            if not band.strongest:
                lines.append("  too few to tell")
                continue
            lines.append(columns(WIDTHS, "  add most", "add least"))
            for pair in zip(band.strongest, band.weakest, strict=True):
                strong, weak = (f"{mean.text('+.3f', ' ')} {name[:27]}" for name, mean in pair)
                lines.append(columns(WIDTHS, f"  {strong}", weak))
        return "\n".join(lines)


def measure_bands(model: str, report: Callable[[str], None]) -> BandsReport:
    """Locates every test view of a model's own configuration, and sums up why.

    ``report`` is told how far it is.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        ConfigError: if the model was trained on photographs.
        MissingExtraError: without the extra ``train``.
    """
    config, locator = training_config(model), Locator.from_pretrained(model)
    attribution = locator.engine.attribution
    manifest, _ = open_views(config)
    centres = manifest.centres[manifest.rows("test")]
    answers: list[tuple[float, float]] = []
    contributions, reference = [], ""
    for pixels in views_at(config, centres):
        report(f"locating test views: {len(answers):,} of {len(centres):,}")
        for decoded in locator.engine.decode(list(pixels), top_k=1):
            answers.append(decoded.estimate.lat_lon)
            of_place, _ = attribution.shares(decoded.side, decoded.place)
            of_rival, _ = attribution.shares(decoded.side, decoded.rival)
            contributions.append(np.asarray((of_place - of_rival)[0], np.float64))
            reference = decoded.against.kind
    errors = distance_km(centres, np.array(answers))
    bands = banded(errors, np.stack(contributions), attribution.names, ten_degree_cell(centres))
    return BandsReport(locator.name, config.split.seed, reference, bands)


def banded(
    errors: Floats64, contributions: Floats64, names: tuple[str, ...], blocks: Ints64
) -> tuple[ErrorBand, ...]:
    """Bands from errors ``[N]``, km, what k concepts add ``[N, k]``, and 10-degree blocks ``[N]``.

    A band of fewer than ten views lists no concepts.
    """
    bands = []
    for low, high in pairwise(LIMITS_KM):
        inside = (errors >= low) & (errors < high)
        added, count = contributions[inside], int(inside.sum())
        listed = min(LISTED, len(names) // 2) if count >= FEWEST_VIEWS else 0
        order = np.argsort(-added.sum(axis=0), kind="stable").tolist()
        strongest, weakest = (
            tuple((names[row], block_mean(added[:, row], blocks[inside])) for row in rows[:listed])
            for rows in (order, order[::-1])
        )
        bands.append(ErrorBand(low, None if math.isinf(high) else high, count, strongest, weakest))
    return tuple(bands)
