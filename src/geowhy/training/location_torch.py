"""The location encoder with gradients: the same numbers as `geowhy.model.location`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from geowhy.arrays import AnyFloats
from geowhy.geo.sphere import A1, A2, A3, A4
from geowhy.model.location import SURROUNDINGS_LIMIT, LocationArchitecture, LocationEncoder
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.training.config import LocationConfig
from geowhy.training.dataset import Places
from geowhy.training.features import Progress
from geowhy.training.regression import regress

__all__ = ["TorchLocationEncoder", "embed_places", "pretrain_location"]

PLACES_AT_ONCE = 4096
SMALLEST_SPREAD = 0.02  # of a share; a climate that no training place has shall not be divided by 0


class TorchLocationEncoder(nn.Module):
    """Embeds coordinates; its ``state_dict`` has the names of ``LocationArchitecture.shapes``."""

    def __init__(self, architecture: LocationArchitecture, seed: int, dropout: float = 0.0) -> None:
        """Random weights by torch's own initialisation; the global generator is left alone.

        ``dropout`` is of the hidden layer that reads the surroundings.
        """
        super().__init__()
        self.architecture = architecture
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for index, sigma in enumerate(architecture.sigmas):
                self.add_module(f"capsule_{index}", _Capsule(architecture, sigma))
            if architecture.surroundings:
                self.surroundings = _Surroundings(architecture, dropout)

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, AnyFloats], architecture: LocationArchitecture
    ) -> TorchLocationEncoder:
        """Takes the weights of a `LocationEncoder`.

        Raises:
            ModelFormatError: if one is missing or has another shape.
        """
        checked = LocationEncoder.from_tensors(tensors, architecture).to_tensors()
        module = cls(architecture, seed=0)
        module.load_state_dict({name: torch.tensor(array) for name, array in checked.items()})
        return module

    def forward(self, lat_lon: Tensor, surroundings: Tensor | None = None) -> Tensor:
        """Degrees ``[N, 2]``, longitudes within ±180, to embeddings ``[N, size]``.

        Coordinates in double precision give the numbers of `LocationEncoder`; in single
        precision those of the ``geoclip`` package, bit for bit. ``surroundings``
        ``[N, reads]`` must be given to an encoder that reads them.
        """
        xy = _project(lat_lon)
        names = [f"capsule_{index}" for index in range(len(self.architecture.sigmas))]
        outputs = [cast(Tensor, self.get_submodule(name)(xy)) for name in names]
        if self.architecture.surroundings:
            outputs.append(cast(Tensor, self.surroundings(surroundings)))
        return torch.stack(outputs).sum(dim=0)


def pretrain_location(
    encoder: TorchLocationEncoder,
    places: Places,
    config: LocationConfig,
    seed: int,
    on_progress: Progress,
) -> None:
    """Regresses the truth of concepts at training places, in place and without dropout.

    The directions ``E`` of the concept basis are then fitted in the space that this gives.
    """
    truth = places.truth
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        readout = nn.Linear(encoder.architecture.size, truth.shape[1]).to(truth.device)

    def loss_of_a_batch() -> Tensor:
        rows = torch.randint(len(truth), (config.pretraining_batch,), generator=generator)
        rows = rows.to(truth.device)
        embeddings = encoder(places.lat_lon[rows], places.surroundings[rows])
        return nn.functional.mse_loss(readout(embeddings), truth[rows])

    learner = nn.ModuleList([encoder, readout]).eval()
    steps, rate = config.pretraining_steps, config.pretraining_rate
    regress(learner, loss_of_a_batch, steps, rate, on_progress)


def embed_places(encoder: TorchLocationEncoder, places: Places, count: int | None = None) -> Tensor:
    """Embeddings ``[N, d]`` of places, or of the first ``count``, without gradients or dropout."""
    chunks = torch.arange(len(places.lat_lon))[:count].split(PLACES_AT_ONCE)
    encoder.eval()
    with torch.no_grad():
        return torch.cat([encoder(places.lat_lon[c], places.surroundings[c]) for c in chunks])


class _Capsule(nn.Module):
    """Fourier features of one bandwidth and the network on them."""

    def __init__(self, architecture: LocationArchitecture, sigma: float) -> None:
        super().__init__()
        self.frequencies = nn.Buffer(torch.randn(architecture.fourier, 2) * sigma)
        self.depth = architecture.depth
        width = 2 * architecture.fourier
        for layer in range(architecture.depth):
            self.add_module(f"layer_{layer}", nn.Linear(width, architecture.hidden))
            width = architecture.hidden
        self.head = nn.Linear(width, architecture.size)

    def forward(self, xy: Tensor) -> Tensor:
        phase = (2 * torch.pi * xy) @ self.frequencies.T.to(xy.dtype)
        x = torch.cat([torch.cos(phase), torch.sin(phase)], dim=-1).to(self.head.weight.dtype)
        for layer in range(self.depth):
            x = torch.relu(self.get_submodule(f"layer_{layer}")(x))
        return cast(Tensor, self.head(x))


class _Surroundings(nn.Module):
    """The network on what the atlas says around a coordinate."""

    def __init__(self, architecture: LocationArchitecture, dropout: float) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(architecture.reads))
        self.spread = nn.Buffer(torch.ones(architecture.reads))
        self.layer_0 = nn.Linear(architecture.reads, architecture.surroundings)
        self.head = nn.Linear(architecture.surroundings, architecture.size)
        self.dropout = nn.Dropout(dropout)

    def fit(self, surroundings: Tensor, maps: int = len(MAP_NAMES)) -> None:
        """Takes mean and spread of those of training places ``[N, reads]``.

        All fields of a map share them, so that a mirrored map is a map; ``maps`` come first.
        """
        mean, spread = surroundings.mean(dim=0), surroundings.std(dim=0)
        if maps:
            fields = maps * MAP_GRID**2
            of_maps = surroundings[:, :fields].reshape(len(surroundings), maps, MAP_GRID**2)
            mean[:fields] = of_maps.mean(dim=(0, 2)).repeat_interleave(MAP_GRID**2)
            spread[:fields] = of_maps.std(dim=(0, 2)).repeat_interleave(MAP_GRID**2)
        self.mean.copy_(mean)
        self.spread.copy_(spread.clamp(min=SMALLEST_SPREAD))

    def forward(self, surroundings: Tensor) -> Tensor:
        standard = (surroundings - self.mean) / self.spread
        hidden = torch.relu(self.layer_0(standard.clamp(-SURROUNDINGS_LIMIT, SURROUNDINGS_LIMIT)))
        return cast(Tensor, self.head(self.dropout(hidden)))


def _project(lat_lon: Tensor) -> Tensor:
    """Equal Earth in GeoCLIP's scale, ``[N, 2]``, in the package's own order of operations.

    In single precision the order counts: the finest capsule turns the last bit of x into 2e-5 of
    an embedding.
    """
    lat, lon = torch.deg2rad(lat_lon[:, 0]), torch.deg2rad(lat_lon[:, 1])
    root = torch.sqrt(torch.tensor(3.0, dtype=lat_lon.dtype, device=lat_lon.device))
    theta = torch.asin((root / 2) * torch.sin(lat))
    slope = 9 * A4 * theta**8 + 7 * A3 * theta**6 + 3 * A2 * theta**2 + A1
    x = (2 * root * lon * torch.cos(theta)) / (3 * slope)
    y = A4 * theta**9 + A3 * theta**7 + A2 * theta**3 + A1 * theta
    return (torch.stack((x, y), dim=1) * 66.50336) / 180
