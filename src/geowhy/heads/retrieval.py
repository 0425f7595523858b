"""From scored images to places, in two ways.

``hills``: the density over the gallery is smoothed, and its hills are the candidates; the answer is
the median of the heaviest. ``nearest``: the candidates are the gallery points that score best, as
in GeoCLIP and in arXiv 2509.01910; the answer is the best of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from geowhy.heads.gallery import Gallery
from geowhy.heads.quantized import CodedRows
from geowhy.heads.top_k import NearestPlaces, RetrievalGallery, nearest_places
from geowhy.model.alignment import Aligner, ImageSide
from geowhy.posterior.calibration import Calibration
from geowhy.posterior.density import (
    CellDensity,
    Decoder,
    Mode,
    Posterior,
    radius_km,
    shares,
    softmax,
)

__all__ = ["Decoding", "HillSearch", "NearestSearch", "PlaceSearch"]

Decoding = Literal["hills", "nearest"]
Rows = NDArray[np.intp]
Floats = NDArray[np.float64]

RIVALS = 256  # best places of a nearest search among which the answer's rivals are
SCORED_AT_ONCE = 8  # with 200,000 places: 6 MB of scores, of which a few copies are made


class PlaceSearch(Protocol):
    """Finds the places of images in a gallery."""

    def find(self, images: ImageSide, top_k: int) -> Iterator[Posterior]:
        """One posterior an image, with at most ``top_k`` modes."""


class HillSearch:
    """Candidates are the hills of the smoothed posterior."""

    def __init__(self, aligner: Aligner, gallery: Gallery, calibration: Calibration) -> None:
        self._aligner = aligner
        self._gallery = gallery
        self._temperature = calibration.temperature
        self._decoder = Decoder(
            gallery.lat_lon, gallery.grid, calibration.smoothing_km, calibration.sureness
        )

    def find(self, images: ImageSide, top_k: int) -> Iterator[Posterior]:
        """One posterior an image."""
        for start in range(0, len(images.embedding), SCORED_AT_ONCE):
            some = images.rows(slice(start, start + SCORED_AT_ONCE))
            logits = self._aligner.scores(some, self._gallery.side)
            prior = self._gallery.log_prior
            whole = softmax(logits, self._temperature, prior)
            half = softmax(logits, 2 * self._temperature, prior)
            for probability, halfway in zip(whole, half, strict=True):
                yield self._decoder.decode(probability, halfway, top_k)


class NearestSearch:
    """Candidates are single gallery points; for models that score embeddings alone."""

    def __init__(self, aligner: Aligner, gallery: Gallery) -> None:
        """Codes the gallery in 8 bits if that wasn't done before."""
        self._scale = np.float32(aligner.scale)
        self._gallery = gallery
        self._places = RetrievalGallery(
            gallery.side.unit,
            gallery.coded or CodedRows.of(gallery.side.unit),
            gallery.log_prior,
            gallery.grid.point_to_cell,
            len(gallery.grid.cells),
        )

    def find(self, images: ImageSide, top_k: int) -> Iterator[Posterior]:
        """One posterior an image."""
        kept = max(top_k, RIVALS)
        for found in nearest_places(images.embedding * self._scale, self._places, kept):
            yield self._posterior(found, top_k)

    def _posterior(self, found: NearestPlaces, top_k: int) -> Posterior:
        grid = self._gallery.grid
        region = np.arange(len(grid.cells)) == grid.point_to_cell[found.rows[0]]
        outside = np.flatnonzero(~region[grid.point_to_cell[found.rows]])
        which, weights = shares(np.sqrt(found.probability), outside)
        elsewhere = (found.rows[which], weights)
        density = CellDensity(grid.cells, grid.centres, found.cell_mass)
        modes = self._modes(found.rows[:top_k], found.probability[:top_k])
        support, runner_up = (found.rows[:1], np.ones(1)), None
        if len(outside):
            best = found.rows[outside[:1]], found.probability[outside[:1]]
            runner_up = (self._modes(*best)[0], (best[0], np.ones(1)))
        half_km = radius_km(modes[0].lat_lon, density.centres, density.probability, 0.5)
        return Posterior(modes, density, support, runner_up, elsewhere, region, half_km)

    def _modes(self, rows: Rows, probability: Floats) -> tuple[Mode, ...]:
        places = zip(self._gallery.lat_lon[rows].tolist(), probability.tolist(), strict=True)
        return tuple(Mode((lat, lon), share) for (lat, lon), share in places)
