"""Trains the orbit model: ``geowhy train configs/orbit.toml``, read from top to bottom."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from geowhy.errors import ConfigError
from geowhy.images.worlds import find_world, open_world
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.orbit.assembling import assembled
from geowhy.training.orbit.calibration import calibrate
from geowhy.training.orbit.config import OrbitConfig
from geowhy.training.orbit.describing import TurnedNetwork
from geowhy.training.orbit.pairs import REFERENCE, PairSource
from geowhy.training.orbit.task import OrbitTask
from geowhy.training.processes import Processes, StageBars, joined_processes, progress_bars

__all__ = ["train_orbit"]


def train_orbit(
    config_path: Path, output: Path | None = None, device: str = "cpu", resume: bool = False
) -> Path:
    """Trains a model and gives its folder, ``output/model``; ``output`` is ``runs/NAME`` if None.

    Raises:
        ConfigError: if the configuration or the device can't be used, or a world is kept for
            measuring.
        ModelNotFoundError: if a world isn't on this machine; says how to get it.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    config = OrbitConfig.load(config_path)
    if device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"--device {device}: torch sees no GPU here: use --device cpu")
    _check_roles(config, config_path)
    folder = output or Path("runs") / config.name
    folder.mkdir(parents=True, exist_ok=True)
    names = {REFERENCE, *config.pairs.worlds, *config.verdict.worlds}
    worlds = {name: open_world(name) for name in sorted(names)}
    source = PairSource(worlds, config.pairs, config.look, device)
    with joined_processes(device) as processes, progress_bars(processes) as bars:
        network = _trained(config, source, folder, processes, bars, resume)
    if processes.leads:  # the others are done: what follows takes longer than they may wait
        if processes.count > 1:
            torch.set_num_threads(os.cpu_count() or 1)
        with progress_bars(processes) as bars:
            parts = assembled(config, source, network, folder, bars, resume)
            torch.manual_seed(config.seed)
            calibrate(parts, source, folder / "model", bars.stage("laying pictures on the map"))
    return folder / "model"


def _check_roles(config: OrbitConfig, path: Path) -> None:
    """That nothing is learnt from worlds that are kept for measuring."""
    allowed = {"pairs.worlds": ("reference", "training"), "verdict.worlds": ("calibration",)}
    shown = {"pairs.worlds": tuple(config.pairs.worlds), "verdict.worlds": config.verdict.worlds}
    for key, names in shown.items():
        for name in names:
            role = find_world(name).role
            if role not in allowed[key]:
                raise ConfigError(
                    f"{path}: {key}: {name} is kept apart ({role.replace('_', ' ')}): give worlds "
                    f"for {' or '.join(allowed[key])} alone"
                )


def _trained(
    config: OrbitConfig,
    source: PairSource,
    folder: Path,
    processes: Processes,
    bars: StageBars,
    resume: bool,
) -> TurnedNetwork:
    """The network, trained by all processes."""
    task = OrbitTask(config, source, source.device)
    steps = config.optimiser.total_steps
    run = TrainingRun(config.optimiser, config.seed, steps, config.digest, folder)
    train_task(run, task, processes, resume, bars.stage("training"))
    return TurnedNetwork(task.network).eval()
