"""GeoCLIP's objective: an image and its place are alike, an image and other places are not."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from geowhy.model.alignment import ConceptAligner
from geowhy.model.location import LocationEncoder
from geowhy.training.aligner import AlignerSides, TorchAligner
from geowhy.training.config import FitConfig
from geowhy.training.dataset import AlignmentData, soft_targets, turned_alike
from geowhy.training.location_torch import TorchLocationEncoder, embed_places
from geowhy.training.loop import Batch
from geowhy.training.regression import tensors_of

__all__ = ["ContrastiveTask", "contrastive_loss"]

VALIDATION_SIGMA_KM = 250.0
VALIDATION_TEMPERATURES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
VALIDATION_CHUNK = 1000


def contrastive_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """InfoNCE from images to locations (eq. 4), for soft ``targets``; both ``[N, M]``."""
    return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


class ContrastiveTask:
    """Aligns images with the places they were taken at; a `geowhy.training.loop.Task`."""

    def __init__(
        self,
        config: FitConfig,
        data: AlignmentData,
        aligner: TorchAligner,
        encoder: TorchLocationEncoder,
    ) -> None:
        """Trains both modules in place, the encoder only if the configuration says so."""
        encoder.requires_grad_(config.location.trained)
        self.module: nn.Module = nn.ModuleDict({"aligner": aligner, "encoder": encoder})
        self.samples = len(data.training.lat_lon)
        self._config, self._data = config.alignment, data
        self._aligner, self._encoder = aligner, encoder

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Of the images of the batch against their own places and the negatives."""
        config, known, land = self._config, self._data.training, self._data.land
        own = known[batch.rows]
        from_land = config.negatives == "land"
        if from_land:
            negatives = land[torch.randint(len(land.units), (batch.order.queue,))]
        else:
            negatives = known[torch.from_numpy(batch.order.queue_rows(batch.step))]
        pictures = own.images
        surroundings = torch.cat([own.surroundings, negatives.surroundings])
        if config.symmetries:
            pictures, surroundings = turned_alike(pictures, surroundings, config.whitened)
        images = self._aligner.image_side(pictures)
        lat_lon = torch.cat([own.lat_lon, negatives.lat_lon])
        places = self._aligner.location_side(self._encoder(lat_lon, surroundings))
        at_own, at_negatives = places[: len(own.units)], places[len(own.units) :]
        if from_land:  # which stands for the whole Earth
            targets = soft_targets(own.units, negatives.units, config.target_sigma_km)
            logits = self._aligner.logits(images, at_negatives) + negatives.log_prior
        else:
            units = torch.cat([own.units, negatives.units])
            targets = soft_targets(own.units, units, config.target_sigma_km)
            logits = self._aligner.logits(images, places)
        total = contrastive_loss(logits, targets)
        losses = {"contrastive": total}
        for name, weight, loss in self.paired_losses(images, at_own, own.truth):
            losses[name] = loss
            total = total + weight * loss
        return losses | {"total": total}

    def paired_losses(
        self, images: AlignerSides, places: AlignerSides, truth: Tensor
    ) -> Iterator[tuple[str, float, Tensor]]:
        """What an objective adds for images and their own places: name, weight, loss; here nothing.

        ``truth`` is that of the concepts at the places ``[N, k]``.
        """
        yield from ()

    @torch.no_grad()
    def validation(self) -> dict[str, float]:
        """InfoNCE of the validation images over all the land, with targets 250 km wide.

        It is taken at the best of some temperatures: calibration will choose one anyhow, and a
        model that knows more shall not lose for being too sure. Without such images there is none.
        """
        held_out, land = self._data.validation, self._data.land
        if held_out is None:
            return {}
        self._aligner.eval()
        gallery = self._aligner.location_side(embed_places(self._encoder, land))
        totals = torch.zeros(len(VALIDATION_TEMPERATURES))
        for rows in torch.arange(len(held_out.units)).split(VALIDATION_CHUNK):
            images = self._aligner.image_side(held_out.images[rows])
            logits = self._aligner.logits(images, gallery)
            targets = soft_targets(held_out.units[rows], land.units, VALIDATION_SIGMA_KM)
            losses = [contrastive_loss(logits / t, targets) for t in VALIDATION_TEMPERATURES]
            totals += torch.stack(losses).cpu() * len(rows)
        return {"validation": float(totals.min()) / len(held_out.units)}

    def export(self) -> tuple[ConceptAligner, LocationEncoder]:
        """The same alignment and location encoder in numpy."""
        aligner, encoder = self._aligner, self._encoder
        return (
            ConceptAligner(tensors_of(aligner), aligner.bank, aligner.space),
            LocationEncoder.from_tensors(tensors_of(encoder), encoder.architecture),
        )
