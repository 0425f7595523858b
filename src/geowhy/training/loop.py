"""The training loop of the concept-aware alignment. It reads from top to bottom."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor, nn

from geowhy.export.backbone_export import LAYOUT_GRID
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.training.aligner import AlignerSides, TorchAligner
from geowhy.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from geowhy.training.config import AlignmentConfig, TrainingConfig
from geowhy.training.dataset import BatchOrder, Candidates, Places
from geowhy.training.features import Progress as Report
from geowhy.training.location_pretraining import embed_places
from geowhy.training.location_torch import TorchLocationEncoder
from geowhy.training.losses import (
    cauchy_schwarz_divergence,
    contrastive_loss,
    grounding_loss,
    literal_divergence,
    median_bandwidth,
    soft_targets,
)
from geowhy.training.processes import Processes
from geowhy.training.symmetry import SYMMETRIES, turned

__all__ = ["AlignmentRun", "train_alignment"]

VALIDATION_SIGMA_KM = 250.0
VALIDATION_TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
VALIDATION_CHUNK = 1000
DIVERGENCES = {"literal": literal_divergence, "cauchy_schwarz": cauchy_schwarz_divergence}


@dataclass(frozen=True, slots=True)
class AlignmentRun:
    """A run: its configuration, its data, and where it keeps its files.

    Attributes:
        validation: which weights are best, and when to stop, is decided on these; without them the
            last weights are the best.
        steps: how many of the steps of the schedule are taken, if no validation stops it before.
        digest: of the configuration and the data; a checkpoint resumes only the run of its digest.
        folder: for ``checkpoint.safetensors`` and ``log.jsonl``.
    """

    config: TrainingConfig
    training: Places
    validation: Places | None
    gallery: Places
    steps: int
    digest: str
    folder: Path

    def negatives(self, order: BatchOrder, step: int) -> Candidates:
        """The places that a step's images are held against."""
        if self.config.alignment.negatives == "land":
            rows = torch.randint(len(self.gallery.units), (order.queue,))
            return self.gallery.candidates(rows, complete=True)
        return self.training.candidates(torch.from_numpy(order.queue_rows(step)), complete=False)


def train_alignment(
    run: AlignmentRun,
    aligner: TorchAligner,
    encoder: TorchLocationEncoder,
    processes: Processes,
    resume: bool,
    on_progress: Report,
) -> int:
    """Trains in place, and leaves the best weights behind; gives the step that they are of.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the step is finished and the checkpoint written.
        DataError: if the checkpoint to resume from is damaged or of another run.
    """
    config = run.config.optimiser
    modules = nn.ModuleDict({"aligner": aligner, "encoder": encoder})
    encoder.requires_grad_(run.config.location.trained)
    optimiser = _optimiser(modules, run.config)
    order = BatchOrder(
        len(run.training.lat_lon), config.batch * processes.count, config.queue, run.config.seed
    )
    checkpoint = run.folder / "checkpoint.safetensors"
    progress, best = Progress(0, math.inf, 0, run.digest), _weights(modules)
    if resume and checkpoint.exists():
        progress, best = load_checkpoint(checkpoint, modules, optimiser, run.digest)
    with _interruptions() as interrupted:
        while not _finished(progress, run):
            losses = _step(run, aligner, encoder, optimiser, order, progress.step, processes)
            progress = replace(progress, step=progress.step + 1)
            if progress.step % config.validate_every == 0 or progress.step == run.steps:
                measured = validation_loss(run, aligner, encoder)
                loss = measured.get("validation", -math.inf)
                if processes.agree(loss <= progress.best_loss):
                    progress = replace(progress, best_loss=loss, best_step=progress.step)
                    best = _weights(modules)
                if processes.leads:
                    _log(run.folder, progress, losses | measured)
                    save_checkpoint(checkpoint, modules, optimiser, best, progress)
            on_progress(progress.step, run.steps)
            if processes.any(interrupted()):
                if processes.leads:
                    save_checkpoint(checkpoint, modules, optimiser, best, progress)
                raise KeyboardInterrupt
    modules.load_state_dict(best)
    return progress.best_step


def _step(
    run: AlignmentRun,
    aligner: TorchAligner,
    encoder: TorchLocationEncoder,
    optimiser: torch.optim.Optimizer,
    order: BatchOrder,
    step: int,
    processes: Processes,
) -> dict[str, float]:
    """One step of this process's part of the batch; gives the losses by name."""
    torch.manual_seed((run.config.seed * 1_000_003 + step) * 1_009 + processes.rank)
    for group in optimiser.param_groups:
        group["lr"] = run.config.optimiser.rate * _rate_factor(step, run.config)
    rows = torch.from_numpy(order.batch_rows(step)).chunk(processes.count)[processes.rank]
    aligner.train()
    encoder.train()
    losses = _losses(run, aligner, encoder, rows, run.negatives(order, step))
    optimiser.zero_grad()
    losses["total"].backward()
    processes.average_gradients([*aligner.parameters(), *encoder.parameters()])
    optimiser.step()
    return {name: float(value.detach()) for name, value in losses.items()}


def _losses(
    run: AlignmentRun,
    aligner: TorchAligner,
    encoder: TorchLocationEncoder,
    rows: Tensor,
    candidates: Candidates,
) -> dict[str, Tensor]:
    """Losses of the images ``rows`` against their own places and the ``candidates``."""
    config, data = run.config.alignment, run.training
    pictures = data.images[rows]
    surroundings = torch.cat([data.surroundings[rows], candidates.surroundings])
    if config.symmetries:
        pictures, surroundings = _turned_alike(pictures, surroundings, config.whitened)
    images = aligner.image_side(pictures)
    embeddings = encoder(torch.cat([data.lat_lon[rows], candidates.lat_lon]), surroundings)
    places = aligner.location_side(embeddings)
    own, other = places.split(len(rows))
    compared = other if candidates.complete else places
    units = data.units[rows]
    held_against = candidates.units if candidates.complete else torch.cat([units, candidates.units])
    targets = soft_targets(units, held_against, config.target_sigma_km)
    logits = aligner.logits(images, compared) + candidates.log_prior
    losses = {"contrastive": contrastive_loss(logits, targets)}
    total = losses["contrastive"]
    if config.objective == "concept":
        losses |= _concept_losses(config, images, own, data.truth[rows])
        total = total + config.divergence_weight * losses["divergence"]
        total = total + config.grounding_weight * losses["grounding"]
    return losses | {"total": total}


def _turned_alike(images: Tensor, surroundings: Tensor, summary: int) -> tuple[Tensor, Tensor]:
    """Views and maps under one random symmetry; the views' layout follows their ``summary``."""
    symmetry = int(torch.randint(SYMMETRIES, ()))
    colours = (images.shape[1] - summary) // LAYOUT_GRID**2
    maps = len(MAP_NAMES) if surroundings.shape[1] else 0
    return (
        turned(images, summary, colours, LAYOUT_GRID, symmetry),
        turned(surroundings, 0, maps, MAP_GRID, symmetry),
    )


def _concept_losses(
    config: AlignmentConfig,
    images: AlignerSides,
    places: AlignerSides,
    truth: Tensor,
) -> dict[str, Tensor]:
    """Divergence (eq. 6) and grounding of paired images and places."""
    sigma = median_bandwidth(images.concepts, places.concepts)
    divergence = DIVERGENCES[config.divergence]
    grounding = grounding_loss(images.told, truth) + grounding_loss(places.told, truth)
    return {
        "divergence": divergence(images.concepts, places.concepts, sigma),
        "grounding": grounding,
    }


@torch.no_grad()
def validation_loss(
    run: AlignmentRun, aligner: TorchAligner, encoder: TorchLocationEncoder
) -> dict[str, float]:
    """``validation``: InfoNCE of these views over the whole gallery, with targets 250 km wide.

    It is taken at the best of some temperatures: calibration will choose one anyhow, and a model
    that knows more shall not lose for being too sure. Without validation views there is none.
    """
    if run.validation is None:
        return {}
    aligner.eval()
    gallery = aligner.location_side(embed_places(encoder, run.gallery))
    totals = torch.zeros(len(VALIDATION_TEMPERATURES))
    for rows in torch.arange(len(run.validation.units)).split(VALIDATION_CHUNK):
        logits = aligner.logits(aligner.image_side(run.validation.images[rows]), gallery)
        targets = soft_targets(run.validation.units[rows], run.gallery.units, VALIDATION_SIGMA_KM)
        losses = [contrastive_loss(logits / t, targets) for t in VALIDATION_TEMPERATURES]
        totals += torch.stack(losses).cpu() * len(rows)
    return {"validation": float(totals.min()) / len(run.validation.units)}


def _optimiser(modules: nn.ModuleDict, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW; biases and the temperature aren't decayed."""
    trainable = [p for p in modules.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in trainable if p.ndim > 1],
            "weight_decay": config.optimiser.weight_decay,
        },
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.optimiser.rate)


def _rate_factor(step: int, config: TrainingConfig) -> float:
    """Linear warm-up, then half a cosine down to 0."""
    done = (step + 1) / config.optimiser.steps
    if done < config.optimiser.warm_up:
        return done / config.optimiser.warm_up
    return 0.5 * (
        1 + math.cos(math.pi * (done - config.optimiser.warm_up) / (1 - config.optimiser.warm_up))
    )


def _finished(progress: Progress, run: AlignmentRun) -> bool:
    """All steps done, or no better validation for ``patience`` of them."""
    optimiser = run.config.optimiser
    idle = progress.step - progress.best_step
    patience = optimiser.patience * optimiser.validate_every
    return progress.step >= run.steps or (progress.best_step > 0 and idle >= patience)


def _weights(modules: nn.ModuleDict) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in modules.state_dict().items()}


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
