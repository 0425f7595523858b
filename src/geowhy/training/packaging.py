"""Tunes trained parts on validation images, and turns them into a model folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from geowhy.arrays import Array, Floats32
from geowhy.model.alignment import ConceptAligner
from geowhy.model.geomodel import GeoModel, model_banks, model_config, model_tensors
from geowhy.model.location import LocationEncoder
from geowhy.model.maps import MapComparison, MapMatcher, MapReader
from geowhy.model.place_reader import PlaceReader
from geowhy.model.store import ModelFolder, write_model
from geowhy.posterior import Calibration, NoveltyDetector
from geowhy.training.calibration import best_map_weight, calibrate
from geowhy.training.config import TrainingConfig
from geowhy.training.features import Progress
from geowhy.training.photos import PhotoManifest
from geowhy.training.pool import ImagePool
from geowhy.training.sources import TrainingSources
from geowhy.training.views import Manifest

__all__ = ["TrainedParts", "Tuning", "package_model", "tune"]

LEAST_VARIANCE = 1e-6  # as the novelty detector has for all other directions


@dataclass(frozen=True, slots=True, eq=False)
class TrainedParts:
    """What the training stages leave behind."""

    config: TrainingConfig
    aligner: ConceptAligner
    encoder: LocationEncoder
    maps: MapComparison | None
    places: PlaceReader | None
    sources: TrainingSources


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What validation images decide: it is fitted once, and holds for a refit as well.

    Attributes:
        map_weight: how much the maps count against the concepts.
        calibration: temperature, smoothing, radii and limits.
        novelty: tells images apart that are unlike the training images.
    """

    map_weight: float
    calibration: Calibration
    novelty: NoveltyDetector


def tune(parts: TrainedParts, pool: ImagePool, manifest: Manifest, report: Progress) -> Tuning:
    """Fits the tuning on the validation images of the manifest."""
    model, features, told = _shipped(parts), pool.features, pool.columns.told
    gallery, config = pool.gallery(model), parts.config.calibration
    report(1, 4)
    fitted = _known(told(features.read(manifest.rows("train"))))
    novelty = NoveltyDetector.from_tensors(_rounded(fitted.to_tensors()))
    report(2, 4)
    rows = manifest.rows("validation")
    raw, truth = features.read(rows), manifest.centres[rows]
    images = model.image_side(raw)
    weight = 0.0
    if model.maps:
        weight = best_map_weight(model.terms, gallery, images, truth, config)
        model = replace(model, maps=model.maps.weighing(weight))
    report(3, 4)
    strange = novelty.score(told(raw))
    calibration = calibrate(model.terms, gallery, images, truth, strange, config)
    report(4, 4)
    return Tuning(weight, calibration, novelty)


def package_model(
    path: Path,
    parts: TrainedParts,
    tuning: Tuning,
    pool: ImagePool,
    manifest: Manifest,
    report: Progress,
) -> ModelFolder:
    """Builds the gallery, and writes the folder ``path``; ``manifest`` is what was learnt from."""
    model = _shipped(parts)
    if model.maps:
        model = replace(model, maps=model.maps.weighing(tuning.map_weight))
    gallery = pool.gallery(model)
    report(1, 2)
    config = {
        "model": model_config(model),
        "calibration": asdict(tuning.calibration),
        "training": parts.config.model_dump(),
    }
    if isinstance(manifest, PhotoManifest):
        config["photos"] = {"digest": manifest.digest}
    tensors = {
        "model": _halved(model_tensors(model)),
        "gallery": gallery.to_tensors(model),
        "novelty": _halved(tuning.novelty.to_tensors()),
    }
    banks = {name: bank.to_bytes() for name, bank in model_banks(model).items()}
    backbone = {name: file.read_bytes() for name, file in parts.sources.backbone_files.items()}
    others = {**backbone, **banks}
    folder = write_model(path, config, tensors, others)
    report(2, 2)
    return folder


def _known(features: Floats32) -> NoveltyDetector:
    """What training images are like; a direction in which few of them don't differ isn't none."""
    fitted = NoveltyDetector.fit(features)
    return replace(fitted, variances=np.maximum(fitted.variances, LEAST_VARIANCE))


def _shipped(parts: TrainedParts) -> GeoModel:
    """The model with weights rounded as the file will hold them, so calibration sees the same."""
    return GeoModel(
        parts.config.name,
        parts.sources.open_backbone(),
        LocationEncoder.from_tensors(
            _rounded(parts.encoder.to_tensors()), parts.encoder.architecture
        ),
        ConceptAligner(_rounded(parts.aligner.tensors), parts.aligner.bank, parts.aligner.space),
        _rounded_comparison(parts.maps) if parts.maps else None,
        PlaceReader(_rounded(parts.places.tensors), parts.places.bank) if parts.places else None,
    )


def _rounded_comparison(maps: MapComparison) -> MapComparison:
    return MapComparison(
        MapReader(_rounded(maps.reader.tensors)), MapMatcher(_rounded(maps.matcher.tensors))
    )


def _halved(tensors: dict[str, Floats32]) -> dict[str, Array]:
    """Matrices as float16; vectors and frequencies, where a rounding would count, stay float32.

    A frequency of 256 rounded so turns the phase of a far place by nearly a radian: GeoCLIP's
    embeddings kept a cosine of 0.91 with themselves.
    """
    return {n: a.astype(np.float16) if _is_coarse(n, a) else a for n, a in tensors.items()}


def _is_coarse(name: str, array: Floats32) -> bool:
    return array.ndim > 1 and not name.endswith("frequencies")


def _rounded(tensors: dict[str, Floats32]) -> dict[str, Floats32]:
    return {name: array.astype(np.float32) for name, array in _halved(tensors).items()}
