"""A training run of the orbit model is one TOML file with ``kind = "orbit"``."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geowhy.training.config import (
    AlignmentConfig,
    FitConfig,
    LocationConfig,
    OptimiserConfig,
    RunConfig,
    Section,
)

__all__ = [
    "ConceptsConfig", "LookConfig", "NetworkConfig", "OrbitConfig", "PairsConfig", "PlacesConfig",
    "VerdictConfig",
]  # fmt: skip

Share = Annotated[float, Field(ge=0, le=1)]


class PairsConfig(Section):
    """How pairs of a query and a reference picture are cut out of the worlds.

    A query shows the ground at any heading, tilted by up to ``tilt_deg`` from nadir, in the look of
    one of the ``worlds`` or between two of them. Its reference is north up, of the reference world,
    and shows nearly the same: up to ``offset`` widths beside and up to ``width_ratio`` as wide.
    """

    worlds: dict[str, float] = Field(
        default={
            "bmng": 3,
            "shadedrelief": 2,
            "etopo1": 1,
            "marble": 3,
            "srtm": 1,
            "natural-earth-2": 1,
        },
        min_length=1,
    )  # and how often each is shown
    least_width_km: float = Field(150.0, gt=0)
    most_width_km: float = Field(3_000.0, gt=0)
    least_land: Share = 0.1  # of what a picture shows
    southernmost_deg: float = Field(-60.0, ge=-90, le=90)
    tilt_deg: float = Field(45.0, ge=0, lt=80)
    view_angle: float = Field(0.6, ge=0, lt=1)  # most; width of the picture over the distance to it
    offset: Share = 0.15
    width_ratio: float = Field(1.25, ge=1)

    @model_validator(mode="after")
    def _widths_are_in_order(self) -> Self:
        if self.least_width_km > self.most_width_km:
            raise ValueError("least_width_km is above most_width_km: swap them")
        return self


class LookConfig(Section):
    """How often a query's look is changed in each way."""

    plain: Share = 0.3  # not at all, but for the world that it is of
    blend: Share = 0.35  # between two worlds
    band: Share = 0.15  # one band of an unknown sensor
    grey: Share = 0.3
    colour: Share = 0.9
    gamma: Share = 0.9
    haze: Share = 0.5
    clouds: Share = 0.5
    light: Share = 0.6
    blur: Share = 0.4
    noise: Share = 0.6
    collar: Share = 0.15  # black around a scene


class NetworkConfig(Section):
    """A residual network; its last features are pooled as a whole and by round rings."""

    side: int = Field(48, ge=16)  # pixels of a picture
    width: int = Field(32, ge=4)  # channels of the first stage; each further one has twice as many
    blocks: tuple[int, ...] = (1, 2, 3)  # of each stage
    rings: int = Field(3, ge=1)
    size: int = Field(128, ge=8)  # of a description


class ConceptsConfig(FitConfig):
    """How concepts are learnt, from queries that the network has described.

    Those in ``held_back`` of the cells of 10 degrees tell what scores promise.
    """

    queries: int = Field(60_000, ge=100)
    held_back: float = Field(0.2, gt=0, lt=1)
    location: LocationConfig = LocationConfig(
        sigmas=(), surroundings=512, size=96, dropout=0.2, pretraining_steps=800
    )
    alignment: AlignmentConfig = AlignmentConfig(
        target_sigma_km=0.0,  # each picture its own footprint, however near others are
        grounding_weight=2.0,
        whitened=256,
        hidden=1024,
        concept_hidden=512,
        dropout=0.3,
    )
    optimiser: OptimiserConfig = OptimiserConfig(steps=2_000, batch=512, queue=0, weight_decay=0.05)


class VerdictConfig(Section):
    """On which pictures it is fitted when a picture lies where it was laid.

    They are of ``worlds`` that the network never saw. The shares ``mirrored``, ``patterns`` and
    ``sea`` of them are nowhere. How far radii reach is fitted on ``surveyed`` worlds, whose own
    places are exact.
    """

    worlds: tuple[str, ...] = Field(default=("xplanet", "openuniverse"), min_length=1)
    pictures: int = Field(3_000, ge=16)
    side: int = Field(160, ge=32)
    least_width_km: float = Field(150.0, gt=0)
    most_width_km: float = Field(2_600.0, gt=0)
    mirrored: Share = 0.2
    patterns: Share = 0.15
    sea: Share = 0.1
    surveyed: tuple[str, ...] = ("xplanet",)  # openuniverse is less exact itself
    look: LookConfig = LookConfig(plain=0.5)
    precision: Share = 0.99  # of verified answers
    candidates: tuple[int, ...] = Field(default=(48, 800), min_length=1)  # see `OrbitSettings`
    kept: int = Field(8, ge=1)  # poses that are kept of them
    most_elsewhere: Share = 0.5  # a larger probability of no match is no answer

    @model_validator(mode="after")
    def _surveyed_worlds_are_shown(self) -> Self:
        if not set(self.surveyed) & set(self.worlds):
            raise ValueError("surveyed names none of the worlds: name at least one")
        return self


class PlacesConfig(Section):
    """The places of the gallery: at several widths, each ``ratio`` times the one before."""

    least_km: float = Field(150.0, gt=0)
    most_km: float = Field(2_700.0, gt=0)
    ratio: float = Field(1.3, gt=1)
    spacing: float = Field(0.25, gt=0)  # widths
    least_land: Share = 0.1


class OrbitConfig(RunConfig):
    """Everything that determines a run, but for the worlds."""

    kind: Literal["orbit"] = "orbit"
    name: str = Field("orbit", pattern=r"^[A-Za-z0-9._-]+$")
    seed: int = 0
    pairs: PairsConfig = PairsConfig()
    look: LookConfig = LookConfig()
    network: NetworkConfig = NetworkConfig()
    optimiser: OptimiserConfig = OptimiserConfig(batch=256, queue=0)
    concepts: ConceptsConfig = ConceptsConfig()
    places: PlacesConfig = PlacesConfig()
    verdict: VerdictConfig = VerdictConfig()

    @property
    def digest(self) -> str:
        """SHA-256 of what determines the network: nothing else needs it to be trained anew."""
        content = self.model_dump_json(exclude={"concepts", "places", "verdict"})
        return hashlib.sha256(content.encode()).hexdigest()
