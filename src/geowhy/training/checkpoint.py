"""Saves and restores a run in the middle, as safetensors: nothing pickled, never half written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from geowhy.assets.files import appearing_whole
from geowhy.errors import DataError

__all__ = ["Progress", "load_checkpoint", "save_checkpoint"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        step: steps done.
        best_loss: lowest validation loss so far.
        best_step: the step that had it.
        run: digest of the configuration and the data, so that a run resumes only itself.
    """

    step: int
    best_loss: float
    best_step: int
    run: str


def save_checkpoint(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    best: dict[str, Tensor],
    progress: Progress,
) -> None:
    """Writes weights, the optimiser's moments, the best weights so far, and the progress."""
    tensors = {f"model/{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{name}": value for name, value in moments.items()}
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with appearing_whole(path) as partial:
        save_file(whole, partial, metadata={"progress": json.dumps(asdict(progress))})


def load_checkpoint(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, run: str
) -> tuple[Progress, dict[str, Tensor]]:
    """Restores ``module`` and ``optimiser`` in place; gives the progress and the best weights.

    Raises:
        DataError: if the file is damaged or belongs to another run.
    """
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: damaged checkpoint ({error}): delete it and train anew"
        ) from error
    if progress.run != run:
        raise DataError(
            f"{path}: checkpoint of another configuration or other data: resume with the one that "
            "it was made with, or choose another --output"
        )
    module.load_state_dict(_group(tensors, "model/"))
    state = optimiser.state_dict()
    for name, value in _group(tensors, "optimiser/").items():
        index, moment = name.split("/")
        state["state"].setdefault(int(index), {})[moment] = value
    optimiser.load_state_dict(state)
    return progress, _group(tensors, "best/")


def _group(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
