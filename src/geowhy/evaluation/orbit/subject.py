"""The model that is measured: its answers to pictures whose poses are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geowhy.arrays import Pixels
from geowhy.engine import Decoded, Engine
from geowhy.errors import ConfigError
from geowhy.evaluation.orbit.answers import SEARCHED, PoseAnswer, first_right
from geowhy.evaluation.orbit.stated import FIRST
from geowhy.explain.concept_probability import probability_of
from geowhy.geo.pose import Pose, Poses
from geowhy.orbit.model import OrbitModel
from geowhy.orbit.terms import RingImages

__all__ = ["OrbitSubject"]


class OrbitSubject:
    """A model of pictures from above.

    Attributes:
        engine: the model at work.
        model: the same, by its own parts.
    """

    def __init__(self, engine: Engine) -> None:
        """Takes a model.

        Raises:
            ConfigError: if it doesn't say how pictures lie.
        """
        if not isinstance(engine.model, OrbitModel):
            raise ConfigError(
                f"{engine.model.name}: doesn't say how pictures lie, so it can't be measured on "
                "--world or --pictures: give a model of pictures from above, or leave them out"
            )
        self.engine, self.model = engine, engine.model
        self._statements = probability_of(engine.model, engine.gallery)

    @property
    def concept_ids(self) -> tuple[str, ...]:
        """Of the concepts that it may state."""
        return self.model.concepts.bank.ids if self.model.concepts else ()

    def answers(self, pixels: Pixels, truth: Poses) -> list[PoseAnswer]:
        """What it says of square pictures ``[N, H, H, 3]``."""
        decoded = self.engine.decode(list(pixels), top_k=1)
        described = np.concatenate([each.side.part(RingImages).units for each in decoded])
        searched, _ = self.model.gallery.search(described, SEARCHED)
        places = self.model.gallery.places.lat_lon
        return [
            self._answer(each, truth.one(row), first_right(places[rows], truth.one(row)))
            for row, (each, rows) in enumerate(zip(decoded, searched, strict=True))
        ]

    def _answer(self, decoded: Decoded, truth: Pose, rank: int) -> PoseAnswer:
        estimate = decoded.estimate
        if estimate.pose is None:
            raise TypeError(f"{self.model.name} answers without a pose")
        return PoseAnswer(
            truth,
            estimate.pose,
            decoded.radius_50_km,
            decoded.radius_90_km,
            bool(estimate.verified),
            decoded.abstention is not None,
            rank,
            self.stated(decoded),
        )

    def stated(self, decoded: Decoded) -> tuple[str, ...]:
        """Names of the first concepts that it states of a picture."""
        if self._statements is None:
            return ()
        plain = self.engine.attribution.explain(
            decoded.side, decoded.place, decoded.rival, decoded.against
        )
        probable = self._statements.with_probabilities(plain.contributions, decoded.side)
        told = replace(plain, contributions=probable).stated(FIRST)
        return tuple(concept.name for concept in told)
