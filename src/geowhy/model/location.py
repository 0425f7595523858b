"""Coordinates to embeddings: GeoCLIP's location encoder in numpy.

Equal Earth projection, then for each capsule random Fourier features of one bandwidth and a ReLU
network; the outputs of the capsules are summed. Vivanco Cepeda, Nayak and Shah, "GeoCLIP", 2023,
as in the package ``geoclip`` 1.3.0. One more capsule, ours, may read the atlas around a coordinate
in place of the coordinate. `geowhy.training.location_torch` is the same with gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import AnyFloats, Floats32, Floats64
from geowhy.errors import ModelFormatError
from geowhy.geo.sphere import equal_earth, on_earth
from geowhy.model.surroundings import SURROUNDINGS_SIZE, read_surroundings

__all__ = ["SURROUNDINGS_LIMIT", "LocationArchitecture", "LocationEncoder", "project"]

Weights = Mapping[str, AnyFloats]

SCALE = 66.50336 / 180.0  # GeoCLIP's, which brings the map's width to ±1
CHUNK_ROWS = 2048  # bounds the memory: 8 MB an activation
SURROUNDINGS_LIMIT = 6.0  # standard deviations; a rare land cover shall not drown the others
# Three in a hundred weights of GeoCLIP's coarse capsule have decayed to where arithmetic is slow;
# as zeros they give the same embeddings, bit for bit, in a quarter of the time.
NEGLIGIBLE = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class LocationArchitecture:
    """Sizes of a location encoder; the defaults are GeoCLIP's.

    Attributes:
        sigmas: bandwidth of each capsule, coarse to fine.
        fourier: frequencies of each capsule; its network sees a cosine and a sine of each.
        hidden: width of the hidden layers.
        depth: hidden layers of each capsule.
        size: length of an embedding.
        surroundings: width of the hidden layer of the capsule that reads the atlas; 0 for none.
        reads: how many numbers that capsule reads.
    """

    sigmas: tuple[float, ...] = (1.0, 16.0, 256.0)
    fourier: int = 256
    hidden: int = 1024
    depth: int = 3
    size: int = 512
    surroundings: int = 0
    reads: int = SURROUNDINGS_SIZE

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor, in the order of the computation."""
        shapes: dict[str, tuple[int, ...]] = {}
        for capsule in (f"capsule_{number}" for number in range(len(self.sigmas))):
            shapes[f"{capsule}.frequencies"] = (self.fourier, 2)
            width = 2 * self.fourier
            for layer in range(self.depth):
                shapes[f"{capsule}.layer_{layer}.weight"] = (self.hidden, width)
                shapes[f"{capsule}.layer_{layer}.bias"] = (self.hidden,)
                width = self.hidden
            shapes[f"{capsule}.head.weight"] = (self.size, width)
            shapes[f"{capsule}.head.bias"] = (self.size,)
        if self.surroundings:
            shapes |= {
                "surroundings.mean": (self.reads,),
                "surroundings.spread": (self.reads,),
                "surroundings.layer_0.weight": (self.surroundings, self.reads),
                "surroundings.layer_0.bias": (self.surroundings,),
                "surroundings.head.weight": (self.size, self.surroundings),
                "surroundings.head.bias": (self.size,),
            }
        return shapes


class LocationEncoder:
    """Embeds coordinates; safe to share between threads.

    Attributes:
        architecture: its sizes.
    """

    def __init__(self, architecture: LocationArchitecture, load: Callable[[], Weights]) -> None:
        """Weights by name, of any float type, are loaded when they are first needed.

        A model with a gallery that was embedded before may never need them.
        """
        self.architecture = architecture
        self._load = load

    @classmethod
    def from_tensors(cls, tensors: Weights, architecture: LocationArchitecture) -> LocationEncoder:
        """Takes weights by name, of any float type; other names are left alone.

        Raises:
            ModelFormatError: if one is missing or has another shape.
        """
        encoder = cls(architecture, lambda: tensors)
        encoder.to_tensors()
        return encoder

    @cached_property
    def _tensors(self) -> dict[str, Floats32]:
        weights, shapes = self._load(), self.architecture.shapes()
        return {name: _weight(weights, name, shape) for name, shape in shapes.items()}

    def to_tensors(self) -> dict[str, Floats32]:
        """The weights by name, as `from_tensors` takes them."""
        return dict(self._tensors)

    def embed(self, lat_lon: ArrayLike, surroundings: Floats32 | None = None) -> Floats32:
        """Embeddings of degrees ``[N, 2]``, float32 ``[N, size]``; not normalised.

        Longitudes wrap; 180 and -180 stay apart, as in GeoCLIP, whose map has an edge there.
        ``surroundings``, what `read_surroundings` gives, spares reading the atlas once more; an
        encoder that reads something else of ``reads`` numbers must be given that, ``[N, reads]``.

        Raises:
            CoordinateError: if one is not on Earth.
        """
        degrees = on_earth(lat_lon)
        xy = project(degrees)
        out = np.empty((len(xy), self.architecture.size), np.float32)
        for start in range(0, len(xy), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            out[rows] = sum(
                self._capsule(f"capsule_{n}", xy[rows])
                for n in range(len(self.architecture.sigmas))
            )
            if self.architecture.surroundings:
                out[rows] += self._embed_surroundings(
                    surroundings[rows]
                    if surroundings is not None
                    else read_surroundings(degrees[rows])
                )
        return out

    def _embed_surroundings(self, read: Floats32) -> Floats32:
        t = self._tensors
        standard = (read - t["surroundings.mean"]) / t["surroundings.spread"]
        np.clip(standard, -SURROUNDINGS_LIMIT, SURROUNDINGS_LIMIT, out=standard)
        hidden = np.maximum(self._linear("surroundings.layer_0", standard), 0.0)
        return self._linear("surroundings.head", hidden)

    def _capsule(self, name: str, xy: Floats64) -> Floats32:
        x = _fourier_features(xy, self._tensors[f"{name}.frequencies"])
        for layer in range(self.architecture.depth):
            x = self._linear(f"{name}.layer_{layer}", x)
            np.maximum(x, 0.0, out=x)
        return self._linear(f"{name}.head", x)

    def _linear(self, name: str, x: Floats32) -> Floats32:
        y: Floats32 = x @ self._tensors[f"{name}.weight"].T
        y += self._tensors[f"{name}.bias"]
        return y


def project(lat_lon: ArrayLike) -> Floats64:
    """Degrees ``[N, 2]`` to Equal Earth x and y in GeoCLIP's scale, about ±1, ``[N, 2]``.

    Raises:
        CoordinateError: if one is not on Earth.
    """
    return equal_earth(on_earth(lat_lon)) * SCALE


def _fourier_features(xy: Floats64, frequencies: Floats32) -> Floats32:
    """Cosines, then sines, of 2π times the frequencies: ``[N, 2]`` to ``[N, 2 * fourier]``.

    Phases reach hundreds of turns, of which single precision would lose the last digits: the
    turns are counted in double precision, and only their fraction goes on in single.
    """
    count = len(frequencies)
    turns = xy @ frequencies.T.astype(np.float64)
    turns -= np.rint(turns)
    angle = (2.0 * np.pi * turns).astype(np.float32)
    features = np.empty((len(xy), 2 * count), np.float32)
    np.cos(angle, out=features[:, :count])
    np.sin(angle, out=features[:, count:])
    return features


def _weight(tensors: Weights, name: str, shape: tuple[int, ...]) -> Floats32:
    if name not in tensors:
        raise ModelFormatError(
            f"the location encoder has no tensor {name}: the weights are incomplete or of another "
            "architecture; get the model again"
        )
    if tensors[name].shape != shape:
        raise ModelFormatError(
            f"{name} of the location encoder has shape {tensors[name].shape}, not {shape}: "
            "weights and config.json don't belong together; get the model again"
        )
    weight = np.asarray(tensors[name], np.float32, order="C")
    negligible = (np.abs(weight) < NEGLIGIBLE) & (weight != 0.0)
    return np.where(negligible, np.float32(0.0), weight) if negligible.any() else weight
