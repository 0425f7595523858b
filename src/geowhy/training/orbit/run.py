"""Trains the orbit model: ``geowhy train configs/orbit.toml``, read from top to bottom."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from geowhy.errors import ConfigError
from geowhy.images.worlds import find_world, open_world
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.orbit.config import OrbitConfig
from geowhy.training.orbit.pairs import REFERENCE, PairSource
from geowhy.training.orbit.task import OrbitTask
from geowhy.training.processes import joined_processes, progress_bars

__all__ = ["train_orbit"]

ALLOWED = ("reference", "training")  # roles of worlds that queries may show


def train_orbit(
    config_path: Path, output: Path | None = None, device: str = "cpu", resume: bool = False
) -> Path:
    """Trains a model and gives its folder, ``output/model``; ``output`` is ``runs/NAME`` if None.

    Raises:
        ConfigError: if the configuration or the device can't be used, or a world is kept
            apart.
        ModelNotFoundError: if a world isn't on this machine; says how to get it.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    config = OrbitConfig.load(config_path)
    if device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"--device {device}: torch sees no GPU here: use --device cpu")
    for name in config.pairs.worlds:
        role = find_world(name).role
        if role not in ALLOWED:
            raise ConfigError(
                f"{config_path}: pairs.worlds: {name} is kept apart ({role.replace('_', ' ')}): "
                "no network is trained on it; take it out"
            )
    folder = output or Path("runs") / config.name
    folder.mkdir(parents=True, exist_ok=True)
    with joined_processes(device) as processes, progress_bars(processes) as bars:
        worlds = {name: open_world(name) for name in {REFERENCE, *config.pairs.worlds}}
        source = PairSource(worlds, config.pairs, config.look, device)
        task = OrbitTask(config, source, device)
        steps = config.optimiser.steps
        digest = hashlib.sha256(config.model_dump_json().encode()).hexdigest()
        run = TrainingRun(config.optimiser, config.seed, steps, digest, folder)
        train_task(run, task, processes, resume, bars.stage("training"))
        processes.wait()
    return folder / "model"
