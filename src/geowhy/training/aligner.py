"""The networks of the concept-aware alignment, as they are trained.

`geowhy.model.alignment` runs `TorchAligner.forward` as exported by ``scripts/build_networks.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from geowhy.arrays import Floats32
from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ConfigError
from geowhy.model.alignment import Space
from geowhy.training.config import AlignmentConfig

__all__ = ["AlignerSides", "TorchAligner", "Whitening", "fit_whitening", "standardising"]

FEATURE_LIMIT = 6.0  # standard deviations; a stray feature shall not drown the others


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """A fixed linear map of backbone features: ``mean`` ``[f]``, ``spread`` ``[f]``, ``[f, w]``."""

    mean: Floats32
    spread: Floats32
    projection: Floats32

    def __call__(self, features: Floats32) -> Floats32:
        """Features ``[N, f]`` to ``[N, w]``."""
        arrays = (features, self.mean, self.spread, self.projection)
        found: Floats32 = _whitened(*(torch.from_numpy(array) for array in arrays)).numpy()
        return found


def _whitened(features: Tensor, mean: Tensor, spread: Tensor, projection: Tensor) -> Tensor:
    standard = (features - mean) / spread
    return standard.clamp(-FEATURE_LIMIT, FEATURE_LIMIT) @ projection


def fit_whitening(features: Floats32, size: int, layout_grid: int) -> Whitening:
    """Standardises features ``[N, f]``, and projects all but their layout to ``[N, size]``.

    The ``size`` strongest principal components are kept, each divided by the square root of its
    deviation, half way to a full whitening: the weak ones, mostly noise, stay weaker than the
    strong ones. All together then have the mean square 1. The layout, three colours on a grid,
    comes after them as it is; all fields of a colour share mean and spread, so that a mirrored
    layout is a layout. With a ``layout_grid`` of 0 there is none.

    Raises:
        ConfigError: if ``size`` is more than there is beside the layout.
    """
    layout = 3 * layout_grid**2
    statistics = features.shape[1] - layout
    if size > statistics:
        raise ConfigError(
            f"alignment.whitened is {size}, but the backbone has only {statistics} statistics: "
            "lower it"
        )
    mean, spread = _moments(features)
    for moment in (mean, spread) if layout_grid else ():
        colours = moment[statistics:].reshape(3, -1).mean(axis=1)
        moment[statistics:] = colours.repeat(layout_grid**2)
    standard = np.clip((features - mean) / spread, -FEATURE_LIMIT, FEATURE_LIMIT)
    summary = standard[:, :statistics]
    variances, directions = np.linalg.eigh(summary.T @ summary / len(summary))
    strongest = np.argsort(variances)[::-1][:size]
    components = directions[:, strongest] / np.maximum(variances[strongest], 1e-6) ** 0.25
    projection = np.zeros((features.shape[1], size + layout), np.float32)
    projection[:statistics, :size] = components / (summary[:10_000] @ components).std()
    projection[statistics:, size:] = np.eye(layout)
    return Whitening(mean, spread, projection)


def standardising(features: Floats32) -> Whitening:
    """Standardises features ``[N, f]``, and projects them nowhere: for a head that reads them all.

    They are clipped like all others.
    """
    return Whitening(*_moments(features), np.eye(features.shape[1], dtype=np.float32))


def _moments(features: Floats32) -> tuple[Floats32, Floats32]:
    return features.mean(axis=0), features.std(axis=0) + 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class AlignerSides:
    """N images or places as the model compares them."""

    embedding: Tensor  # rows of length 1, [N, d]
    concepts: Tensor  # rows of z scaled to length 1, [N, k]
    scores: Tensor  # z itself, in standard deviations, [N, k]

    def __getitem__(self, rows: slice) -> AlignerSides:
        return AlignerSides(self.embedding[rows], self.concepts[rows], self.scores[rows])


class TorchAligner(nn.Module):
    """The alignment module; its ``state_dict`` has the names that `ConceptAligner` takes."""

    def __init__(
        self,
        config: AlignmentConfig,
        whitening: Whitening,
        bank: ConceptBank,
        location_mean: Floats32,
    ) -> None:
        """Random head and ``f_img`` from torch's generator; Δ starts at 0. The mean is ``[d]``."""
        super().__init__()
        self.space: Space = "embedding" if config.objective == "geoclip" else config.space
        self.feature_mean = nn.Buffer(torch.tensor(whitening.mean))
        self.feature_spread = nn.Buffer(torch.tensor(whitening.spread))
        self.whitening = nn.Buffer(torch.tensor(whitening.projection))
        self.location_mean = nn.Buffer(torch.tensor(location_mean))
        self.bank = bank
        self.directions = nn.Buffer(torch.tensor(bank.directions), persistent=False)
        size, concepts = bank.directions.shape
        self.head_0 = nn.Linear(whitening.projection.shape[1], config.hidden)
        self.head_1 = nn.Linear(config.hidden, size)
        self.concept_0 = nn.Linear(size, config.concept_hidden)
        self.concept_1 = nn.Linear(config.concept_hidden, concepts)
        self.offset = nn.Parameter(torch.zeros(size, concepts))
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / config.initial_temperature)))
        self.dropout = nn.Dropout(config.dropout)
        self.summary_dropout, self.summary = config.summary_dropout, config.whitened

    @torch.no_grad()
    def take_released_head(self, head: Mapping[str, Floats32]) -> None:
        """Starts as GeoCLIP's head and temperature, with the same embeddings and scores.

        Its first layer reads features as they are; ours reads standardised ones, so mean and spread
        go into its weights and bias. Features more than ``FEATURE_LIMIT`` standard deviations out
        are clipped here, and differ. Needs `standardising` for a whitening.

        Raises:
            ConfigError: if the head has other sizes than the alignment.
        """
        t = {name: torch.tensor(array) for name, array in head.items()}
        weight, bias = t["layer_0.weight"], t["layer_0.bias"]
        released, own = (
            " and ".join(f"{layer.shape[1]} × {layer.shape[0]}" for layer in layers)
            for layers in ((weight, t["layer_1.weight"]), (self.head_0.weight, self.head_1.weight))
        )
        if released != own:
            raise ConfigError(
                f'alignment.init = "geoclip": the released head has layers {released}, but '
                f"the run has {own}: take clip-vit-l-14's features and a location encoder of 512 "
                "numbers"
            )
        mean, spread = self.feature_mean.cpu(), self.feature_spread.cpu()
        self.head_0.weight.copy_(weight * spread)
        self.head_0.bias.copy_(bias + (weight.double() @ mean.double()).float())
        self.head_1.weight.copy_(t["layer_1.weight"])
        self.head_1.bias.copy_(t["layer_1.bias"])
        self.log_scale.copy_(t["logit_scale"].reshape(()))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``[N, f]`` whitened ``[N, w]``, embeddings ``[N, d]`` and ``z_img`` ``[N, k]``."""
        whitened = _whitened(features, self.feature_mean, self.feature_spread, self.whitening)
        sides = self.image_side(whitened)
        return whitened, sides.embedding, sides.scores

    def image_side(self, whitened: Tensor) -> AlignerSides:
        """From whitened features ``[N, w]``."""
        if self.training and self.summary_dropout:  # leaves some images with their layout alone
            kept = torch.rand(len(whitened), 1, device=whitened.device) >= self.summary_dropout
            summary, layout = whitened[:, : self.summary], whitened[:, self.summary :]
            whitened = torch.cat([summary * kept, layout], dim=1)
        hidden = torch.relu(self.head_0(whitened))
        embedding = self.head_1(self.dropout(hidden))
        scores = self.concept_1(torch.relu(self.concept_0(embedding)))
        return AlignerSides(F.normalize(embedding, dim=1), F.normalize(scores, dim=1), scores)

    def location_side(self, embeddings: Tensor) -> AlignerSides:
        """From embeddings of the location encoder ``[M, d]``."""
        centred = embeddings - self.location_mean
        scores = centred @ (self.directions + self.offset)
        return AlignerSides(F.normalize(centred, dim=1), F.normalize(scores, dim=1), scores)

    def logits(self, images: AlignerSides, places: AlignerSides) -> Tensor:
        """Scores of places given images, ``[N, M]``."""
        similarity = torch.zeros((), device=self.offset.device)
        if self.space != "concept":
            similarity = similarity + images.embedding @ places.embedding.T
        if self.space != "embedding":
            similarity = similarity + images.concepts @ places.concepts.T
        return self.log_scale.exp() * similarity
