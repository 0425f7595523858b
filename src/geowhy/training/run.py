"""A whole training run, from a configuration file to a model folder."""

from __future__ import annotations

from pathlib import Path

import torch

from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ConfigError, VocabularyError
from geowhy.geo.atlas import Atlas
from geowhy.training.config import TrainingConfig
from geowhy.training.features import FeatureStore, Progress, embed_photos, embed_views
from geowhy.training.fit import fit
from geowhy.training.packaging import package_model, tune
from geowhy.training.photos import PhotoManifest, divide_photos, read_photos
from geowhy.training.pool import ImagePool
from geowhy.training.processes import StageBars, joined_processes, progress_bars
from geowhy.training.sources import TrainingSources
from geowhy.training.views import Manifest, ViewManifest, sample_views, split_views

__all__ = ["train"]

FEW_TO_TUNE_ON = 30  # photographs

Images = ViewManifest | PhotoManifest


def train(config_path: Path, output: Path | None, device: str, resume: bool) -> Path:
    """Trains a model and gives its folder, ``output/model``; ``output`` is ``runs/NAME`` if None.

    Raises:
        ConfigError: if the configuration or the device can't be used.
        DataError: if photographs are asked for that aren't there.
        VocabularyError: if the vocabulary can't be used.
        ModelNotFoundError: if the backbone or the world image isn't there; says how to get it.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    config = TrainingConfig.load(config_path)
    if device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"--device {device}: torch sees no GPU here: use --device cpu")
    vocabulary = _grounded_vocabulary(config)
    folder = output or Path("runs") / config.name
    with joined_processes(device) as processes, progress_bars(processes) as bars:
        sources = TrainingSources.open(config)
        images: Images
        if config.photos is None:
            images = sample_views(config.views, Atlas.load())
        else:
            images, findings = read_photos(config.photos)
            bars.say(findings)
        # The leading process works, and the others find it done.
        report = bars.stage("embedding images")
        features = _embedded(images, sources, report) if processes.leads else None
        processes.wait()
        features = features or _embedded(images, sources, report)
        pool = ImagePool(sources, vocabulary, images.centres, features, device)
        manifest = _divided(images, pool, bars, final=False)
        steps = config.optimiser.total_steps
        model, best_step = fit(pool, processes, resume, manifest, steps, folder, bars)
        tuning = None
        if processes.leads:
            tuning = tune(model, pool, manifest, bars.stage("calibrating"))
        if config.split.refit:
            manifest = _divided(images, pool, bars, final=True)
            again = StageBars(bars.bars, "refit: ")
            del model  # its backbone may take a gigabyte
            model, _ = fit(pool, processes, resume, manifest, best_step, folder / "refit", again)
        if tuning is not None:
            report = bars.stage("packaging")
            package_model(folder / "model", model, tuning, pool, manifest, report)
        processes.wait()
    return folder / "model"


def _grounded_vocabulary(config: TrainingConfig) -> Vocabulary:
    """The concepts that can be learned: those that the atlas tells."""
    folder = Path(config.vocabulary or PACKAGED_VOCABULARY)
    vocabulary = Vocabulary.load(folder).grounded
    if config.photos is not None:
        if not vocabulary.concepts:
            raise VocabularyError(f"{folder}: no concept has a grounding: add some")
    elif not any(concept.from_above for concept in vocabulary.concepts):
        raise VocabularyError(
            f"{folder}: no concept has a grounding and from_above = true, so views can't be told "
            "apart by concepts: add some"
        )
    return vocabulary


def _embedded(images: Images, sources: TrainingSources, report: Progress) -> FeatureStore:
    backbone, cache = sources.open_backbone(), sources.cache
    if isinstance(images, ViewManifest):
        return embed_views(images, sources.world, backbone, cache, report)
    return embed_photos(images, backbone, sources.digest, cache, report)


def _divided(images: Images, pool: ImagePool, bars: StageBars, *, final: bool) -> Manifest:
    """The splits under which a run is tuned, told in words, or ``final`` ones, in silence."""
    config, unreadable = pool.config.split, pool.features.unreadable
    if isinstance(images, ViewManifest):
        return split_views(images, config, pool.sources.world, final=final)
    if final:
        return divide_photos(images, unreadable, config, final=True)
    if unreadable:
        row, why = next(iter(unreadable.items()))
        bars.say(
            f"left out {len(unreadable):,} of {len(images.files):,} photos: "
            f"unreadable; the first is {images.names[row]}, which {why}"
        )
    divided = divide_photos(images, unreadable, config)
    counts = [f"{len(divided.rows(name)):,} {name}" for name in ("train", "validation", "test")]
    bars.say(f"photos by whole cells of 10°: {', '.join(counts)}")
    if len(divided.rows("validation")) < FEW_TO_TUNE_ON:
        bars.say(
            f"fewer than {FEW_TO_TUNE_ON} validation photos: radii, probabilities and "
            "abstention, which are fitted on them, are rough guesses"
        )
    return divided
