"""``geowhy evaluate``: measures a model on what was held out of its training.

The split of views is rebuilt from the configuration. That of photographs is read from the run's
manifest: files come and go, and with them cells would change their splits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geowhy.engine import Decoded
from geowhy.errors import ConfigError, DataError, ImageError, MissingExtraError
from geowhy.evaluation.metrics import Answers, Metrics, measure
from geowhy.evaluation.output import JsonReport, columns, with_interval
from geowhy.locator import Locator
from geowhy.model.store import ModelFolder
from geowhy.registry import resolve_model

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig
    from geowhy.training.photos import PhotoManifest

__all__ = ["EvaluationReport", "answer_views", "evaluate", "training_config"]

VIEWS_AT_ONCE = 512
PHOTOS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class EvaluationReport(JsonReport):
    """Metrics with the protocol that they belong to.

    Attributes:
        images: what was scored: "views" or "photos".
        expected: how many there are in the split.
        metrics: on all of them that can be read.
        unseen: on those views that share no pixel with any training view; None if that is all
            of them.
    """

    model: str
    split: str
    protocol: str
    gallery: str
    images: str
    expected: int
    metrics: Metrics
    unseen: Metrics | None

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        m = self.metrics
        parts = [
            f"model     {self.model}",
            f"split     {self.split}: {self.protocol}",
            f"gallery   {self.gallery}",
            f"scored    {m.scored:,} of {self.expected:,} {self.images} in {m.blocks} blocks of "
            "10°",
            "interval  95 %, bootstrap over blocks",
            "",
            *_rows(m),
        ]
        if self.unseen is not None:
            count, blocks = self.unseen.scored, self.unseen.blocks
            parts += [
                "",
                "Of these, the views that share no pixel with any training view: "
                f"{count:,} in {blocks} blocks",
                *_rows(self.unseen),
            ]
        return "\n".join(parts)


def evaluate(model: str, split: str = "test") -> EvaluationReport:
    """Measures a model on the test or validation images of its own training configuration.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        DataError: if the manifest of its photographs is gone, or another run's.
        MissingExtraError: without the extra ``train``, which reads manifests.
        ConfigError: if the split is neither ``test`` nor ``validation``, or if the model was
            trained on it.
    """
    if split not in ("test", "validation"):
        raise ConfigError(f"split {split!r}: choose test or validation")
    config = _any_config(model)
    if split == "validation" and config.split.refit:
        raise ConfigError(
            f"{model}: was refitted on its validation {_images(config)}, so they tell nothing of "
            "it: choose test, or train a model with split.refit = false"
        )
    locator = Locator.from_pretrained(model)
    if config.photos is not None:
        photos = _photos_of_run(model)
        files = [photos.files[row] for row in photos.rows(split)]
        answers = _answer_photos(locator, files, photos.centres[photos.rows(split)])
        return _report(locator, config, split, answers, len(files), None)
    answers, is_unseen = answer_views(locator, config, split)
    strict = config.split.margin == "shared_pixels"
    unseen = None if strict or not is_unseen.any() else answers.only(is_unseen)
    expected = config.split.test_views if split == "test" else config.split.validation_views
    return _report(locator, config, split, answers, expected, unseen)


def _report(
    locator: Locator,
    config: TrainingConfig,
    split: str,
    answers: Answers,
    expected: int,
    unseen: Answers | None,
) -> EvaluationReport:
    places = len(locator.engine.gallery.lat_lon)
    return EvaluationReport(
        model=locator.name,
        split=split,
        protocol=_protocol(config),
        gallery=f"{places:,} points uniform on the land of the whole Earth",
        images=_images(config),
        expected=expected,
        metrics=measure(answers),
        unseen=None if unseen is None else measure(unseen),
    )


def answer_views(
    locator: Locator, config: TrainingConfig, split: str
) -> tuple[Answers, NDArray[np.bool_]]:
    """Locates every view of a split, cut anew; also tells which share no pixel with training."""
    from geowhy.geo.atlas import Atlas
    from geowhy.images.overhead import cut_views
    from geowhy.training.sources import open_world
    from geowhy.training.views import final_views, sample_views, unseen

    world = open_world()
    manifest = final_views(sample_views(config.views, Atlas.load()), config.split, world)
    centres = manifest.centres[manifest.rows(split)]
    decoded = []
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        chunk = centres[start : start + VIEWS_AT_ONCE]
        views = cut_views(world, chunk, manifest.km_per_pixel, manifest.size)
        decoded += locator.engine.decode(list(views), top_k=1)
    return _answers(decoded, centres), unseen(manifest, split, world)


def _answer_photos(locator: Locator, files: list[str], centres: NDArray[np.float64]) -> Answers:
    """Locates photographs; those that have become unreadable since training aren't scored."""
    from geowhy.training.features import read_pixels

    decoded, kept = [], []
    for start in range(0, len(files), PHOTOS_AT_ONCE):
        read = read_pixels(tuple(files[start : start + PHOTOS_AT_ONCE]))
        good = {row: p for row, p in enumerate(read, start) if not isinstance(p, ImageError)}
        decoded += locator.engine.decode(list(good.values()), top_k=1) if good else []
        kept += list(good)
    if not kept:
        raise DataError(f"not one of the {len(files):,} held-out photos can be read: {files[0]}")
    return _answers(decoded, centres[kept])


def _answers(decoded: list[Decoded], truth: NDArray[np.float64]) -> Answers:
    return Answers(
        truth=truth,
        answer=np.array([d.estimate.lat_lon for d in decoded]),
        radius_50_km=np.array([d.radius_50_km for d in decoded]),
        radius_90_km=np.array([d.radius_90_km for d in decoded]),
        abstained=np.array([d.abstention is not None for d in decoded]),
    )


def training_config(model: str) -> TrainingConfig:
    """The configuration of the views that a model was trained on.

    Raises:
        ModelNotFoundError: if there is no such model.
        MissingExtraError: without the extra ``train``.
        ConfigError: if it was trained on photographs.
    """
    config = _any_config(model)
    if config.photos is not None:
        raise ConfigError(
            f"{model}: was trained on photographs, so there are no views to measure it on: "
            "geowhy evaluate measures it on the photographs that were held out"
        )
    return config


def _any_config(model: str) -> TrainingConfig:
    try:
        from geowhy.training.config import TrainingConfig
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    return TrainingConfig(**ModelFolder.open(resolve_model(model)).section("training"))


def _photos_of_run(model: str) -> PhotoManifest:
    """The manifest that a run left beside its model.

    Raises:
        DataError: if it isn't there, or isn't that of the model.
    """
    from geowhy.training.photos import PhotoManifest

    folder = resolve_model(model)
    run = folder.resolve().parent
    manifests = [run / "refit" / PhotoManifest.FILE, run / PhotoManifest.FILE]
    digest = ModelFolder.open(folder).section("photos")["digest"]
    found = [PhotoManifest.load(path) for path in manifests if path.is_file()]
    for photos in found:
        if photos.digest == digest:
            return photos
    raise DataError(
        f"{model}: was trained on photographs, and which of them were held out stands in the "
        f"{PhotoManifest.FILE} of its run; {'that' if found else 'but none is'} in {run}"
        f"{' is of another run' if found else ''}: leave the model in its run's folder"
    )


def _images(config: TrainingConfig) -> str:
    return "views" if config.photos is None else "photos"


def _protocol(config: TrainingConfig) -> str:
    if config.photos is not None:
        return (
            f"photos of {Path(config.photos.manifest).name}, held-out 10° cells, split seed "
            f"{config.split.seed}"
        )
    margin = {
        "shared_pixels": "no training view shares a pixel with a held-out view",
        "none": "no margin: training views at the rims of held-out cells overlap views in them",
    }
    return (
        f"{config.views.size} px at {config.views.km_per_pixel:g} km per pixel, held-out 10° "
        f"cells, split seed {config.split.seed}; {margin[config.split.margin]}"
    )


def _rows(m: Metrics) -> list[str]:
    rows = [
        (f"within {km:,} km", with_interval(estimate, "6.1%"))
        for km, estimate in sorted(m.recall.items())
    ]
    rows += [
        ("median error", with_interval(m.median_km, ",.0f", " km  ")),
        ("radius 50 % holds", with_interval(m.coverage_50, "6.1%")),
        ("radius 90 % holds", with_interval(m.coverage_90, "6.1%")),
        ("abstained", f"{m.abstained:6.1%}"),
        ("within 750 km if answered", _answered(m.answered_recall_750)),
    ]
    return [columns((26, 0), *row) for row in rows]


def _answered(share: float) -> str:
    return "  none was answered" if math.isnan(share) else f"{share:6.1%}"
