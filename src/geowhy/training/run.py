"""A whole training run, from a configuration file to a model folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ConfigError, VocabularyError
from geowhy.geo.atlas import Atlas
from geowhy.training.config import TrainingConfig
from geowhy.training.features import FeatureStore, Progress, embed_photos, embed_views
from geowhy.training.fit import Fitter
from geowhy.training.packaging import package_model, tune
from geowhy.training.photos import PhotoManifest, divide_photos, read_photos
from geowhy.training.pool import ImagePool
from geowhy.training.processes import StageBars, joined_processes, progress_bars
from geowhy.training.sources import TrainingSources
from geowhy.training.views import Manifest, ViewManifest, sample_views, split_views

__all__ = ["train"]

FEW_TO_TUNE_ON = 30  # photographs


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
        material = _Material.open(sources, bars.say)
        # The leading process works, and the others find it done.
        features = material.embed(bars.stage("embedding images")) if processes.leads else None
        processes.wait()
        features = features or material.embed(lambda done, total: None)
        pool = ImagePool(sources, vocabulary, material.manifest.centres, features, device)
        fitter = Fitter(pool, sources, device, processes, resume)
        manifest = material.divided(features)
        model, best_step = fitter.fit(manifest, config.optimiser.steps, folder, bars)
        tuning = None
        if processes.leads:
            tuning = tune(model, pool, manifest, bars.stage("calibrating"))
        if config.split.refit:
            manifest = material.divided(features, final=True)
            again = StageBars(bars.bars, "refit: ")
            matcher = model.maps.matcher if model.maps else None
            del model  # its backbone may take a gigabyte
            model, _ = fitter.fit(manifest, best_step, folder / "refit", again, matcher)
        if tuning is not None:
            report = bars.stage("packaging")
            files = sources.backbone_files
            package_model(folder / "model", model, tuning, pool, manifest, files, report)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """Views or photographs, and what a run says of them."""

    manifest: ViewManifest | PhotoManifest
    sources: TrainingSources
    say: Callable[[str], None]

    @classmethod
    def open(cls, sources: TrainingSources, say: Callable[[str], None]) -> _Material:
        config = sources.config
        if config.photos is None:
            return cls(sample_views(config.views, Atlas.load()), sources, say)
        manifest, findings = read_photos(config.photos)
        say(findings.text())
        return cls(manifest, sources, say)

    def embed(self, report: Progress) -> FeatureStore:
        backbone, cache = self.sources.open_backbone(), self.sources.cache
        if isinstance(self.manifest, ViewManifest):
            return embed_views(self.manifest, self.sources.world, backbone, cache, report)
        return embed_photos(self.manifest, backbone, self.sources.digest, cache, report)

    def divided(self, features: FeatureStore, *, final: bool = False) -> Manifest:
        """The splits under which a run is tuned, told in words, or ``final`` ones, in silence."""
        manifest, unreadable = self.manifest, features.unreadable
        config = self.sources.config.split
        if isinstance(manifest, ViewManifest):
            return split_views(manifest, config, self.sources.world, final=final)
        if final:
            return divide_photos(manifest, unreadable, config, final=True)
        if unreadable:
            row, why = next(iter(unreadable.items()))
            self.say(
                f"left out {len(unreadable):,} of {len(manifest.files):,} photos: "
                f"unreadable; the first is {manifest.names[row]}, which {why}"
            )
        divided = divide_photos(manifest, unreadable, config)
        counts = [f"{len(divided.rows(name)):,} {name}" for name in ("train", "validation", "test")]
        self.say(f"photos by whole cells of 10°: {', '.join(counts)}")
        if len(divided.rows("validation")) < FEW_TO_TUNE_ON:
            self.say(
                f"fewer than {FEW_TO_TUNE_ON} validation photos: radii, probabilities and "
                "abstention, which are fitted on them, are rough guesses"
            )
        return divided
