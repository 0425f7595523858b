"""Turns trained parts into a model folder: gallery, calibration, novelty, provenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.inference.calibration import calibrate
from geowhy.inference.gallery import Gallery
from geowhy.inference.novelty import NoveltyDetector
from geowhy.model.alignment import ConceptAligner
from geowhy.model.geomodel import model_config, model_tensors
from geowhy.model.location import LocationEncoder
from geowhy.model.store import ModelFolder, write_model
from geowhy.training.aligner import TorchAligner
from geowhy.training.config import TrainingConfig
from geowhy.training.features import FeatureStore, Progress
from geowhy.training.location_torch import TorchLocationEncoder
from geowhy.training.sources import PREPROCESSING
from geowhy.training.views import ViewManifest

__all__ = ["TrainedParts", "package_model"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedParts:
    """What the training stages leave behind."""

    config: TrainingConfig
    aligner: TorchAligner
    encoder: TorchLocationEncoder
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
    aligner = _shipped(parts.aligner)
    location = LocationEncoder.from_tensors(
        _rounded(parts.encoder.to_tensors()), parts.encoder.architecture
    )
    gallery = Gallery.build(_gallery_points(parts.config), location, aligner)
    report(1, 3)
    novelty = NoveltyDetector.fit(features.read(manifest.rows("train")))
    report(2, 3)
    rows = manifest.rows("validation")
    raw = features.read(rows)
    calibration = calibrate(
        aligner, gallery, aligner.image_side(raw), manifest.centres[rows], novelty.score(raw)
    )
    report(3, 3)
    config = {
        "model": model_config(
            parts.config.name, aligner, location.architecture, PREPROCESSING, vocabulary.names
        ),
        "calibration": asdict(calibration),
        "training": parts.config.model_dump(),
        "concept_bank": {"source": "grounded", "vocabulary_sha256": vocabulary.digest},
    }
    tensors = {
        "model": _halved(model_tensors(aligner, location)),
        "gallery": gallery.to_tensors(),
        "novelty": novelty.to_tensors(),
    }
    return write_model(path, config, tensors, parts.backbone_file)


def _gallery_points(config: TrainingConfig) -> NDArray[np.float64]:
    rng = np.random.default_rng(config.gallery.seed)
    return uniform_on_land(Atlas.load(), config.gallery.size, rng)


def _shipped(aligner: TorchAligner) -> ConceptAligner:
    """The aligner with weights rounded as the file will hold them, so calibration sees the same."""
    return ConceptAligner(_rounded(aligner.to_tensors()), aligner.space)


def _halved(tensors: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """Matrices as float16; vectors, where a rounding would count, stay float32."""
    return {n: a.astype(np.float16) if a.ndim > 1 else a for n, a in tensors.items()}


def _rounded(tensors: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    return {name: array.astype(np.float32) for name, array in _halved(tensors).items()}
