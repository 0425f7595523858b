"""Loads what a locator is made of: a trained model's folder, or GeoCLIP as released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import ConfigError, ModelFormatError
from geowhy.heads.gallery import Gallery
from geowhy.heads.geoclip import (
    GEOCLIP,
    UNCALIBRATED,
    Concepts,
    Precision,
    ReleasedGeoClip,
    check_installed,
)
from geowhy.heads.retrieval import Decoding
from geowhy.model.geomodel import GeoModel
from geowhy.model.store import ModelFolder
from geowhy.posterior.calibration import Calibration
from geowhy.posterior.ood import NoveltyDetector
from geowhy.registry import resolve_model

__all__ = ["LocatorParts", "ReleasedOptions", "load_parts"]

Floats = NDArray[np.float64]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ReleasedOptions:
    """What only the released GeoCLIP lets one choose.

    Attributes:
        crops: 10 for the mean score of ten crops.
        precision: of the image tower.
        concepts: what explains its answers.
    """

    crops: int = 1
    precision: Precision = "fp32"
    concepts: Concepts = "grounded"


@dataclass(frozen=True, slots=True, eq=False)
class LocatorParts:
    """What a locator is made of; novelty is None where nothing is known of it."""

    model: GeoModel
    gallery: Gallery
    calibration: Calibration
    novelty: NoveltyDetector | None
    decoding: Decoding


def load_parts(
    name_or_dir: str, places: Floats | None, options: ReleasedOptions, tell: Tell
) -> LocatorParts:
    """Of a model by name or from its folder; ``places`` ``[M, 2]`` replace its gallery.

    Raises:
        ModelNotFoundError: if it isn't on this machine; the message says how to get it.
        ModelFormatError: if the folder is damaged.
        ConfigError: if the model has no such option.
        CoordinateError: if a place of the gallery isn't on Earth.
    """
    if name_or_dir == GEOCLIP:
        return _released(places, options, tell)
    if options != ReleasedOptions():
        raise ConfigError(
            f"{name_or_dir}: crops, precision and concepts are options of the model {GEOCLIP} "
            f"alone: leave them out, or give that model"
        )
    return _trained(ModelFolder.open(resolve_model(name_or_dir)), places, tell)


def _trained(folder: ModelFolder, places: Floats | None, tell: Tell) -> LocatorParts:
    try:
        calibration = Calibration(**folder.section("calibration"))
        novelty = NoveltyDetector.from_tensors(folder.tensors("novelty"))
    except (KeyError, TypeError) as error:
        raise ModelFormatError(
            f"{folder.path}: the calibration lacks {error}: get or train the model anew"
        ) from error
    model = GeoModel.load(folder)
    if places is None:
        gallery = Gallery.from_tensors(folder.tensors("gallery"), model)
    else:
        tell(f"embedding {len(places):,} places of the gallery")
        gallery = Gallery.build(places, model)
    return LocatorParts(model, gallery, calibration, novelty, "hills")


def _released(places: Floats | None, options: ReleasedOptions, tell: Tell) -> LocatorParts:
    check_installed()
    released = ReleasedGeoClip.load(options.concepts)
    gallery = released.gallery(places, tell)
    model = released.with_clip(options.precision)
    return LocatorParts(model, gallery, UNCALIBRATED, None, "nearest")
