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
    strong ones. The layout, three colours on a grid, comes after them as it is; all fields of a
    colour share mean and spread, so that a mirrored layout is a layout. With a ``layout_grid`` of 0
    there is none.

    Raises:
        ConfigError: if ``size`` is more than there is beside the layout.
    """
    if size > features.shape[1] - 3 * layout_grid**2:
        raise ConfigError(
            f"alignment.whitened is {size}, but the backbone has only "
            f"{features.shape[1] - 3 * layout_grid**2} statistics: lower it"
        )
    mean, spread = _moments(features)
    layout = slice(features.shape[1] - 3 * layout_grid**2, None)
    for statistic in (mean, spread) if layout_grid else ():
        colours = statistic[layout].reshape(3, -1).mean(axis=1)
        statistic[layout] = colours.repeat(layout_grid**2)
    standard = np.clip((features - mean) / spread, -FEATURE_LIMIT, FEATURE_LIMIT)
    summary = standard[:, : layout.start]
    components = _principal_components(summary, size)
    projection = np.zeros((features.shape[1], components.shape[1] + 3 * layout_grid**2), np.float32)
    projection[: layout.start, : components.shape[1]] = components
    projection[layout, components.shape[1] :] = np.eye(3 * layout_grid**2)
    return Whitening(mean, spread, projection)


def standardising(features: Floats32) -> Whitening:
    """Standardises features ``[N, f]``, and projects them nowhere: for a head that reads them all.

    They are clipped like all others.
    """
    return Whitening(*_moments(features), np.eye(features.shape[1], dtype=np.float32))


def _moments(features: Floats32) -> tuple[Floats32, Floats32]:
    return features.mean(axis=0), features.std(axis=0) + 1e-3


def _principal_components(standard: Floats32, size: int) -> Floats32:
    """Directions ``[f, size]``, half whitened; their outputs have the mean square 1."""
    variances, directions = np.linalg.eigh(standard.T @ standard / len(standard))
    strongest = np.argsort(variances)[::-1][:size]
    projection = directions[:, strongest] / np.maximum(variances[strongest], 1e-6) ** 0.25
    return np.asarray(projection / (standard[:10_000] @ projection).std(), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class AlignerSides:
    """One side of the model.

    Attributes:
        embedding: rows of length 1, ``[N, d]``.
        concepts: rows of ``z`` scaled to length 1, ``[N, k]``.
        told: ``z`` itself, in standard deviations, ``[N, k]``.
    """

    embedding: Tensor
    concepts: Tensor
    told: Tensor

    def split(self, count: int) -> tuple[AlignerSides, AlignerSides]:
        """The first ``count`` rows, and the others."""
        parts = (self.embedding, self.concepts, self.told)
        return (
            AlignerSides(*(part[:count] for part in parts)),
            AlignerSides(*(part[count:] for part in parts)),
        )


class TorchAligner(nn.Module):
    """The alignment module; its ``state_dict`` has the names that `ConceptAligner` takes."""

    feature_mean: Tensor
    feature_spread: Tensor
    whitening: Tensor
    directions: Tensor
    location_mean: Tensor

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
        for name, array in (
            ("feature_mean", whitening.mean),
            ("feature_spread", whitening.spread),
            ("whitening", whitening.projection),
            ("location_mean", location_mean),
        ):
            self.register_buffer(name, torch.tensor(array))
        self.bank = bank
        self.register_buffer("directions", torch.tensor(bank.directions), persistent=False)
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
        sizes = (weight.shape, t["layer_1.weight"].shape)
        if sizes != (self.head_0.weight.shape, self.head_1.weight.shape):
            raise ConfigError(
                f'alignment.init = "geoclip": the released head has layers {_shown(sizes)}, but '
                f"the run has {_shown((self.head_0.weight.shape, self.head_1.weight.shape))}: take "
                "clip-vit-l-14's features and a location encoder of 512 numbers"
            )
        mean, spread = (self.state_dict()[f"feature_{name}"].cpu() for name in ("mean", "spread"))
        self.head_0.weight.copy_(weight * spread)
        self.head_0.bias.copy_(bias + (weight.double() @ mean.double()).float())
        self.head_1.weight.copy_(t["layer_1.weight"])
        self.head_1.bias.copy_(t["layer_1.bias"])
        self.log_scale.copy_(t["logit_scale"].reshape(()))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``[N, f]`` whitened ``[N, w]``, embeddings ``[N, d]`` and ``z_img`` ``[N, k]``."""
        whitened = _whitened(features, self.feature_mean, self.feature_spread, self.whitening)
        sides = self.image_side(whitened)
        return whitened, sides.embedding, sides.told

    def image_side(self, whitened: Tensor) -> AlignerSides:
        """From whitened features ``[N, w]``."""
        if self.training and self.summary_dropout:
            whitened = self._without_some_summaries(whitened)
        hidden = torch.relu(self.head_0(whitened))
        embedding = self.head_1(self.dropout(hidden))
        scores = self.concept_1(torch.relu(self.concept_0(embedding)))
        return AlignerSides(F.normalize(embedding, dim=1), F.normalize(scores, dim=1), scores)

    def _without_some_summaries(self, whitened: Tensor) -> Tensor:
        """Leaves some images with their layout alone."""
        kept = torch.rand(len(whitened), 1, device=whitened.device) >= self.summary_dropout
        return torch.cat([whitened[:, : self.summary] * kept, whitened[:, self.summary :]], dim=1)

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

    def to_tensors(self) -> dict[str, Floats32]:
        """A copy of all weights, as `ConceptAligner` takes them."""
        return {name: t.detach().cpu().numpy().copy() for name, t in self.state_dict().items()}


def _shown(shapes: tuple[torch.Size, ...]) -> str:
    return " and ".join(" × ".join(str(n) for n in reversed(shape)) for shape in shapes)
