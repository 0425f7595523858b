"""The training loop: optimiser, schedule, checkpoints and processes, whatever the task is.

`Task` is the contract between an objective, which is one file, and the loop. Checkpoints are
safetensors: nothing pickled, never half written.
"""

from __future__ import annotations

import json
import math
import signal
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from geowhy.assets.files import appearing_whole
from geowhy.errors import DataError
from geowhy.training.config import OptimiserConfig
from geowhy.training.dataset import BatchOrder
from geowhy.training.features import Progress
from geowhy.training.processes import Processes

__all__ = ["Batch", "Task", "TrainingRun", "share_of_rate", "train_task"]

Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The samples ``[N]`` that this process learns from in one step, of the order of all."""

    rows: Tensor
    order: BatchOrder
    step: int


class Task(Protocol):
    """An objective with its data and the module that it trains.

    The loop owns the optimiser, the schedule, checkpoints and processes, and seeds torch before
    each step; chance in `losses` comes from torch's generator alone.
    """

    module: nn.Module  # is optimised, saved and resumed; in training mode when `losses` is called
    samples: int  # how many there are to draw batches from

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars by name, for the log; ``total`` is minimised, a mean over the batch's rows."""

    def validation(self) -> dict[str, float]:
        """``validation``: the weights are best, and kept, where it is least; or nothing."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """How long a run goes on, and where it keeps ``checkpoint.safetensors`` and ``log.jsonl``."""

    optimiser: OptimiserConfig
    seed: int  # of the order of samples and of the chance in each step
    steps: int  # of the schedule, if no validation stops it before
    digest: str  # of configuration and data: a checkpoint resumes only the run of its digest
    folder: Path


@dataclass(frozen=True, slots=True)
class _State:
    """How far the run of a digest is, and which of its steps had the lowest validation loss."""

    step: int
    best_loss: float
    best_step: int
    run: str


def train_task(
    run: TrainingRun, task: Task, processes: Processes, resume: bool, on_progress: Progress
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
    state, best = _State(0, math.inf, 0, run.digest), _weights(module)
    if resume and checkpoint.exists():
        state, best = _load(checkpoint, module, optimiser, run.digest)
    losses_of = processes.sharing_gradients(_Losses(task))
    patience = config.patience * config.validate_every
    interruptions = list[int]()  # Ctrl-C waits for the end of a step
    previous = signal.signal(signal.SIGINT, lambda number, _: interruptions.append(number))
    try:
        while state.step < run.steps:
            if state.best_step > 0 and state.step - state.best_step >= patience:
                break
            losses = _step(run, losses_of, optimiser, order, state.step, processes)
            state = replace(state, step=state.step + 1)
            if state.step % config.validate_every == 0 or state.step == run.steps:
                measured = task.validation()
                loss = measured.get("validation", -math.inf)
                # The leading process decides.
                if processes.any(processes.leads and loss <= state.best_loss):
                    state = replace(state, best_loss=loss, best_step=state.step)
                    best = _weights(module)
                if processes.leads:
                    # What a resumed run writes again stands twice, with the same numbers.
                    with (run.folder / "log.jsonl").open("a", encoding="utf-8") as log:
                        log.write(json.dumps({"step": state.step, **losses, **measured}) + "\n")
                    _save(checkpoint, module, optimiser, best, state)
            on_progress(state.step, run.steps)
            if processes.any(bool(interruptions)):
                if processes.leads:
                    _save(checkpoint, module, optimiser, best, state)
                raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, previous)
    module.load_state_dict(best)
    return state.best_step


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
        group["lr"] = run.optimiser.rate * share_of_rate(run.optimiser, step)
    rows = torch.from_numpy(order.batch_rows(step)).chunk(processes.count)[processes.rank]
    losses_of.train()
    losses: dict[str, Tensor] = losses_of(Batch(rows, order, step))
    optimiser.zero_grad()
    losses["total"].backward()
    optimiser.step()
    return {name: float(value.detach()) for name, value in losses.items()}


def share_of_rate(config: OptimiserConfig, step: int) -> float:
    """How much of the rate a step takes: in each cycle it warms up, then falls to nothing."""
    cycle = (step // config.steps + 1).bit_length() - 1
    first, length = config.steps * ((1 << cycle) - 1), config.steps << cycle
    done, warm_up = (step - first + 1) / length, config.warm_up
    if done < warm_up:
        return done / warm_up
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


class _Losses(nn.Module):
    """A task as a module: what processes share are gradients of a module's output."""

    def __init__(self, task: Task) -> None:
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


def _weights(module: nn.Module) -> Weights:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _save(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, best: Weights, state: _State
) -> None:
    """Writes weights, the optimiser's moments, the best weights so far, and the state."""
    tensors = {f"model/{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{name}": value for name, value in moments.items()}
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with appearing_whole(path) as partial:
        save_file(whole, partial, metadata={"progress": json.dumps(asdict(state))})


def _load(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, run: str
) -> tuple[_State, Weights]:
    """Restores ``module`` and ``optimiser`` in place; gives the state and the best weights."""
    groups: dict[str, Weights] = {"model": {}, "best": {}, "optimiser": {}}
    try:
        with safe_open(path, framework="pt") as file:
            state = _State(**json.loads(file.metadata()["progress"]))
            for name in file.keys():  # noqa: SIM118
                group, own_name = name.split("/", 1)
                groups[group][own_name] = file.get_tensor(name)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: damaged checkpoint ({error}): delete it and train anew"
        ) from error
    if state.run != run:
        raise DataError(
            f"{path}: checkpoint of another configuration or other data: resume with the one that "
            "it was made with, or choose another --output"
        )
    module.load_state_dict(groups["model"])
    moments = optimiser.state_dict()
    for name, value in groups["optimiser"].items():
        index, moment = name.split("/")
        moments["state"].setdefault(int(index), {})[moment] = value
    optimiser.load_state_dict(moments)
    return state, groups["best"]
