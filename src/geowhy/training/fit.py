"""One fit of all parts of a model, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.sources import GroundedSource
from geowhy.model.maps import MapComparison, MapMatcher, MapReader
from geowhy.model.place_reader import PlaceReader
from geowhy.training.aligner import TorchAligner
from geowhy.training.config import TrainingConfig
from geowhy.training.features import Progress
from geowhy.training.location_torch import (
    TorchLocationEncoder,
    embed_places,
    pretrain_location,
)
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.objectives import OBJECTIVES
from geowhy.training.objectives.contrastive import ContrastiveTask
from geowhy.training.packaging import TrainedParts
from geowhy.training.place_reader_torch import train_place_reader
from geowhy.training.pool import FitData
from geowhy.training.processes import Processes
from geowhy.training.reader_torch import ReadingLesson, fit_matcher, train_reader
from geowhy.training.sources import TrainingSources, released_head

__all__ = ["STAGES", "Fit"]

RIDGE_PLACES = 20_000


@dataclass(slots=True, eq=False, kw_only=True)
class Fit:
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


def _pretrain_locations(fit: Fit, report: Progress) -> None:
    """Gives the location space its first shape."""
    places, config = fit.data.training, fit.config
    if config.location.surroundings:
        fit.encoder.fit_surroundings(places.surroundings)
    pretrain_location(fit.encoder, places, config.location, config.seed, report)


def _align(fit: Fit, report: Progress) -> None:
    """Trains the objective, from a concept basis that is fitted in the location space."""
    objective = OBJECTIVES[fit.config.alignment.objective]
    fit.task = objective(fit.config, fit.data, _initial_aligner(fit), fit.encoder)
    fit.step = train_task(fit.run, fit.task, fit.processes, fit.resume, report)


def _initial_aligner(fit: Fit) -> TorchAligner:
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


def _read_maps(fit: Fit, report: Progress) -> None:
    everything = np.arange(len(fit.data.raw))
    reader = train_reader(fit.lesson, everything, fit.config.reader, fit.config.seed, report)
    fit.reader = MapReader(reader.to_tensors())


def _weigh_maps(fit: Fit, report: Progress) -> None:
    config, data, views = fit.config, fit.data, fit.config.views
    clear_km = math.sqrt(2) * views.size * views.km_per_pixel
    fit.matcher = fit_matcher(
        fit.lesson, data.training, data.gallery, clear_km, config.reader, config.seed, report
    )


def _read_places(fit: Fit, report: Progress) -> None:
    """What tells places by concepts that no image shows."""
    config, data = fit.config, fit.data
    fit.places = train_place_reader(
        data.unseen, data.known_land, config.place_reader, config.seed, report
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """A part of a fit: its name, whether a fit has it, and its work."""

    name: str
    asked: Callable[[Fit], bool]
    work: Callable[[Fit, Progress], None]


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
