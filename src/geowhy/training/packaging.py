"""Tunes a trained model on validation images, and turns it into a model folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from geowhy.model.geomodel import GeoModel, model_banks, model_config, model_tensors
from geowhy.model.store import write_model
from geowhy.posterior import Calibration, NoveltyDetector
from geowhy.training.calibration import best_map_weight, calibrate
from geowhy.training.features import Progress
from geowhy.training.photos import PhotoManifest
from geowhy.training.pool import ImagePool
from geowhy.training.precision import halved, rounded, rounded_model
from geowhy.training.views import Manifest

__all__ = ["Tuning", "package_model", "tune"]

LEAST_VARIANCE = 1e-6  # as the novelty detector has for all other directions


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What validation images decide: it is fitted once, and holds for a refit as well.

    ``map_weight`` is how much the maps count against the concepts.
    """

    map_weight: float
    calibration: Calibration
    novelty: NoveltyDetector


def tune(model: GeoModel, pool: ImagePool, manifest: Manifest, report: Progress) -> Tuning:
    """Fits the tuning on the validation images of the manifest."""
    model, features, config = rounded_model(model), pool.features, pool.config.calibration
    gallery = pool.gallery(model)
    report(1, 4)
    fitted = NoveltyDetector.fit(model.told(features.read(manifest.rows("train"))))
    # A direction in which few training images don't differ isn't none.
    fitted = replace(fitted, variances=np.maximum(fitted.variances, LEAST_VARIANCE))
    novelty = NoveltyDetector.from_tensors(rounded(fitted.to_tensors()))
    report(2, 4)
    rows = manifest.rows("validation")
    raw, truth = features.read(rows), manifest.centres[rows]
    images = model.image_side(raw)
    weight = 0.0
    if model.maps:
        weight = best_map_weight(model.terms, gallery, images, truth, config)
        model = replace(model, maps=model.maps.weighing(weight))
    report(3, 4)
    strange = novelty.score(model.told(raw))
    calibration = calibrate(model.terms, gallery, images, truth, strange, config)
    report(4, 4)
    return Tuning(weight, calibration, novelty)


def package_model(
    path: Path,
    model: GeoModel,
    tuning: Tuning,
    pool: ImagePool,
    manifest: Manifest,
    backbone_files: Mapping[str, Path],
    report: Progress,
) -> None:
    """Builds the gallery, and writes the folder ``path``; ``manifest`` is what was learnt from."""
    model = rounded_model(model)
    if model.maps:
        model = replace(model, maps=model.maps.weighing(tuning.map_weight))
    gallery = pool.gallery(model)
    report(1, 2)
    config = {
        "model": model_config(model),
        "calibration": asdict(tuning.calibration),
        "training": pool.config.model_dump(),
    }
    if isinstance(manifest, PhotoManifest):
        config["photos"] = {"digest": manifest.digest}
    tensors = {
        "model": halved(model_tensors(model)),
        "gallery": gallery.to_tensors(model),
        "novelty": halved(tuning.novelty.to_tensors()),
    }
    banks = {name: bank.to_bytes() for name, bank in model_banks(model).items()}
    backbone = {name: file.read_bytes() for name, file in backbone_files.items()}
    write_model(path, config, tensors, {**backbone, **banks})
    report(2, 2)
