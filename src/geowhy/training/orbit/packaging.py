"""Writes the folder of a model of pictures from above."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from geowhy.arrays import Array
from geowhy.concepts.bank import BANK_FILE
from geowhy.model.backbone import BACKBONE_FILE
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder, write_model
from geowhy.orbit.concepts import OrbitConcepts
from geowhy.orbit.gallery import OrbitGallery
from geowhy.orbit.spread import BY_CURVATURE, Spread
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration
from geowhy.training.orbit.config import OrbitConfig

__all__ = ["Fitted", "OrbitParts", "ring_names"]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What is fitted once the network describes places.

    Attributes:
        verdict: what laying a picture tells.
        calibration: how far radii reach, and when there is no answer.
        search: nats of a whole likeness, when places are searched.
        rings: the same, when it is judged where a picture was laid.
        concepts: nats of a nat of theirs.
        spread: how far a picture may lie from where it was laid.
        sure: from which probability on an answer is verified.
    """

    verdict: Verdict
    calibration: Calibration
    search: float = 1.0
    rings: float = 1.0
    concepts: float = 1.0
    spread: Spread = BY_CURVATURE
    sure: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class OrbitParts:
    """All that a model folder holds, but what is fitted last."""

    config: OrbitConfig
    graph: bytes
    ring_sizes: list[int]
    gallery: OrbitGallery
    concepts: OrbitConcepts | None

    def write(self, path: Path, fitted: Fitted) -> ModelFolder:
        """Writes the folder."""
        config, concepts = self.config, self.concepts
        side = config.network.side
        model = {
            "kind": config.kind,
            "name": config.name,
            "preprocessing": Preprocessing(side, 0.0, 255.0).to_json(),
            "rings": ["whole picture", *ring_names(config.network.rings)],
            "ring_sizes": self.ring_sizes,
            "search_scale": fitted.search,
            "scale": fitted.rings,
            "concept_weight": fitted.concepts,
            "candidates": config.verdict.candidates,
            "kept": config.verdict.kept,
            "sure": fitted.sure,
            "spread": asdict(fitted.spread),
        }
        tensors: dict[str, dict[str, Array]] = {
            "gallery": self.gallery.to_tensors(),
            "verdict": {**fitted.verdict.to_tensors()},
        }
        others, section = {BACKBONE_FILE: self.graph}, {}
        if concepts:
            tensors["model"] = {**concepts.tensors}
            others[BANK_FILE] = concepts.bank.to_bytes()
            section = {"concepts": concepts.config}
        content = {
            "model": model,
            "calibration": asdict(fitted.calibration),
            "training": config.model_dump(),
            **section,
        }
        return write_model(path, content, tensors, others)


def ring_names(count: int) -> list[str]:
    """Of rings from the centre outwards, in shares of the way to the rim."""
    edges = [f"{round(100 * number / count)} %" for number in range(count + 1)]
    inner = ["centre", *(f"ring from {a} to {b}" for a, b in pairwise(edges[1:-1]))]
    return [*inner[: count - 1], "rim"] if count > 1 else ["centre"]
