"""From scored images to places, in two ways.

`DensityHead`: the density over the gallery is smoothed, and its modes are the candidates; the
answer is the median of the heaviest. `RetrievalHead`: the candidates are the gallery points that
score best, as in GeoCLIP and in arXiv 2509.01910; the answer is the best of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np

from geowhy.errors import ConfigError
from geowhy.evidence import FieldTerm
from geowhy.heads.gallery import Gallery
from geowhy.heads.quantized import CodedRows, NearestPlaces, RetrievalGallery, nearest_places
from geowhy.model.concept_terms import EmbeddingImages, EmbeddingPlaces, EmbeddingTerm
from geowhy.model.terms import Encoded, ScoreTerm
from geowhy.posterior.calibration import Calibration
from geowhy.posterior.density import CellDensity, Decoder, Estimate, Mode, radius_km
from geowhy.posterior.ledger import Posterior, Term, summed

__all__ = ["DensityHead", "LocationHead", "MakeHead", "RetrievalHead"]


KEPT_PLACES = 256  # best places of a retrieval among which the answer's rivals are
SCORED_AT_ONCE = 8  # with 200,000 places: 6 MB of scores, of which a few copies are made


class LocationHead(Protocol):
    """Turns images into posteriors over the places of a gallery, and posteriors into answers."""

    def perceive(self, images: Encoded) -> Encoded:
        """Images with what can be told of them only beside the gallery's places; mostly nothing."""

    def posteriors(self, images: Encoded) -> Iterator[Posterior]:
        """One posterior an image."""

    def estimate(self, posterior: Posterior, top_k: int) -> Estimate:
        """What one posterior says: at most ``top_k`` modes of it, most probable first."""


MakeHead = Callable[
    [tuple[ScoreTerm, ...], Gallery, Calibration, FieldTerm | None], LocationHead
]  # the evidence is added, at the gallery's places, to what images say


class DensityHead:
    """Every place of the gallery is weighed; candidates are the modes of the smoothed density."""

    def __init__(
        self,
        score_terms: tuple[ScoreTerm, ...],
        gallery: Gallery,
        calibration: Calibration,
        evidence: FieldTerm | None = None,
    ) -> None:
        """Adds ``evidence`` at the gallery's places to what images say."""
        self._score_terms = score_terms
        self._gallery = gallery
        self._evidence = evidence
        self._temperature = np.float32(calibration.temperature)
        self._rows = np.arange(len(gallery.lat_lon))
        self._decoder = Decoder(
            gallery.lat_lon,
            gallery.grid,
            calibration.smoothing_km,
            calibration.sureness,
            calibration.region_mass,
            has_gaps=gallery.is_own or (gallery.region != "" and gallery.outside_weight == 0),
        )

    def perceive(self, images: Encoded) -> Encoded:
        """Images as they are."""
        return images

    def posteriors(self, images: Encoded) -> Iterator[Posterior]:
        """One posterior an image."""
        lat_lon, cell = self._gallery.lat_lon, self._gallery.grid.point_to_cell
        for start in range(0, len(images), SCORED_AT_ONCE):
            some = images.rows(slice(start, start + SCORED_AT_ONCE))
            places, terms = self._gallery.side, self._score_terms
            sources = [term.source for term in terms]
            scored = [term.scores(some, places) / self._temperature for term in terms]
            for number, rows in enumerate(zip(*scored, strict=True)):
                ledger = tuple(map(Term, sources, rows))
                if self._evidence:
                    ledger += tuple(self._evidence.terms(some, places, number))
                log_prob = summed(ledger)
                mass = self._gallery.grid.density(np.exp(log_prob))
                yield Posterior(self._rows, lat_lon, cell, log_prob, ledger, mass)

    def estimate(self, posterior: Posterior, top_k: int) -> Estimate:
        """What one posterior says."""
        return self._decoder.decode(posterior.probability, top_k)


class RetrievalHead:
    """Candidates are the best single places; for models that score embeddings alone."""

    def __init__(
        self,
        score_terms: tuple[ScoreTerm, ...],
        gallery: Gallery,
        calibration: Calibration,
        evidence: FieldTerm | None = None,
    ) -> None:
        """Codes the gallery in 8 bits if that wasn't done before.

        Raises:
            ConfigError: if scores are more than products of embeddings.
        """
        if len(score_terms) != 1 or not isinstance(score_terms[0], EmbeddingTerm):
            raise ConfigError(
                "retrieval takes a model that scores embeddings alone, and this one sums up "
                f"{', '.join(term.source for term in score_terms)}: use the density head"
            )
        self._score_term = score_terms[0]
        self._scale = np.float32(self._score_term.scale / calibration.temperature)
        units = gallery.side.part(EmbeddingPlaces).unit
        self._gallery = gallery
        self._evidence = evidence
        coded, grid = gallery.coded or CodedRows.of(units), gallery.grid
        self._places = RetrievalGallery(units, coded, None, grid.point_to_cell, len(grid.cells))

    def perceive(self, images: Encoded) -> Encoded:
        """Images as they are."""
        return images

    def posteriors(self, images: Encoded) -> Iterator[Posterior]:
        """One posterior an image, over the best `KEPT_PLACES`, best first."""
        queries = images.part(EmbeddingImages).embedding * self._scale
        if self._evidence is None:
            for found in nearest_places(queries, self._places, KEPT_PLACES):
                yield self._posterior(found, ())
            return
        for number in range(len(images)):
            terms = tuple(self._evidence.terms(images, self._gallery.side, number))
            prior = np.stack([term.log_likelihood for term in terms]).sum(axis=0)
            places = replace(self._places, log_prior=prior)
            found = nearest_places(queries[number : number + 1], places, KEPT_PLACES)[0]
            yield self._posterior(found, terms)

    def _posterior(self, found: NearestPlaces, terms: tuple[Term, ...]) -> Posterior:
        weighs = found.probability > 0
        rows, log_prob = found.rows[weighs], np.log(found.probability[weighs]).astype(np.float32)
        lat_lon, cell = self._gallery.lat_lon[rows], self._gallery.grid.point_to_cell[rows]
        terms = tuple(replace(t, log_likelihood=t.log_likelihood[rows]) for t in terms)
        of_image = log_prob - sum((term.log_likelihood for term in terms), np.float32(0))
        ledger = (Term(self._score_term.source, of_image), *terms)
        return Posterior(rows, lat_lon, cell, log_prob, ledger, found.cell_mass)

    def estimate(self, posterior: Posterior, top_k: int) -> Estimate:
        """What one posterior says: its best places, as they are."""
        grid, lat_lon = self._gallery.grid, posterior.lat_lon[:top_k].tolist()
        basin = np.where(np.arange(len(grid.cells)) == posterior.cell[0], 0, 1)
        density = CellDensity(grid.cells, grid.centres, posterior.cell_mass)
        places = zip(lat_lon, posterior.probability[:top_k], strict=True)
        modes = tuple(Mode((lat, lon), float(share)) for (lat, lon), share in places)
        half_km = radius_km(modes[0].lat_lon, density.centres, density.probability, 0.5)
        return Estimate(modes, density, basin == 0, basin, half_km, is_point=True)
