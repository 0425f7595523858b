"""Whether the concepts that are stated of pictures from above hold where these were taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Points
from geowhy.evaluation.estimates import Estimate, JsonReport, block_mean
from geowhy.explain.concept_probability import FittedProbability
from geowhy.geo.cells import ten_degree_cell
from geowhy.model.attribution import LinearAttribution
from geowhy.model.terms import ConceptImages, ConceptPlaces, Encoded
from geowhy.orbit.concepts import OrbitConcepts
from geowhy.orbit.footprint_facts import FootprintFacts

__all__ = ["StatedTruth", "measure_stated"]

FIRST = 5


@dataclass(frozen=True, slots=True)
class StatedTruth(JsonReport):
    """Share of the first five stated concepts that hold in the true footprint, and comparisons."""

    pictures: int
    stated: Estimate
    most_frequent: Estimate  # of the five that hold most often in all these footprints
    count: float  # how many of the first five are stated
    silent: float  # share of the pictures of which none is

    def table(self) -> str:
        """For people."""
        stated, usual = (share.text(".3f") for share in (self.stated, self.most_frequent))
        return (
            f"first {FIRST} stated concepts that hold  {stated}\n"
            f"the {FIRST} that hold most often         {usual}\n"
            f"over {self.pictures:,} pictures; of these {FIRST}, {self.count:.1f} are stated on "
            f"average, and none of {self.silent:.0%} of the pictures"
        )


def measure_stated(
    concepts: OrbitConcepts,
    images: ConceptImages,
    answers: ConceptPlaces,
    reference: ConceptPlaces,
    facts: FootprintFacts,
    lat_lon: Points,
) -> StatedTruth:
    """Holds what is stated of N pictures, for the place that each was answered with, to the truth.

    Args:
        concepts: of the model.
        images: the pictures.
        answers: the footprint that the model names for each.
        reference: what the answers are explained against, one row.
        facts: what is known of the footprint where each was taken.
        lat_lon: where each was taken, degrees ``[N, 2]``.
    """
    holds = concepts.reader.holds(facts)
    attribution, likely = LinearAttribution([concepts.term], 1.0), FittedProbability(concepts)
    names = {name: column for column, name in enumerate(concepts.bank.names)}
    usual = np.argsort(-np.nan_to_num(np.nanmean(holds, axis=0)), kind="stable")[:FIRST]
    shares = np.full((2, len(holds)), np.nan)
    counts = np.zeros(len(holds))
    for number, known in enumerate(holds):
        row = np.array([number])
        image, place = Encoded((images.rows(row),)), Encoded((answers.rows(row),))
        plain = attribution.explain(image, place, Encoded((reference,)))
        probable = likely.with_probabilities(plain.contributions, image)
        stated = replace(plain, contributions=probable).stated(FIRST)
        columns = np.array([names[concept.name] for concept in stated], np.intp)
        counts[number] = len(columns)
        for share, chosen in zip(shares[:, number : number + 1], (columns, usual), strict=True):
            if np.isfinite(known[chosen]).any():
                share[:] = np.nanmean(known[chosen])
    blocks = ten_degree_cell(lat_lon)
    return StatedTruth(
        len(holds),
        block_mean(shares[0], blocks),
        block_mean(shares[1], blocks),
        float(counts.mean()),
        float((counts == 0).mean()),
    )
