"""Turns trained parts into a model folder: gallery, calibration, novelty, provenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.inference.calibration import best_map_weight, calibrate
from geowhy.inference.gallery import Gallery
from geowhy.inference.novelty import NoveltyDetector
from geowhy.model.alignment import ConceptAligner
from geowhy.model.backbone import OnnxBackbone
from geowhy.model.geomodel import GeoModel, model_config, model_tensors
from geowhy.model.location import LocationEncoder
from geowhy.model.map_reader import MapReader, without_picture
from geowhy.model.store import ModelFolder, write_model
from geowhy.training.aligner import TorchAligner
from geowhy.training.config import TrainingConfig
from geowhy.training.features import FeatureStore, Progress
from geowhy.training.location_torch import TorchLocationEncoder
from geowhy.training.reader_torch import TorchMapReader
from geowhy.training.sources import PREPROCESSING
from geowhy.training.views import ViewManifest

__all__ = ["TrainedParts", "package_model"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedParts:
    """What the training stages leave behind."""

    config: TrainingConfig
    aligner: TorchAligner
    encoder: TorchLocationEncoder
    reader: TorchMapReader | None
    backbone_file: Path


def package_model(
    path: Path,
    parts: TrainedParts,
    features: FeatureStore,
    manifest: ViewManifest,
    stage: Callable[[str], Progress],
) -> ModelFolder:
    """Builds the gallery, calibrates on the validation views, and writes the folder ``path``."""
    report = stage("calibrating")
    vocabulary = Vocabulary.load()
    model = _shipped(parts, vocabulary)
    gallery = Gallery.build(_gallery_points(parts.config), model)
    report(1, 4)
    novelty = NoveltyDetector.fit(without_picture(features.read(manifest.rows("train"))))
    report(2, 4)
    rows = manifest.rows("validation")
    raw, truth = features.read(rows), manifest.centres[rows]
    if model.reader:
        weight = best_map_weight(model.aligner, gallery, model.image_side(raw), truth)
        model = replace(model, reader=model.reader.weighing(weight))
    report(3, 4)
    calibration = calibrate(
        model.aligner, gallery, model.image_side(raw), truth, novelty.score(without_picture(raw))
    )
    report(4, 4)
    config = {
        "model": model_config(model),
        "calibration": asdict(calibration),
        "training": parts.config.model_dump(),
        "concept_bank": {"source": "grounded", "vocabulary_sha256": vocabulary.digest},
    }
    tensors = {
        "model": _halved(model_tensors(model)),
        "gallery": gallery.to_tensors(),
        "novelty": novelty.to_tensors(),
    }
    return write_model(path, config, tensors, parts.backbone_file)


def _gallery_points(config: TrainingConfig) -> NDArray[np.float64]:
    rng = np.random.default_rng(config.gallery.seed)
    return uniform_on_land(Atlas.load(), config.gallery.size, rng)


def _shipped(parts: TrainedParts, vocabulary: Vocabulary) -> GeoModel:
    """The model with weights rounded as the file will hold them, so calibration sees the same."""
    return GeoModel(
        parts.config.name,
        OnnxBackbone.load(parts.backbone_file, PREPROCESSING),
        LocationEncoder.from_tensors(
            _rounded(parts.encoder.to_tensors()), parts.encoder.architecture
        ),
        ConceptAligner(_rounded(parts.aligner.to_tensors()), parts.aligner.space),
        MapReader(_rounded(parts.reader.to_tensors())) if parts.reader else None,
        vocabulary.names,
    )


def _halved(tensors: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """Matrices as float16; vectors, where a rounding would count, stay float32."""
    return {n: a.astype(np.float16) if a.ndim > 1 else a for n, a in tensors.items()}


def _rounded(tensors: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    return {name: array.astype(np.float32) for name, array in _halved(tensors).items()}
