"""What the orbit network learns: queries and references of one place belong together.

Symmetric InfoNCE, as in Sample4Geo: each query tells its reference from those of all other pairs of
the batch, and the other way round. A place nearby is neither one nor the other. References of
earlier batches are no negatives: with 8,192 of them the network learned to drift away from what it
had said before, and forgot the task.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.training.loop import Batch
from geowhy.training.orbit.config import OrbitConfig
from geowhy.training.orbit.network import RingNetwork
from geowhy.training.orbit.pairs import Pairs, PairSource

__all__ = ["OrbitModule", "OrbitTask"]

NEAR = 0.5  # widths: within these, two places are neither the same nor different
FIRST_SCALE, MOST_SCALE = 20.0, 60.0  # of cosines
RULED_OUT = -1e4
VALIDATION_PAIRS = 1_024


class OrbitModule(nn.Module):
    """The network, and the scale of its scores."""

    def __init__(self, config: OrbitConfig) -> None:
        super().__init__()
        self.network = RingNetwork(config.network)
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied by."""
        return self.log_scale.exp().clamp(max=MOST_SCALE)


class OrbitTask:
    """The task of `geowhy.training.loop`; pairs are new in every step."""

    def __init__(self, config: OrbitConfig, source: PairSource, device: str) -> None:
        torch.manual_seed(config.seed)
        self._parts = OrbitModule(config).to(device)
        self.module: nn.Module = self._parts
        self.samples = config.optimiser.batch  # rows don't matter
        self._source, self._side, self._device = source, config.network.side, device
        with torch.random.fork_rng():
            torch.manual_seed(config.seed + 1_000_003)
            self._held = source.pairs(VALIDATION_PAIRS, self._side)

    @property
    def network(self) -> RingNetwork:
        """What is trained."""
        return self._parts.network

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """``total``, and the share of queries whose own reference is best in the batch."""
        with torch.no_grad():
            pairs = self._source.pairs(len(batch.rows), self._side)
        logits, own = self._logits(pairs)
        total = functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)
        return {"total": total / 2, "right": (logits.argmax(1) == own).float().mean()}

    @torch.no_grad()
    def validation(self) -> dict[str, float]:
        """The loss on pairs of the training worlds that stay the same, and how many are right."""
        self.module.eval()
        logits, own = self._logits(self._held)
        self.module.train()
        right = (logits.argmax(1) == own).float().mean()
        return {"validation": float(functional.cross_entropy(logits, own)), "held": float(right)}

    def _logits(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Scores of all references for each query ``[N, N]``, and which is its own ``[N]``."""
        both = torch.cat([pairs.queries, pairs.references])
        with torch.autocast(self._device, torch.bfloat16):
            described = self._parts.network(both.contiguous(memory_format=torch.channels_last))
        queries, references = described.float().chunk(2)
        distance_km = EARTH_RADIUS_KM * (pairs.unit @ pairs.unit.T).clamp(-1, 1).acos()
        near = distance_km < NEAR * torch.maximum(pairs.width_km[:, None], pairs.width_km)
        logits = self._parts.scale * queries @ references.T
        own = torch.arange(len(queries), device=queries.device)
        return logits.masked_fill(near.fill_diagonal_(False), RULED_OUT), own
