"""Fits all parts of a model, stage by stage, to one split of the images or another."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geowhy.model.geomodel import GeoModel
from geowhy.model.maps import MapComparison, MapMatcher, MapReader
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.objectives import OBJECTIVES
from geowhy.training.place_reader_torch import train_place_reader
from geowhy.training.pool import FitData, ImagePool
from geowhy.training.processes import Processes, StageBars
from geowhy.training.reader_torch import ReadingLesson, fit_matcher, train_reader
from geowhy.training.regression import tensors_of
from geowhy.training.start import initial_aligner, initial_encoder
from geowhy.training.views import Manifest

__all__ = ["Fitter"]

NAMED = 20  # concepts


@dataclass(frozen=True, slots=True, eq=False)
class Fitter:
    """What all fits of a run share; ``resume`` goes on from the checkpoints that are there."""

    pool: ImagePool
    processes: Processes
    resume: bool

    def fit(
        self,
        manifest: Manifest,
        steps: int,
        folder: Path,
        bars: StageBars,
        matcher: MapMatcher | None = None,
    ) -> tuple[GeoModel, int]:
        """The model after at most so many steps, in full precision, and the step that it is of.

        Leaves manifest, log and checkpoint in ``folder``. A ``matcher`` that is there already is
        taken as it is. Readers of maps and places are small: the leading process alone has them.

        Raises:
            DataError: if the images tell no concept, or the checkpoint is damaged or another run's.
            ConfigError: if the images are too few for what is asked of them.
            KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
        """
        config, leads = self.pool.config, self.processes.leads
        if leads:
            folder.mkdir(parents=True, exist_ok=True)
            manifest.save(folder / manifest.FILE)
        self.processes.wait()
        data = self.pool.fit_data(manifest)
        learnt = {*data.seen.names, *data.unseen.names}
        left_out = sorted(set(self.pool.vocabulary.names) - learnt)
        if left_out:  # a few photographs leave most of them out
            more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
            named = ", ".join(left_out[:NAMED])
            bars.say(f"not learnt, hardly any training place has it: {named}{more}")
        encoder = initial_encoder(config, data, self.pool.device, bars)
        report = bars.stage("aligning")
        aligner = initial_aligner(config, data, encoder)
        task = OBJECTIVES[config.alignment.objective](config, data, aligner, encoder)
        run = TrainingRun(config.optimiser, config.seed, steps, self._digest(), folder)
        step = train_task(run, task, self.processes, self.resume, report)
        maps = self._maps(data, matcher, bars) if leads and config.reader.steps else None
        places = None
        if leads and data.unseen.concepts:
            report = bars.stage("learning concepts of places")
            places = train_place_reader(
                data.unseen, data.known_land, config.place_reader, config.seed, report
            )
        alignment, location = task.export()
        backbone = self.pool.sources.open_backbone()
        return GeoModel(config.name, backbone, location, alignment, maps, places), step

    def _digest(self) -> str:
        """Names the run: other settings, concepts or features make it another one."""
        features = self.pool.features.shards[0].parent.name
        # Calibration comes after all that a checkpoint holds.
        config = self.pool.config.model_dump_json(exclude={"calibration"})
        parts = (config, self.pool.vocabulary.digest, features)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _maps(self, data: FitData, matcher: MapMatcher | None, bars: StageBars) -> MapComparison:
        config = self.pool.config
        summary = data.training.images[:, : config.alignment.whitened]
        around = data.training.surroundings, data.land.surroundings
        lesson = ReadingLesson(data.raw, *(part.cpu().numpy() for part in (summary, *around)))
        report = bars.stage("learning to read maps")
        everything = np.arange(len(data.raw))
        reader = train_reader(lesson, everything, config.reader, config.seed, report)
        if matcher is None:
            report = bars.stage("measuring errors of reading")
            clear_km = math.sqrt(2) * config.views.size * config.views.km_per_pixel
            places = data.training, data.gallery
            matcher = fit_matcher(lesson, *places, clear_km, config.reader, config.seed, report)
        return MapComparison(MapReader(tensors_of(reader)), matcher)
