"""Frozen image backbones behind one protocol; the only file that imports a vision runtime."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from geowhy.arrays import Floats32, Pixels
from geowhy.assets.files import sha256_of
from geowhy.errors import ConfigError, ModelFormatError
from geowhy.model.preprocessing import Preprocessing

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["BACKBONE_FILE", "ImageBackbone", "OnnxBackbone", "open_session"]

BACKBONE_FILE = "backbone.onnx"
BATCH = 16  # bounds the memory; 64 at a time were a seventh slower on two cores
BATCH_PIXELS = 6 * 128**2  # larger pictures go in smaller batches: 1 or 2 of 224 pixels


class ImageBackbone(Protocol):
    """Anything that turns pictures into feature vectors."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    @property
    def digest(self) -> str:
        """Changes whenever the weights do; names caches."""

    @property
    def feature_size(self) -> int:
        """Length of a feature vector."""

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures are brought into shape."""

    def embed(self, pixels: Sequence[Pixels] | Pixels) -> Floats32:
        """Pictures ``[H, W, 3]`` or a stack of them to features ``[N, feature_size]``."""

    @property
    def has_patches(self) -> bool:
        """Whether it tells patches of a picture apart."""

    def patches(self, pixels: Sequence[Pixels] | Pixels) -> Floats32:
        """Pictures to features of their patches ``[N, rows, columns, feature_size]``."""


class OnnxBackbone:
    """A backbone in one ONNX file, run by onnxruntime on the CPU; patches are in a second one.

    Attributes:
        name: what a message calls it.
        preprocessing: how pictures are brought into shape.
        feature_size: length of a feature vector.
    """

    def __init__(
        self,
        path: Path,
        session: onnxruntime.InferenceSession,
        preprocessing: Preprocessing,
        name: str | None = None,
        patches: Path | None = None,
        threads: int | None = None,
    ) -> None:
        self.name = name or (path.stem if path.name != BACKBONE_FILE else path.parent.name)
        self.preprocessing = preprocessing
        size = preprocessing.size
        inputs = {i.name: i.shape[1:] for i in session.get_inputs()}
        outputs = {o.name: o.shape[1:] for o in session.get_outputs()}
        if inputs != {"pixels": [3, size, size]} or len(outputs.get("features", ())) != 1:
            raise ModelFormatError(
                f"{path}: takes {inputs} and gives {outputs}, not pixels [3, {size}, {size}] and "
                "features [F]: the file and its preprocessing don't belong together"
            )
        self.feature_size = int(outputs["features"][0])
        self._path = path
        self._session = session
        self._patches, self._threads = patches, threads

    @classmethod
    def load(
        cls,
        path: Path,
        preprocessing: Preprocessing,
        *,
        threads: int | None = None,
        mapped: bool = False,
        name: str | None = None,
        patches: Path | None = None,
    ) -> OnnxBackbone:
        """Opens an ONNX file, or ``backbone.onnx`` in a folder.

        Args:
            path: the file or the folder.
            preprocessing: that belongs to it.
            threads: of the arithmetic; None for one a core.
            mapped: as `open_session` takes it.
            name: what a message shall call it; None for the name of the file or the folder.
            patches: "pixels" to "patches" ``[N, P, feature_size]``, square grids row by row; it
                is opened when first needed, and may be missing.

        Raises:
            ModelFormatError: if the file is missing, damaged or doesn't fit the preprocessing.
        """
        file = path / BACKBONE_FILE if path.is_dir() else path
        session = open_session(file, threads, mapped=mapped)
        found = patches if patches and patches.is_file() else None
        return cls(file, session, preprocessing, name, found, threads)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return sha256_of(self._path)

    def embed(self, pixels: Sequence[Pixels] | Pixels) -> Floats32:
        """Pictures ``[H, W, 3]`` or a stack ``[N, H, W, 3]`` to features ``[N, feature_size]``."""
        out = np.empty((len(pixels), self.feature_size), np.float32)
        for rows in self._batches(len(pixels)):
            out[rows] = _run(self._session, "features", self.preprocessing(pixels[rows]))
        return out

    @property
    def has_patches(self) -> bool:
        """Whether there is a second graph, for patches."""
        return self._patches is not None

    def patches(self, pixels: Sequence[Pixels] | Pixels) -> Floats32:
        """Pictures to features of their patches ``[N, rows, columns, feature_size]``.

        They live in the space of the features of whole pictures. The grid lies over the part of a
        picture that `Preprocessing.seen` tells.

        Raises:
            ConfigError: if it has no patches.
            ModelFormatError: if the second graph is damaged or isn't of this backbone.
        """
        if self._patches is None:
            raise ConfigError(
                f"{self.name} tells no patches of a picture apart: use occlusion, which works "
                "for any backbone. A CLIP that an earlier geowhy converted gains them by: geowhy "
                "models get clip-vit-l-14"
            )
        session = self._patch_session
        given = {o.name: o.shape[1:] for o in session.get_outputs()}
        shape = given.get("patches") or [0]
        side = math.isqrt(shape[0]) if isinstance(shape[0], int) else 0
        if side == 0 or shape != [side**2, self.feature_size]:
            raise ModelFormatError(
                f"{self._patches}: gives {given}, not patches of a square grid with "
                f"{self.feature_size} features each: it is of another model; get the model again"
            )
        out = np.empty((len(pixels), side, side, self.feature_size), np.float32)
        for rows in self._batches(len(pixels)):
            found = _run(session, "patches", self.preprocessing(pixels[rows]))
            out[rows] = found.reshape(-1, side, side, self.feature_size)
        return out

    @cached_property
    def _patch_session(self) -> onnxruntime.InferenceSession:
        """Mapped: its weights are those of another graph, which may have them in memory."""
        assert self._patches is not None
        return open_session(self._patches, self._threads, mapped=True)

    def _batches(self, count: int) -> Iterator[slice]:
        batch = min(BATCH, max(1, BATCH_PIXELS // self.preprocessing.size**2))
        return (slice(start, start + batch) for start in range(0, count, batch))


def _run(session: onnxruntime.InferenceSession, output: str, batch: Floats32) -> Floats32:
    return cast(Floats32, session.run([output], {"pixels": batch})[0])


def open_session(
    file: Path, threads: int | None = None, *, mapped: bool = False
) -> onnxruntime.InferenceSession:
    """An ONNX file, ready to run on the CPU.

    Args:
        file: the graph; weights may lie in a file beside it.
        threads: of the arithmetic; None for one a core.
        mapped: whether weights in a file of their own are used where they lie. A large tower then
            opens at once, and the system may take its memory back; a copy laid out for the
            processor takes seconds to make, and its products are a tenth quicker.

    Raises:
        ModelFormatError: if the file, or that of its weights, is missing or damaged.
    """
    if not file.is_file():
        raise ModelFormatError(f"{file} is missing: the model is incomplete; get it again")
    import onnxruntime  # 0.1 s that `geowhy --help` need not wait for

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.add_session_config_entry("session.disable_prepacking", "1" if mapped else "0")
    options.log_severity_level = 3  # errors only: they come as exceptions with a remedy
    # Threads that wait by spinning take the cores from decoding, and from other programs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no other ancestor
        raise ModelFormatError(
            f"{file}: damaged, or not an ONNX model; get the model again ({error})"
        ) from error
