"""A whole training run, from a configuration file to a model folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ConfigError, VocabularyError
from geowhy.model.maps import MapMatcher
from geowhy.training.config import TrainingConfig
from geowhy.training.fit import STAGES, Fit
from geowhy.training.loop import TrainingRun
from geowhy.training.material import open_material
from geowhy.training.packaging import TrainedParts, package_model, tune
from geowhy.training.pool import FitData, ImagePool
from geowhy.training.processes import Processes, StageBars, joined_processes, progress_bars
from geowhy.training.sources import TrainingSources, initial_encoder
from geowhy.training.views import Manifest

__all__ = ["train"]

NAMED = 20  # concepts


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
        fits = _Fits(config, pool, sources, device, processes, resume)
        manifest = final = material.divided(features)
        parts, best_step = fits.fit(manifest, config.optimiser.steps, folder, bars)
        tuning = None
        if processes.leads:
            tuning = tune(parts, pool, manifest, bars.stage("calibrating"))
        if config.split.refit:
            final = material.divided(features, final=True)
            matcher = parts.maps.matcher if parts.maps else None
            again = StageBars(bars.bars, "refit: ")
            parts, _ = fits.fit(final, best_step, folder / "refit", again, matcher)
        if tuning is not None:
            package_model(folder / "model", parts, tuning, pool, final, bars.stage("packaging"))
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
class _Fits:
    """Fits all parts of a model to one split of the pool or another."""

    config: TrainingConfig
    pool: ImagePool
    sources: TrainingSources
    device: str
    processes: Processes
    resume: bool

    def fit(
        self,
        manifest: Manifest,
        steps: int,
        folder: Path,
        bars: StageBars,
        matcher: MapMatcher | None = None,
    ) -> tuple[TrainedParts, int]:
        """The parts after at most so many steps, and the step that they are of.

        Leaves manifest, log and checkpoint in ``folder``. A ``matcher`` that is there already is
        taken as it is.
        """
        if self.processes.leads:
            folder.mkdir(parents=True, exist_ok=True)
            manifest.save(folder / manifest.FILE)
        self.processes.wait()
        data = self.pool.fit_data(manifest)
        _say_what_is_left_out(self.pool.vocabulary, data, bars)
        fit = Fit(
            config=self.config,
            data=data,
            run=TrainingRun(self.config.optimiser, self.config.seed, steps, self._digest, folder),
            processes=self.processes,
            resume=self.resume,
            encoder=initial_encoder(self.config).to(self.device),
            matcher=matcher,
        )
        for stage in STAGES:
            if stage.asked(fit):
                stage.work(fit, bars.stage(stage.name))
        return fit.parts(self.sources), fit.step

    @property
    def _digest(self) -> str:
        """Names the run: other settings, concepts or features make it another one."""
        features = self.pool.features.shards[0].parent.name
        # Calibration comes after all that a checkpoint holds.
        config = self.config.model_dump_json(exclude={"calibration"})
        parts = (config, self.pool.vocabulary.digest, features)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _say_what_is_left_out(vocabulary: Vocabulary, data: FitData, bars: StageBars) -> None:
    """Names some of the concepts that can't be learnt; a few photographs leave most of them out."""
    left_out = sorted(set(vocabulary.names) - {*data.seen.names, *data.unseen.names})
    if left_out:
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        named = ", ".join(left_out[:NAMED])
        bars.say(f"not learnt, hardly any training place has it: {named}{more}")
