"""A whole training run, from a configuration file to a model folder."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.sources import GroundedSource
from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import ConfigError, VocabularyError
from geowhy.model.geomodel import MapComparison
from geowhy.model.map_matcher import MapMatcher
from geowhy.model.map_reader import MapReader
from geowhy.model.place_reader import PlaceReader
from geowhy.training.aligner import TorchAligner
from geowhy.training.config import TrainingConfig
from geowhy.training.features import FeatureStore, Progress
from geowhy.training.location_torch import (
    TorchLocationEncoder,
    embed_places,
    pretrain_location,
)
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.material import Material, open_material
from geowhy.training.objectives import OBJECTIVES
from geowhy.training.objectives.contrastive import ContrastiveTask
from geowhy.training.packaging import TrainedParts, package_model, tune
from geowhy.training.place_reader_torch import train_place_reader
from geowhy.training.pool import FitData, ImagePool
from geowhy.training.processes import Processes, joined_processes
from geowhy.training.reader_torch import ReadingLesson, fit_matcher, train_reader
from geowhy.training.sources import TrainingSources, initial_encoder, released_head
from geowhy.training.views import Manifest

__all__ = ["train"]

RIDGE_PLACES = 20_000
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
    with joined_processes(device) as processes, _progress_bars(processes) as bars:
        sources = TrainingSources.open(config)
        material = open_material(config, sources, bars.say)
        features = _embedded(material, processes, bars)
        centres, columns = material.centres, sources.columns
        pool = ImagePool(config, vocabulary, centres, features, columns, device)
        fits = _Fits(config, pool, sources, device, processes, resume)
        manifest = final = material.divided(features)
        parts, best_step = fits.fit(manifest, config.optimiser.steps, folder, bars)
        tuning = None
        if processes.leads:
            tuning = tune(parts, pool, manifest, bars.stage("calibrating"))
        if config.split.refit:
            final = material.finally_divided(features)
            matcher = parts.maps.matcher if parts.maps else None
            again = bars.named("refit: ")
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


def _embedded(material: Material, processes: Processes, bars: _Stages) -> FeatureStore:
    """Features of all images; the leading process works, and the others find them done."""
    features = material.embed(bars.stage("embedding images")) if processes.leads else None
    processes.wait()
    return features or material.embed(lambda done, total: None)


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
        bars: _Stages,
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
        fit = _Fit(
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


@dataclass(slots=True, eq=False, kw_only=True)
class _Fit:
    """One fit under way: what it reads, and what its stages have made so far."""

    config: TrainingConfig
    data: FitData
    run: TrainingRun
    processes: Processes
    resume: bool
    encoder: TorchLocationEncoder
    matcher: MapMatcher | None
    task: ContrastiveTask | None = None
    step: int = 0
    reader: MapReader | None = None
    places: PlaceReader | None = None

    @property
    def reads_maps(self) -> bool:
        """Reader and matcher are small, and the leading process trains them alone."""
        return self.config.reader.steps > 0 and self.processes.leads

    @property
    def lesson(self) -> ReadingLesson:
        """What map readers learn from."""
        data = self.data
        return ReadingLesson(
            data.raw,
            data.training.images[:, : self.config.alignment.whitened].cpu().numpy(),
            data.training.surroundings.cpu().numpy(),
            data.land.surroundings.cpu().numpy(),
        )

    def parts(self, sources: TrainingSources) -> TrainedParts:
        """What all stages have made."""
        assert self.task is not None  # a stage of every fit makes it
        aligner, encoder = self.task.export()
        maps = None
        if self.reader is not None and self.matcher is not None:
            maps = MapComparison(self.reader, self.matcher)
        return TrainedParts(
            config=self.config,
            encoder=encoder,
            aligner=aligner,
            maps=maps,
            places=self.places,
            sources=sources,
        )


def _pretrain_locations(fit: _Fit, report: Progress) -> None:
    """Gives the location space its first shape."""
    places, config = fit.data.training, fit.config
    if config.location.surroundings:
        fit.encoder.fit_surroundings(places.surroundings)
    pretrain_location(fit.encoder, places, config.location, config.seed, report)


def _align(fit: _Fit, report: Progress) -> None:
    """Trains the objective, from a concept basis that is fitted in the location space."""
    objective = OBJECTIVES[fit.config.alignment.objective]
    fit.task = objective(fit.config, fit.data, _initial_aligner(fit), fit.encoder)
    fit.step = train_task(fit.run, fit.task, fit.processes, fit.resume, report)


def _initial_aligner(fit: _Fit) -> TorchAligner:
    config, data, places = fit.config, fit.data, fit.data.training
    embeddings = embed_places(fit.encoder, places, RIDGE_PLACES).cpu().numpy()
    released = config.alignment.init == "geoclip"
    # GeoCLIP compares plain embeddings; ours are centred.
    mean = embeddings.mean(axis=0) * np.float32(not released)
    truth = places.truth[:RIDGE_PLACES].cpu().numpy()
    source = GroundedSource(embeddings - mean, truth, config.location.ridge)
    bank = ConceptBank.build(data.seen, source)
    torch.manual_seed(config.seed)
    aligner = TorchAligner(config.alignment, data.whitening, bank, mean)
    if released:
        aligner.take_released_head(released_head())
    return aligner.to(places.lat_lon.device)


def _read_maps(fit: _Fit, report: Progress) -> None:
    everything = np.arange(len(fit.data.raw))
    reader = train_reader(fit.lesson, everything, fit.config.reader, fit.config.seed, report)
    fit.reader = MapReader(reader.to_tensors())


def _weigh_maps(fit: _Fit, report: Progress) -> None:
    config, data, views = fit.config, fit.data, fit.config.views
    clear_km = math.sqrt(2) * views.size * views.km_per_pixel
    fit.matcher = fit_matcher(
        fit.lesson, data.training, data.gallery, clear_km, config.reader, config.seed, report
    )


def _read_places(fit: _Fit, report: Progress) -> None:
    """What tells places by concepts that no image shows."""
    config, data = fit.config, fit.data
    fit.places = train_place_reader(
        data.unseen, data.known_land, config.place_reader, config.seed, report
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """A part of a fit: its name, whether a fit has it, and its work."""

    name: str
    asked: Callable[[_Fit], bool]
    work: Callable[[_Fit, Progress], None]


STAGES = (
    _Stage(
        "pretraining locations",
        lambda fit: fit.config.location.init == "scratch",
        _pretrain_locations,
    ),
    _Stage("aligning", lambda fit: True, _align),
    _Stage("learning to read maps", lambda fit: fit.reads_maps, _read_maps),
    _Stage(
        "measuring errors of reading",
        lambda fit: fit.reads_maps and fit.matcher is None,
        _weigh_maps,
    ),
    _Stage(
        "learning concepts of places",
        lambda fit: fit.processes.leads and bool(fit.data.unseen.concepts),
        _read_places,
    ),
)


def _say_what_is_left_out(vocabulary: Vocabulary, data: FitData, bars: _Stages) -> None:
    """Names some of the concepts that can't be learnt; a few photographs leave most of them out."""
    left_out = sorted(set(vocabulary.names) - {*data.seen.names, *data.unseen.names})
    if left_out:
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        named = ", ".join(left_out[:NAMED])
        bars.say(f"not learnt, hardly any training place has it: {named}{more}")


class _Stages:
    """Progress bars, one a stage; silent in all processes but the leading one."""

    def __init__(self, bars: Bars, prefix: str = "") -> None:
        self._bars = bars
        self._prefix = prefix

    def named(self, prefix: str) -> _Stages:
        """The same bars, for stages whose names begin so."""
        return _Stages(self._bars, prefix)

    def say(self, text: str) -> None:
        """Writes lines above the bars, as they are: a file's name may look like markup."""
        if not self._bars.disable:
            text = self._prefix + text
            self._bars.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str) -> Progress:
        """Begins a stage; the result takes done and total."""
        task = self._bars.add_task(self._prefix + name, total=None)
        return lambda done, total: self._bars.update(task, completed=done, total=total)


@contextmanager
def _progress_bars(processes: Processes) -> Iterator[_Stages]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, disable=not processes.leads) as bars:
        yield _Stages(bars)
