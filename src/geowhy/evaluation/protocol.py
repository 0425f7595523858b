"""What a model is measured on: the images that its own training held out, with their truth.

The split of views is rebuilt from the configuration. That of photographs is read from the run's
manifest: files come and go, and with them cells would change their splits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geowhy.arrays import Bools, Floats64, Pixels, Points
from geowhy.errors import ConfigError, DataError, ImageError, MissingExtraError
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.model.store import ModelFolder
from geowhy.registry import resolve_model

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig
    from geowhy.training.views import ViewManifest

__all__ = ["Protocol", "held_out", "open_views", "training_config", "usual_config", "views_at"]

VIEWS_AT_ONCE, PHOTOS_AT_ONCE = 512, 64
MARGINS = {
    "shared_pixels": "no training view shares a pixel with a held-out view",
    "none": "no margin: training views at the rims of held-out cells overlap views in them",
}

Batch = dict[int, Pixels]  # by row; without those that can't be read


@dataclass(frozen=True, slots=True, eq=False)
class Protocol:
    """Images with their truth, and the words that belong to any number measured on them."""

    name: str  # how they were held out, in words
    images: str  # what they are: "views" or "photos"
    expected: int  # how many there are to be in the split
    ids: tuple[str, ...]  # of each image
    truth: Floats64  # degrees [N, 2]
    unseen: Bools  # which share no pixel with any training image, [N]
    batches: Callable[[], Iterator[Batch]]  # reads the images, some at once


def held_out(model: str, split: str) -> Protocol:
    """The test or validation images of a model's own training configuration.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        DataError: if the manifest of its photographs is gone, or another run's.
        MissingExtraError: without the extra ``train``, which reads manifests.
        ConfigError: if the split is neither ``test`` nor ``validation``, or if the model was
            trained on it, or holds no places out.
    """
    if split not in ("test", "validation"):
        raise ConfigError(f"split {split!r}: choose test or validation")
    config = _any_config(model)
    images = "views" if config.photos is None else "photos"
    if split == "validation" and config.split.refit:
        raise ConfigError(
            f"{model}: was refitted on its validation {images}, so they tell nothing of "
            "it: choose test, or train a model with split.refit = false"
        )
    if config.photos is None:
        return _held_out_views(config, split)
    return _held_out_photos(model, config.photos.manifest, split, config.split.seed)


def open_views(config: TrainingConfig) -> tuple[ViewManifest, WorldImage]:
    """All views of a configuration with their splits, and the image that they are cut from.

    Raises:
        ModelNotFoundError: if the Blue Marble isn't installed.
    """
    from geowhy.geo.atlas import Atlas
    from geowhy.training.sources import open_world
    from geowhy.training.views import sample_views, split_views

    world = open_world()
    pool = sample_views(config.views, Atlas.load())
    return split_views(pool, config.split, world, final=True), world


def views_at(config: TrainingConfig, centres: Points) -> Iterator[Pixels]:
    """The views at centres ``[N, 2]`` as a configuration cuts them, ``[n, H, W, 3]`` at a time."""
    from geowhy.training.sources import open_world

    world = open_world()
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        chunk = centres[start : start + VIEWS_AT_ONCE]
        yield cut_views(world, chunk, config.views.km_per_pixel, config.views.size)


def training_config(model: str) -> TrainingConfig:
    """The configuration of the views that a model was trained on.

    Raises:
        ModelNotFoundError: if there is no such model.
        MissingExtraError: without the extra ``train``.
        ConfigError: if it was trained on photographs, or on pictures of a known Earth.
    """
    config = _any_config(model)
    if config.photos is not None:
        raise ConfigError(
            f"{model}: was trained on photographs, so there are no views to measure it on: "
            "geowhy evaluate measures it on the photographs that were held out"
        )
    return config


def usual_config() -> TrainingConfig:
    """The one whose places measure what has none of its own: views as packaged, test cells apart.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    return _config({"split": {"refit": True}})


def _config(content: dict[str, Any]) -> TrainingConfig:
    try:
        from geowhy.training.config import TrainingConfig
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    return TrainingConfig(**content)


def _any_config(model: str) -> TrainingConfig:
    folder = ModelFolder.open(resolve_model(model))
    if folder.section("model").get("kind") == "orbit":
        raise ConfigError(
            f"{model}: is a model of pictures from above, which knows all places, and this takes "
            "one of views, whose training held places out: train one with geowhy train "
            f"configs/views.toml and give its folder; or measure this one with geowhy evaluate "
            f"{model} --world NAME"
        )
    return _config(folder.section("training"))


def _held_out_views(config: TrainingConfig, split: str) -> Protocol:
    from geowhy.training.views import unseen

    manifest, world = open_views(config)
    rows = manifest.rows(split)
    centres = manifest.centres[rows]

    def batches() -> Iterator[Batch]:
        for start, views in zip(count(0, VIEWS_AT_ONCE), views_at(config, centres), strict=False):
            yield dict(enumerate(views, start))

    return Protocol(
        f"{config.views.size} px at {config.views.km_per_pixel:g} km per pixel, held-out 10° "
        f"cells, split seed {config.split.seed}; {MARGINS[config.split.margin]}",
        "views",
        config.split.test_views if split == "test" else config.split.validation_views,
        tuple(f"view-{row}" for row in rows.tolist()),
        centres,
        unseen(manifest, split, world),
        batches,
    )


def _held_out_photos(model: str, manifest: str, split: str, seed: int) -> Protocol:
    """Of the manifest that a run left beside its model."""
    from geowhy.training.photos import PhotoManifest

    folder = resolve_model(model)
    run = folder.resolve().parent
    manifests = [run / "refit" / PhotoManifest.FILE, run / PhotoManifest.FILE]
    found = [PhotoManifest.load(path) for path in manifests if path.is_file()]
    digest = ModelFolder.open(folder).section("photos")["digest"]
    photos = next((each for each in found if each.digest == digest), None)
    if photos is None:
        raise DataError(
            f"{model}: was trained on photographs, and which of them were held out stands in the "
            f"{PhotoManifest.FILE} of its run; {'that' if found else 'but none is'} in {run}"
            f"{' is of another run' if found else ''}: leave the model in its run's folder"
        )
    rows = photos.rows(split)
    files = tuple(photos.files[row] for row in rows)

    def batches() -> Iterator[Batch]:
        from geowhy.training.features import read_pixels

        for start in range(0, len(files), PHOTOS_AT_ONCE):
            read = read_pixels(files[start : start + PHOTOS_AT_ONCE])
            yield {row: p for row, p in enumerate(read, start) if not isinstance(p, ImageError)}

    return Protocol(
        f"photos of {Path(manifest).name}, held-out 10° cells, split seed {seed}",
        "photos",
        len(files),
        files,
        photos.centres[rows],
        np.ones(len(rows), bool),
        batches,
    )
