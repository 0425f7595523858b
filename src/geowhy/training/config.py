"""A training run is one TOML file: read, checked and frozen here."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from geowhy.errors import ConfigError

__all__ = [
    "AlignmentConfig", "CalibrationConfig", "FitConfig", "GalleryConfig", "LocationConfig",
    "OptimiserConfig", "PhotosConfig", "PlaceReaderConfig", "RunConfig", "Section",
    "SplitConfig", "TrainingConfig", "ViewsConfig",
]  # fmt: skip

CLIP = "clip-vit-l-14"
CLIP_SIZE = 768  # of its projected features, and of the hidden layer of GeoCLIP's head
GEOCLIP_SIZE = 512  # of GeoCLIP's embeddings

Backbone = Literal["efficientnet-lite0", "efficientnet-lite2", "clip-vit-l-14"]
Positive = Annotated[float, Field(gt=0)]
Choices = Annotated[tuple[Positive, ...], Field(min_length=1)]


class Section(BaseModel, frozen=True, extra="forbid"):
    """Holds what it is told, and refuses a key that it doesn't know."""


class RunConfig(Section):
    """A whole file."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a TOML file, or the JSON that ``model_dump_json`` writes.

        Raises:
            ConfigError: if it is missing, not TOML, or has a wrong key or value.
        """
        try:
            text = path.read_text(encoding="utf-8")
            return cls(**(json.loads(text) if path.suffix == ".json" else tomllib.loads(text)))
        except OSError as error:
            reason = error.strerror
            raise ConfigError(f"{path}: can't be read ({reason}): give a TOML file") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            named = f"{path}: {where}" if where else str(path)
            raise ConfigError(f"{named}: {first['msg']}; mend or remove that key") from error
        except ValueError as error:
            raise ConfigError(f"{path}: not valid TOML ({error}): mend that line") from error


class ViewsConfig(Section):
    """The pool of views, from which every split draws."""

    count: int = Field(100_000, ge=100)
    seed: int = 0
    size: int = Field(64, ge=8)
    km_per_pixel: float = Field(5.0, gt=0)


class PhotosConfig(Section):
    """Photographs with their positions, in place of views."""

    # A CSV or parquet file, or a folder of photographs with their positions in their metadata.
    manifest: str = Field(min_length=1)
    root: str = ""  # where the paths of a file start; its own folder if empty
    dataset: Literal["own", "mp-16"] = "own"


class SplitConfig(Section):
    """Which blocks of 10 degrees are held out, and how training keeps clear of them.

    With ``refit``, a run that has been calibrated on its validation views trains a second time, on
    them as well; only the test views are then unseen. Of photographs, ``test_views`` and
    ``validation_views`` are the most that are used, and there is no margin: they share no pixels.
    """

    seed: int = 0
    test_share: float = Field(0.2, gt=0, lt=0.5)
    validation_share: float = Field(0.1, gt=0, lt=0.5)
    test_views: int = Field(6_000, ge=10)
    validation_views: int = Field(3_000, ge=10)
    margin: Literal["shared_pixels", "none"] = "shared_pixels"
    refit: bool = False

    def held_out(self, final: bool) -> dict[str, int]:
        """How many images of which splits training leaves out; ``final`` is the refit, if any."""
        if final and self.refit:
            return {"test": self.test_views}
        return {"validation": self.validation_views, "test": self.test_views}


class LocationConfig(Section):
    """The location encoder: GeoCLIP's architecture, from scratch or with the released weights."""

    init: Literal["scratch", "geoclip"] = "scratch"
    sigmas: tuple[float, ...] = (1.0, 16.0, 256.0)  # one a capsule
    fourier: int = Field(256, ge=2)
    hidden: int = Field(1024, ge=2)
    depth: int = Field(3, ge=1)
    size: int = Field(512, ge=2)
    surroundings: int = Field(0, ge=0)  # width of a capsule that reads the atlas around a place
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


class AlignmentConfig(Section):
    """The concept-aware alignment and its loss."""

    init: Literal["scratch", "geoclip"] = "scratch"  # or the released weights of the image head
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
    # So many images show nothing but their layout: the model shall not rely on colour alone.
    summary_dropout: float = Field(0.0, ge=0, lt=1)
    symmetries: bool = False  # mirrors and turns views together with their maps
    initial_temperature: float = Field(0.07, gt=0)

    @model_validator(mode="after")
    def _fits_the_released_head(self) -> Self:
        if self.init == "geoclip" and not self.whitened == self.hidden == CLIP_SIZE:
            raise ValueError(
                'init = "geoclip" takes the released head as it is, so set whitened = '
                f"{CLIP_SIZE} and hidden = {CLIP_SIZE}, not {self.whitened} and {self.hidden}"
            )
        return self


class PlaceReaderConfig(Section):
    """The network that tells places by concepts that no view shows."""

    steps: int = Field(1_000, ge=1)
    batch: int = Field(512, ge=2)
    hidden: int = Field(512, ge=2)
    size: int = Field(96, ge=2)
    rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(5e-2, ge=0)
    dropout: float = Field(0.3, ge=0, lt=1)


class OptimiserConfig(Section):
    """Steps, batches and rates.

    In each of the ``cycles`` the rate falls to nothing, so that a run can be used at the end of any
    of them; each is twice as long as the one before (SGDR, arXiv 1608.03983).
    """

    steps: int = Field(1_000, ge=1)  # of the first cycle
    cycles: int = Field(1, ge=1, le=12)
    batch: int = Field(512, ge=2)
    queue: int = Field(2_048, ge=0)
    rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up: float = Field(0.1, gt=0, lt=1)
    validate_every: int = Field(100, ge=1)
    patience: int = Field(5, ge=1)

    @property
    def total_steps(self) -> int:
        """Of all cycles."""
        return self.steps * ((1 << self.cycles) - 1)


class GalleryConfig(Section):
    """The places among which the model chooses, uniform on the land of the whole Earth."""

    size: int = Field(24_000, ge=100)
    seed: int = 1


class CalibrationConfig(Section):
    """What is tried on validation images, and what the model then promises.

    Of ``temperatures`` and ``smoothings_km`` those are taken whose answers are nearest on
    ``images`` of them; while the one is chosen the other is as ``usual``. An error counts
    up to ``error_cap_km``: an answer on another continent costs no more than one far off. Of
    ``surenesses`` the one is taken under which the truth is most probable. ``false_alarm_rate`` of
    the validation images are called unlike all others. The rest the model keeps as it is: see
    `geowhy.posterior.calibration.Calibration`.
    """

    temperatures: Choices = (0.7, 1.0, 1.4, 2.0, 2.8)
    smoothings_km: Choices = (300.0, 600.0, 900.0, 1_200.0)
    surenesses: Choices = tuple(number / 20 for number in range(1, 21))
    usual_smoothing_km: Positive = 600.0
    images: int = Field(1_000, ge=1)
    error_cap_km: Positive = 2_500.0
    false_alarm_rate: float = Field(0.01, gt=0, lt=1)
    region_mass: float = Field(0.9, gt=0, lt=1)
    abstain_above_km: Positive = 5_000.0
    least_radius_km: float = Field(30.0, ge=0)


class FitConfig(Section):
    """What an alignment of images with places asks for, whatever they are."""

    seed: int = 0
    location: LocationConfig = LocationConfig()
    alignment: AlignmentConfig = AlignmentConfig()
    optimiser: OptimiserConfig = OptimiserConfig()


class TrainingConfig(RunConfig, FitConfig):
    """Everything that determines a run, but for the data."""

    name: str = Field("views", pattern=r"^[A-Za-z0-9._-]+$")
    backbone: Backbone = "efficientnet-lite2"
    vocabulary: str = ""  # a folder of concept files; the packaged one if empty
    views: ViewsConfig = ViewsConfig()
    photos: PhotosConfig | None = None  # a run that has them cuts no views
    split: SplitConfig = SplitConfig()
    place_reader: PlaceReaderConfig = PlaceReaderConfig()
    gallery: GalleryConfig = GalleryConfig()
    calibration: CalibrationConfig = CalibrationConfig()

    @model_validator(mode="before")
    @classmethod
    def _without_margin(cls, content: Any) -> Any:  # noqa: ANN401  # whatever a file holds
        """Photographs know no margin; a configuration that doesn't speak of it means none."""
        is_table = isinstance(content, dict) and content.get("photos") is not None
        if is_table and isinstance(content.get("split", {}), dict):
            return {**content, "split": {"margin": "none", **content.get("split", {})}}
        return content

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        photos, clip = self.photos is not None, self.backbone == CLIP
        released = self.alignment.init == "geoclip"
        size = GEOCLIP_SIZE if self.location.init == "geoclip" else self.location.size
        mistakes = {
            "[views] and [photos]: choose one": photos and "views" in self.model_fields_set,
            "split.margin: photographs share no pixels of a world image: leave it out": (
                photos and self.split.margin != "none"
            ),
            "alignment.symmetries: photographs aren't turned with the map: set false": (
                photos and self.alignment.symmetries
            ),
            f'alignment.init = "geoclip" takes CLIP\'s features: set backbone = "{CLIP}"': (
                released and not clip
            ),
            f'alignment.init = "geoclip" gives embeddings of {GEOCLIP_SIZE} numbers: set '
            f'location.size = {GEOCLIP_SIZE}, not {size}, or location.init = "geoclip"': (
                released and size != GEOCLIP_SIZE
            ),
            f"{CLIP} sees photographs, not views from above: write [photos], or choose an "
            "efficientnet-lite": clip and not photos,
            f"{CLIP} gives no layout that would be left: set alignment.summary_dropout = 0": (
                clip and self.alignment.summary_dropout > 0
            ),
        }
        for text, is_made in mistakes.items():
            if is_made:
                raise ValueError(text)
        return self

    @model_serializer(mode="wrap")
    def _views_or_photos(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Writes the one of the two sections that counts, so that what was written can be read."""
        content: dict[str, Any] = serialise(self)
        del content["photos" if self.photos is None else "views"]
        return content
