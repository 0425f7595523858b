"""Fits all parts of a model, stage by stage, to one split of the images or another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geowhy.model.geomodel import GeoModel
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.objectives import OBJECTIVES
from geowhy.training.place_reader_torch import train_place_reader
from geowhy.training.pool import ImagePool
from geowhy.training.processes import Processes, StageBars
from geowhy.training.start import initial_aligner, initial_encoder
from geowhy.training.views import Manifest

__all__ = ["fit"]

NAMED = 20  # concepts


def fit(
    pool: ImagePool,
    processes: Processes,
    resume: bool,
    manifest: Manifest,
    steps: int,
    folder: Path,
    bars: StageBars,
) -> tuple[GeoModel, int]:
    """The model after at most so many steps, in full precision, and the step that it is of.

    Leaves manifest, log and checkpoint in ``folder``, and goes on from that checkpoint to
    ``resume``. The reader of places is small: the leading process alone has it.

    Raises:
        DataError: if the images tell no concept, or the checkpoint is damaged or another run's.
        ConfigError: if the images are too few for what is asked of them.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    config, leads = pool.config, processes.leads
    if leads:
        folder.mkdir(parents=True, exist_ok=True)
        manifest.save(folder / manifest.FILE)
    processes.wait()
    data = pool.fit_data(manifest)
    left_out = sorted({*pool.vocabulary.names} - {*data.seen.names, *data.unseen.names})
    if left_out:  # a few photographs leave most of them out
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        named = ", ".join(left_out[:NAMED])
        bars.say(f"not learnt, hardly any training place has it: {named}{more}")
    encoder = initial_encoder(config, data, pool.device, bars)
    report = bars.stage("aligning")
    aligner = initial_aligner(config, data, encoder)
    task = OBJECTIVES[config.alignment.objective](config, data, aligner, encoder)
    # Another run has other settings, concepts or features; calibration is no part of a checkpoint.
    settings = config.model_dump_json(exclude={"calibration"})
    parts = (settings, pool.vocabulary.digest, pool.features.shards[0].parent.name)
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    run = TrainingRun(config.optimiser, config.seed, steps, digest, folder)
    step = train_task(run, task, processes, resume, report)
    places = None
    if leads and data.unseen.concepts:
        report = bars.stage("learning concepts of places")
        places = train_place_reader(
            data.unseen, data.known_land, config.place_reader, config.seed, report
        )
    alignment, location = task.export()
    backbone = pool.sources.open_backbone()
    return GeoModel(config.name, backbone, location, alignment, places), step
