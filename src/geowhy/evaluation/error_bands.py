"""Which concepts speak for answers that are right, and for those that are far off.

The paper's table 3 (arXiv 2509.01910) has median activations of concepts by error. Here it is what
each concept adds to the answer, in log-odds, as an explanation states it; means of these add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Floats64, Ints64
from geowhy.engine import Decoded
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.evaluation.output import JsonReport, columns, with_interval
from geowhy.evaluation.protocol import open_views, training_config
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import distance_km
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.locator import Locator

if TYPE_CHECKING:
    from geowhy.training.views import ViewManifest

__all__ = ["LIMITS_KM", "BandsReport", "ErrorBand", "banded", "measure_bands"]

LIMITS_KM = (0.0, 25.0, 200.0, 750.0, 2500.0, math.inf)
LISTED = 8  # concepts on either side, as in the paper
FEWEST_VIEWS = 10  # of a band; means over fewer say nothing
VIEWS_AT_ONCE = 512
WIDTHS = (58, 56)

Report = Callable[[str], None]
Named = tuple[tuple[str, Estimate], ...]


@dataclass(frozen=True, slots=True)
class ErrorBand:
    """The views whose answers are so far off.

    Attributes:
        low_km, high_km: the errors, ``low_km <= error < high_km``; None without an end.
        count: of views.
        strongest: concepts that add most on average, and how much, log-odds; most first.
        weakest: those that add least or take most away; least first.
    """

    low_km: float
    high_km: float | None
    count: int
    strongest: Named
    weakest: Named

    @property
    def name(self) -> str:
        """Such as "25–200 km"."""
        if self.high_km is None:
            return f"over {self.low_km:,.0f} km"
        return f"{self.low_km:,.0f}–{self.high_km:,.0f} km"


@dataclass(frozen=True, slots=True)
class BandsReport(JsonReport):
    """All bands of a model.

    Attributes:
        split_seed: of its cells.
        reference: what answers are held against.
        bands: by error, the smallest first.
    """

    model: str
    split_seed: int
    reference: str
    bands: tuple[ErrorBand, ...]

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
            lines += ["", f"{band.name}: {band.count:,} views", *_band_lines(band)]
        return "\n".join(lines)


def measure_bands(model: str, report: Report) -> BandsReport:
    """Locates every test view of a model's own configuration, and sums up why.

    ``report`` is told how far it is.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        ConfigError: if the model was trained on photographs.
        MissingExtraError: without the extra ``train``.
    """
    config = training_config(model)

    locator = Locator.from_pretrained(model)
    manifest, world = open_views(config)
    centres = manifest.centres[manifest.rows("test")]
    errors, contributions, reference = np.empty(len(centres)), [], ""
    for number, decoded in enumerate(_decoded(locator, world, manifest, report)):
        errors[number] = distance_km(centres[number], decoded.estimate.lat_lon)
        contributions.append(_contributions(locator, decoded))
        reference = decoded.against.kind
    bands = banded(
        errors, np.stack(contributions), locator.engine.attribution.names, ten_degree_cell(centres)
    )
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
        strongest, weakest = _extremes(contributions[inside], names, blocks[inside])
        end = None if math.isinf(high) else high
        bands.append(ErrorBand(low, end, int(inside.sum()), strongest, weakest))
    return tuple(bands)


def _extremes(
    contributions: Floats64, names: tuple[str, ...], blocks: Ints64
) -> tuple[Named, Named]:
    """The concepts with the largest and with the smallest means."""
    if len(contributions) < FEWEST_VIEWS:
        return (), ()
    order = np.argsort(-contributions.mean(axis=0), kind="stable").tolist()
    count = min(LISTED, len(order) // 2)

    def named(rows: list[int]) -> Named:
        return tuple((names[row], block_mean(contributions[:, row], blocks)) for row in rows)

    return named(order[:count]), named(order[::-1][:count])


def _decoded(
    locator: Locator, world: WorldImage, manifest: ViewManifest, report: Report
) -> Iterator[Decoded]:
    centres = manifest.centres[manifest.rows("test")]
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        report(f"locating test views: {start:,} of {len(centres):,}")
        chunk = centres[start : start + VIEWS_AT_ONCE]
        yield from locator.engine.decode(
            list(cut_views(world, chunk, manifest.km_per_pixel, manifest.size)), top_k=1
        )


def _contributions(locator: Locator, decoded: Decoded) -> Floats64:
    """What each concept adds to the answer for one view, ``[k]``."""
    of_place, _ = locator.engine.attribution.shares(decoded.side, decoded.place)
    of_rival, _ = locator.engine.attribution.shares(decoded.side, decoded.rival)
    return np.asarray((of_place - of_rival)[0], np.float64)


def _band_lines(band: ErrorBand) -> list[str]:
    if not band.strongest:
        return ["  too few to tell"]
    lines = [columns(WIDTHS, "  add most", "add least")]
    for strong, weak in zip(band.strongest, band.weakest, strict=True):
        lines.append(columns(WIDTHS, f"  {_named(*strong)}", _named(*weak)))
    return lines


def _named(name: str, mean: Estimate) -> str:
    return f"{with_interval(mean, '+.3f', ' ')} {name[:27]}"
