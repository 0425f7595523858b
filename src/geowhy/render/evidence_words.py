"""Where in a picture the evidence lies, in words: for those who can't see the map of it."""

from __future__ import annotations

import numpy as np

from geowhy.arrays import Floats64
from geowhy.explanation import EvidenceMap
from geowhy.render.wording import percent

__all__ = ["THE_ANSWER", "evidence_sentence", "method_sentence"]


THE_ANSWER = "the answer"  # as a map that isn't of a concept says what it is of
ENOUGH_IN_A_QUARTER, ENOUGH_IN_A_HALF = 0.6, 0.7
TO_BE_NAMED = 0.2  # share of all evidence that what speaks against has to be

# Rows and columns, from and to, in quarters of a side.
QUARTERS = {
    "the upper left quarter": (0, 2, 0, 2),
    "the upper right quarter": (0, 2, 2, 4),
    "the lower left quarter": (2, 4, 0, 2),
    "the lower right quarter": (2, 4, 2, 4),
    "the middle": (1, 3, 1, 3),
}
HALVES = {
    "the upper half": (0, 2, 0, 4),
    "the lower half": (2, 4, 0, 4),
    "the left half": (0, 4, 0, 2),
    "the right half": (0, 4, 2, 4),
}


def evidence_sentence(evidence: EvidenceMap) -> str:
    """Where it lies: "The evidence for the answer lies mostly in the upper half (71 %)."."""
    found = np.nan_to_num(np.asarray(evidence.evidence, np.float64))
    speaks_for, against = np.maximum(found, 0.0), np.maximum(-found, 0.0)
    total = speaks_for.sum() + against.sum()
    is_answer = evidence.of == THE_ANSWER
    adds = "The evidence for the answer" if is_answer else f"What {evidence.of} adds"
    takes = "what speaks against it" if is_answer else "what it takes away"
    if total == 0.0:
        return "No part of the picture counts."
    parts = []
    if speaks_for.sum() >= TO_BE_NAMED * total:
        parts.append(f"{adds} {_where(speaks_for)}")
    if against.sum() >= TO_BE_NAMED * total:
        parts.append(f"{takes} {_where(against)}")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def method_sentence(method: str) -> str:
    """What the numbers of a map mean."""
    if method == "patches":
        return "What each part says by itself: where the evidence lies, rather than how much it is."
    return "Parts of the picture were hidden in turn: the colour is what the score lost by it."


def _where(mass: Floats64) -> str:
    for regions, enough in ((QUARTERS, ENOUGH_IN_A_QUARTER), (HALVES, ENOUGH_IN_A_HALF)):
        shares = {name: _share(mass, *edges) for name, edges in regions.items()}
        best = max(shares, key=lambda name: shares[name])
        if shares[best] >= enough:
            return f"lies mostly in {best} ({percent(shares[best])})"
    return "is spread over the picture"


def _share(mass: Floats64, top: int, bottom: int, left: int, right: int) -> float:
    """Share of what a grid holds within edges in quarters of its sides."""
    rows, columns = mass.shape
    fine = np.repeat(np.repeat(mass, 4, axis=0), 4, axis=1)  # whatever the grid, quarters fit
    part = fine[rows * top : rows * bottom, columns * left : columns * right]
    return float(part.sum() / fine.sum())
