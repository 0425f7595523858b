"""The training loop: optimiser, schedule, checkpoints and processes, whatever the task is."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from geowhy.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from geowhy.training.config import OptimiserConfig
from geowhy.training.dataset import BatchOrder
from geowhy.training.features import Progress as Report
from geowhy.training.processes import Processes
from geowhy.training.task import Batch, Task

__all__ = ["TrainingRun", "train_task"]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """How long a run goes on, and where it keeps its files.

    Attributes:
        optimiser: its schedule.
        seed: of the order of samples, and of the chance in each step.
        steps: how many of the steps of the schedule are taken, if no validation stops it before.
        digest: of the configuration and the data; a checkpoint resumes only the run of its digest.
        folder: for ``checkpoint.safetensors`` and ``log.jsonl``.
    """

    optimiser: OptimiserConfig
    seed: int
    steps: int
    digest: str
    folder: Path


def train_task(
    run: TrainingRun, task: Task[Any], processes: Processes, resume: bool, on_progress: Report
) -> int:
    """Trains in place, and leaves the best weights behind; gives the step that they are of.

    Without a validation the last weights are the best.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the step is finished and the checkpoint written.
        DataError: if the checkpoint to resume from is damaged or of another run.
    """
    config, module = run.optimiser, task.module
    optimiser = _optimiser(module, config)
    order = BatchOrder(task.samples, config.batch * processes.count, config.queue, run.seed)
    checkpoint = run.folder / "checkpoint.safetensors"
    progress, best = Progress(0, math.inf, 0, run.digest), _weights(module)
    if resume and checkpoint.exists():
        progress, best = load_checkpoint(checkpoint, module, optimiser, run.digest)
    losses_of = processes.sharing_gradients(_Losses(task))
    with _interruptions() as interrupted:
        while not _finished(progress, run):
            losses = _step(run, losses_of, optimiser, order, progress.step, processes)
            progress = replace(progress, step=progress.step + 1)
            if progress.step % config.validate_every == 0 or progress.step == run.steps:
                measured = task.validation()
                loss = measured.get("validation", -math.inf)
                if processes.agree(loss <= progress.best_loss):
                    progress = replace(progress, best_loss=loss, best_step=progress.step)
                    best = _weights(module)
                if processes.leads:
                    _log(run.folder, progress, losses | measured)
                    save_checkpoint(checkpoint, module, optimiser, best, progress)
            on_progress(progress.step, run.steps)
            if processes.any(interrupted()):
                if processes.leads:
                    save_checkpoint(checkpoint, module, optimiser, best, progress)
                raise KeyboardInterrupt
    module.load_state_dict(best)
    return progress.best_step


def _step(
    run: TrainingRun,
    losses_of: nn.Module,
    optimiser: torch.optim.Optimizer,
    order: BatchOrder,
    step: int,
    processes: Processes,
) -> dict[str, float]:
    """One step of this process's part of the batch; gives the losses by name."""
    torch.manual_seed((run.seed * 1_000_003 + step) * 1_009 + processes.rank)
    for group in optimiser.param_groups:
        group["lr"] = run.optimiser.rate * _rate_factor(step, run.optimiser)
    rows = torch.from_numpy(order.batch_rows(step)).chunk(processes.count)[processes.rank]
    losses_of.train()
    losses: dict[str, Tensor] = losses_of(Batch(rows, order, step))
    optimiser.zero_grad()
    losses["total"].backward()
    optimiser.step()
    return {name: float(value.detach()) for name, value in losses.items()}


class _Losses(nn.Module):
    """A task as a module: what processes share are gradients of a module's output."""

    def __init__(self, task: Task[Any]) -> None:
        super().__init__()
        self.trained = task.module
        self._losses = task.losses

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        losses = self._losses(batch)
        return {name: x if name == "total" else x.detach() for name, x in losses.items()}


def _optimiser(module: nn.Module, config: OptimiserConfig) -> torch.optim.Optimizer:
    """AdamW; biases and single numbers, such as a temperature, aren't decayed."""
    trainable = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.rate)


def _rate_factor(step: int, config: OptimiserConfig) -> float:
    """Linear warm-up, then half a cosine down to 0."""
    done = (step + 1) / config.steps
    if done < config.warm_up:
        return done / config.warm_up
    return 0.5 * (1 + math.cos(math.pi * (done - config.warm_up) / (1 - config.warm_up)))


def _finished(progress: Progress, run: TrainingRun) -> bool:
    """All steps done, or no better validation for ``patience`` of them."""
    idle = progress.step - progress.best_step
    patience = run.optimiser.patience * run.optimiser.validate_every
    return progress.step >= run.steps or (progress.best_step > 0 and idle >= patience)


def _weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _log(folder: Path, progress: Progress, losses: dict[str, float]) -> None:
    """Adds a line of JSON; what a resumed run writes again stands twice, with the same numbers."""
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": progress.step, **losses}) + "\n")


@contextmanager
def _interruptions() -> Iterator[_Asked]:
    """Turns Ctrl-C into a question that the loop asks between steps."""
    asked = _Asked()
    previous = signal.signal(signal.SIGINT, asked.note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, previous)


class _Asked:
    """Whether the user asked to stop."""

    def __init__(self) -> None:
        self.stop = False

    def note(self, _signal: int, _frame: FrameType | None) -> None:
        self.stop = True

    def __call__(self) -> bool:
        return self.stop
