"""How much each concept adds to the score of a place, exactly.

The score is the log-odds of a place against the average place of the gallery (mean of the rows). A
place may itself be a mean, of all places of a mode: scores are linear in the rows.
In the concept space it is a plain sum over concepts. So is the agreement of the maps over patterns;
a pattern of several maps is shared out among them by how much of it each is. In the embedding
space a place's embedding is split into what the concepts make up of it, by ridge regression, and
the rest, which is reported as unexplained.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geowhy.model.alignment import Aligner, ImageSide, LocationSide, normalised
from geowhy.types import ConceptScore, Explanation

__all__ = ["contributions", "explain_place"]

Floats = NDArray[np.float64]


def explain_place(
    aligner: Aligner,
    names: tuple[str, ...],
    image: ImageSide,
    place: LocationSide,
    average: LocationSide,
    attribution: NDArray[np.float32],
    temperature: float,
) -> Explanation:
    """Why one place scores as it does for one image; every side holds a single row.

    ``names`` are those of the k concepts, then of the m maps that the model compares; of those
    ``attribution`` ``[r, m]`` tells how much each is of the columns of ``maps``.
    """
    shares, unexplained = contributions(aligner, image, place, average, attribution, temperature)
    more = (place.scaled - average.scaled)[0] @ aligner.basis > 0
    present = np.pad(more, (0, len(shares) - len(more)), constant_values=True)
    scores = [
        ConceptScore(name, float(share), bool(has))
        for name, share, has in zip(names, shares, present, strict=True)
    ]
    scores.sort(key=lambda score: abs(score.contribution), reverse=True)
    return Explanation(float(shares.sum() + unexplained), tuple(scores), float(unexplained))


def contributions(
    aligner: Aligner,
    image: ImageSide,
    place: LocationSide,
    average: LocationSide,
    attribution: NDArray[np.float32],
    temperature: float,
) -> tuple[Floats, float]:
    """Shares of k concepts, then m maps in the score, ``[k + m]``, and what none explains."""
    scale = aligner.scale / temperature
    shares = np.zeros(image.concepts.shape[1])
    unexplained = 0.0
    if aligner.space != "embedding":
        difference = (place.scaled - average.scaled)[0].astype(np.float64)
        shares += scale * normalised(image.concepts)[0] * (difference @ aligner.basis)
    if aligner.space != "concept":
        difference = (place.unit - average.unit)[0].astype(np.float64)
        x = image.embedding[0].astype(np.float64)
        basis = aligner.basis.astype(np.float64)
        along = aligner.decomposition.astype(np.float64) @ difference
        shares += scale * (x @ basis) * along
        unexplained = float(scale * x @ (difference - basis @ along))
    apart = (place.maps - average.maps)[0].astype(np.float64)
    costs = (place.norms - average.norms)[0].astype(np.float64)
    of_maps = image.map_weight * ((image.maps[0] * apart) @ attribution - costs) / temperature
    return np.concatenate([shares, of_maps]), unexplained
