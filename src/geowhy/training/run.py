"""A whole training run, from a configuration file to a model folder."""

from __future__ import annotations

from pathlib import Path

import torch

from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ConfigError, VocabularyError
from geowhy.training.config import TrainingConfig
from geowhy.training.fit import Fitter
from geowhy.training.material import open_material
from geowhy.training.packaging import package_model, tune
from geowhy.training.pool import ImagePool
from geowhy.training.processes import StageBars, joined_processes, progress_bars
from geowhy.training.sources import TrainingSources

__all__ = ["train"]


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
        material = open_material(config, sources, bars.say)
        # The leading process works, and the others find it done.
        features = material.embed(bars.stage("embedding images")) if processes.leads else None
        processes.wait()
        features = features or material.embed(lambda done, total: None)
        centres, columns = material.manifest.centres, sources.columns
        pool = ImagePool(config, vocabulary, centres, features, columns, device)
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
