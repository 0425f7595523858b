"""Tunes a trained model on validation images, and turns it into a model folder.

Either is done with the weights as the folder holds them, so that calibration sees what it will use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from geowhy.arrays import Array, Floats32
from geowhy.model.alignment import ConceptAligner
from geowhy.model.geomodel import GeoModel, model_banks, model_config, model_tensors
from geowhy.model.location import LocationEncoder
from geowhy.model.place_reader import PlaceReader
from geowhy.model.store import write_model
from geowhy.posterior import Calibration, NoveltyDetector
from geowhy.training.calibration import Asked, calibrate
from geowhy.training.photos import PhotoManifest
from geowhy.training.pool import ImagePool
from geowhy.training.views import Manifest

__all__ = ["Tuning", "package_model", "tune"]

LEAST_VARIANCE = 1e-6  # as the novelty detector has for all other directions


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What validation images decide: it is fitted once, and holds for a refit as well."""

    calibration: Calibration
    novelty: NoveltyDetector


def tune(
    model: GeoModel, pool: ImagePool, manifest: Manifest, report: Callable[[int, int], None]
) -> Tuning:
    """Fits the tuning on the validation images of the manifest."""
    model, features, config = _rounded_model(model), pool.features, pool.config.calibration
    gallery = pool.gallery(model)
    report(1, 3)
    fitted = NoveltyDetector.fit(features.read(manifest.rows("train")))
    # A direction in which few training images don't differ isn't none.
    fitted = replace(fitted, variances=np.maximum(fitted.variances, LEAST_VARIANCE))
    novelty = NoveltyDetector.from_tensors(_rounded(fitted.to_tensors()))
    report(2, 3)
    rows = manifest.rows("validation")
    raw, truth = features.read(rows), manifest.centres[rows]
    asked = Asked(model.terms, gallery, model.image_side(raw), truth)
    calibration = calibrate(asked, novelty.score(raw), config)
    report(3, 3)
    return Tuning(calibration, novelty)


def package_model(
    path: Path,
    model: GeoModel,
    tuning: Tuning,
    pool: ImagePool,
    manifest: Manifest,
    report: Callable[[int, int], None],
) -> None:
    """Builds the gallery, and writes the folder ``path``; ``manifest`` is what was learnt from."""
    model = _rounded_model(model)
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
        "model": _halved(model_tensors(model)),
        "gallery": gallery.to_tensors(model),
        "novelty": _halved(tuning.novelty.to_tensors()),
    }
    banks = {name: bank.to_bytes() for name, bank in model_banks(model).items()}
    backbone = {name: file.read_bytes() for name, file in pool.sources.backbone_files.items()}
    write_model(path, config, tensors, {**backbone, **banks})
    report(2, 2)


def _halved(tensors: dict[str, Floats32]) -> dict[str, Array]:
    """Matrices as float16; vectors and frequencies, where a rounding would count, stay float32.

    A frequency of 256 rounded so turns the phase of a far place by nearly a radian: GeoCLIP's
    embeddings kept a cosine of 0.91 with themselves.
    """
    coarse = {n for n, a in tensors.items() if a.ndim > 1 and not n.endswith("frequencies")}
    return {n: a.astype(np.float16) if n in coarse else a for n, a in tensors.items()}


def _rounded(tensors: dict[str, Floats32]) -> dict[str, Floats32]:
    return {name: array.astype(np.float32) for name, array in _halved(tensors).items()}


def _rounded_model(model: GeoModel) -> GeoModel:
    location, aligner, places = model.location, model.aligner, model.places
    return GeoModel(
        model.name,
        model.backbone,
        LocationEncoder.from_tensors(_rounded(location.to_tensors()), location.architecture),
        ConceptAligner(_rounded(aligner.tensors), aligner.bank, aligner.space),
        PlaceReader(_rounded(places.tensors), places.bank) if places else None,
    )
