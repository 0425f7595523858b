"""A training run is one TOML file: read, checked and frozen here."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geowhy.errors import ConfigError

__all__ = [
    "AlignmentConfig",
    "GalleryConfig",
    "LocationConfig",
    "OptimiserConfig",
    "PlaceReaderConfig",
    "ReaderConfig",
    "SplitConfig",
    "TrainingConfig",
    "ViewsConfig",
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ViewsConfig(_Section):
    """The pool of views, from which every split draws."""

    count: int = Field(100_000, ge=100)
    seed: int = 0
    size: int = Field(64, ge=8)
    km_per_pixel: float = Field(5.0, gt=0)


class SplitConfig(_Section):
    """Which blocks of 10 degrees are held out, and how training keeps clear of them.

    With ``refit``, a run that has been calibrated on its validation views trains a second time, on
    them as well; only the test views are then unseen.
    """

    seed: int = 0
    test_share: float = Field(0.2, gt=0, lt=0.5)
    validation_share: float = Field(0.1, gt=0, lt=0.5)
    test_views: int = Field(6_000, ge=10)
    validation_views: int = Field(3_000, ge=10)
    margin: Literal["shared_pixels", "none"] = "shared_pixels"
    refit: bool = False


class LocationConfig(_Section):
    """The location encoder: GeoCLIP's architecture, from scratch or with the released weights.

    ``surroundings`` is the width of a further capsule, which reads the atlas around a coordinate;
    with no ``sigmas`` it is the only one.
    """

    init: Literal["scratch", "geoclip"] = "scratch"
    sigmas: tuple[float, ...] = (1.0, 16.0, 256.0)
    fourier: int = Field(256, ge=2)
    hidden: int = Field(1024, ge=2)
    depth: int = Field(3, ge=1)
    size: int = Field(512, ge=2)
    surroundings: int = Field(0, ge=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    pretraining_steps: int = Field(600, ge=0)
    pretraining_batch: int = Field(512, ge=2)
    pretraining_rate: float = Field(1e-3, gt=0)
    ridge: float = Field(1e-3, gt=0)
    trained: bool = True

    @model_validator(mode="after")
    def _sees_something(self) -> Self:
        if self.init == "geoclip" and self.surroundings:
            raise ValueError(
                'init = "geoclip" takes the released encoder as it is: set surroundings = 0'
            )
        if self.init == "scratch" and not self.sigmas and not self.surroundings:
            raise ValueError("no sigmas and no surroundings: the encoder would see nothing")
        return self


class AlignmentConfig(_Section):
    """The concept-aware alignment and its loss.

    In training, ``summary_dropout`` of the images show nothing but their layout, so that the model
    can't rely on colour alone; ``symmetries`` mirrors and turns views together with their maps.
    """

    objective: Literal["concept", "geoclip"] = "concept"
    space: Literal["embedding", "concept", "both"] = "concept"
    negatives: Literal["queue", "land"] = "queue"
    divergence: Literal["cauchy_schwarz", "literal"] = "cauchy_schwarz"
    divergence_weight: float = Field(0.1, ge=0)
    grounding_weight: float = Field(0.5, ge=0)
    target_sigma_km: float = Field(250.0, ge=0)
    whitened: int = Field(256, ge=2)
    hidden: int = Field(1024, ge=2)
    concept_hidden: int = Field(256, ge=2)
    dropout: float = Field(0.1, ge=0, lt=1)
    summary_dropout: float = Field(0.0, ge=0, lt=1)
    symmetries: bool = False
    initial_temperature: float = Field(0.07, gt=0)


class ReaderConfig(_Section):
    """The network that reads maps off a view; with no ``steps`` the model compares no maps."""

    steps: int = Field(0, ge=0)
    batch: int = Field(512, ge=2)
    hidden: int = Field(64, ge=2)
    rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(5e-2, ge=0)
    dropout: float = Field(0.3, ge=0, lt=1)
    summary_dropout: float = Field(0.3, ge=0, lt=1)


class PlaceReaderConfig(_Section):
    """The network that tells places by concepts that no view shows."""

    steps: int = Field(1_000, ge=1)
    batch: int = Field(512, ge=2)
    hidden: int = Field(512, ge=2)
    size: int = Field(96, ge=2)
    rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(5e-2, ge=0)
    dropout: float = Field(0.3, ge=0, lt=1)


class OptimiserConfig(_Section):
    """Steps, batches and rates."""

    steps: int = Field(1_000, ge=1)
    batch: int = Field(512, ge=2)
    queue: int = Field(2_048, ge=0)
    rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up: float = Field(0.1, gt=0, lt=1)
    validate_every: int = Field(100, ge=1)
    patience: int = Field(5, ge=1)


class GalleryConfig(_Section):
    """The places among which the model chooses, uniform on the land of the whole Earth."""

    size: int = Field(24_000, ge=100)
    seed: int = 1


class TrainingConfig(_Section):
    """Everything that determines a run, but for the data.

    ``vocabulary`` is a folder of concept files; the packaged one if empty.
    """

    name: str = Field("embedded", pattern=r"^[A-Za-z0-9._-]+$")
    seed: int = 0
    backbone: Literal["efficientnet-lite0", "efficientnet-lite2"] = "efficientnet-lite2"
    vocabulary: str = ""
    views: ViewsConfig = ViewsConfig()
    split: SplitConfig = SplitConfig()
    location: LocationConfig = LocationConfig()
    alignment: AlignmentConfig = AlignmentConfig()
    reader: ReaderConfig = ReaderConfig()
    place_reader: PlaceReaderConfig = PlaceReaderConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    gallery: GalleryConfig = GalleryConfig()

    @classmethod
    def load(cls, path: Path) -> TrainingConfig:
        """Reads a TOML file, or the JSON that ``model_dump_json`` writes.

        Raises:
            ConfigError: if it is missing, not TOML, or has a wrong key or value.
        """
        try:
            text = path.read_text(encoding="utf-8")
            content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except OSError as error:
            raise ConfigError(
                f"{path}: can't be read ({error.strerror}): give a TOML file"
            ) from error
        except ValueError as error:
            raise ConfigError(f"{path}: not valid TOML ({error}): mend that line") from error
        try:
            return cls(**content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"{path}: {key}: {first['msg']}; mend or remove that key") from error
