"""What the orbit network learns: queries and references of one place belong together.

Symmetric InfoNCE, as in Sample4Geo: each query tells its reference from those of all other pairs of
the batch, and the other way round. References of earlier batches are further negatives for queries.
A place nearby is neither one nor the other.
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
QUEUE_FROM = 0.3  # share of the steps
VALIDATION_PAIRS = 1_024


class OrbitModule(nn.Module):
    """The network, the scale of its scores, and the references of the last batches."""

    def __init__(self, config: OrbitConfig) -> None:
        super().__init__()
        self.network = RingNetwork(config.network)
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))
        queue = config.optimiser.queue
        self.queued: Tensor
        self.queued_unit: Tensor
        self.queued_width_km: Tensor
        self.register_buffer("queued", torch.zeros(queue, config.network.size))
        self.register_buffer("queued_unit", torch.zeros(queue, 3))
        self.register_buffer("queued_width_km", torch.ones(queue))

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
        self._queue, self._steps = config.optimiser.queue, config.optimiser.steps
        with torch.random.fork_rng():
            torch.manual_seed(config.seed + 1_000_003)
            self._held = source.pairs(VALIDATION_PAIRS, self._side)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """``total``, and the share of queries whose own reference is best in the batch."""
        count, module = len(batch.rows), self._parts
        with torch.no_grad():
            pairs = self._source.pairs(count, self._side)
        queries, references = self._described(pairs)
        own = torch.arange(count, device=queries.device)
        near = _near(pairs, pairs.unit, pairs.width_km).fill_diagonal_(False)
        logits = (module.scale * queries @ references.T).masked_fill(near, RULED_OUT)
        earlier, filled = logits[:, :0], self._filled(batch.step, count)
        if filled:
            near = _near(pairs, module.queued_unit[:filled], module.queued_width_km[:filled])
            earlier = module.scale * queries @ module.queued[:filled].clone().T
            earlier = earlier.masked_fill(near, RULED_OUT)
        all_logits = torch.cat([logits, earlier], dim=1)
        total = functional.cross_entropy(all_logits, own) + functional.cross_entropy(logits.T, own)
        if self._queue:
            self._remember(batch.step * count, references.detach(), pairs)
        return {"total": total / 2, "right": (logits.argmax(1) == own).float().mean()}

    @torch.no_grad()
    def validation(self) -> dict[str, float]:
        """The loss on pairs of the training worlds that stay the same, and how many are right."""
        self.module.eval()
        queries, references = self._described(self._held)
        self.module.train()
        own = torch.arange(len(queries), device=queries.device)
        near = _near(self._held, self._held.unit, self._held.width_km).fill_diagonal_(False)
        logits = (self._parts.scale * queries @ references.T).masked_fill(near, RULED_OUT)
        right = (logits.argmax(1) == own).float().mean()
        return {"validation": float(functional.cross_entropy(logits, own)), "held": float(right)}

    def _described(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        both = torch.cat([pairs.queries, pairs.references])
        with torch.autocast(self._device, torch.bfloat16):
            described = self._parts.network(both.contiguous(memory_format=torch.channels_last))
        queries, references = described.float().chunk(2)
        return queries, references

    def _filled(self, step: int, count: int) -> int:
        """How many queued references count: none at first, when what they were is soon outdated."""
        if step < QUEUE_FROM * self._steps:
            return 0
        return min(step * count, self._queue)

    def _remember(self, start: int, references: Tensor, pairs: Pairs) -> None:
        """Puts references in the place of the oldest."""
        rows = (start + torch.arange(len(references), device=references.device)) % self._queue
        module = self._parts
        module.queued[rows] = references
        module.queued_unit[rows], module.queued_width_km[rows] = pairs.unit, pairs.width_km


def _near(pairs: Pairs, unit: Tensor, width_km: Tensor) -> Tensor:
    """Whether places ``[M]`` are too near to queries to be their negatives, ``[N, M]``."""
    distance_km = EARTH_RADIUS_KM * (pairs.unit @ unit.T).clamp(-1, 1).acos()
    return distance_km < NEAR * torch.maximum(pairs.width_km[:, None], width_km)
