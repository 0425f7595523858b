"""EfficientNet-Lite as a frozen image backbone: torch weights to one ONNX file.

Its features are statistics at several depths: mean and standard deviation over the picture of
every channel, before each halving of the resolution and at the end. Early ones keep colour and
texture, which tell more about a place than the objects that the network was trained to name. None
of them tells where in the picture something is, so its layout follows, the mean colours of the
fields of a grid, and the picture itself on a finer grid, for the map reader.

The architecture ("EfficientNet-Lite", Liu, 2020) is written out here: the package
``efficientnet_lite_pytorch`` pads for one picture size only, whatever it is given. The names of
the weights are those of its published files. The graph is written node by node as well; it has
six kinds of node, and torch's exporters would add two dependencies and their warnings.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from geowhy.arrays import Floats32
from geowhy.assets.files import appearing_whole
from geowhy.errors import ModelFormatError
from geowhy.export.graph import GraphWriter, Value
from geowhy.model.maps import PICTURE_COLUMNS, PICTURE_GRID

__all__ = [
    "GRAPH_FILE",
    "LAYOUT_GRID",
    "LITE",
    "EfficientNetLite",
    "LiteArchitecture",
    "export_backbone",
    "load_weights",
]

STEM_CHANNELS = 32
NORM_EPSILON = 1e-3
GRAPH_FILE = "backbone-3.onnx"  # another number whenever other features come out
LAYOUT_GRID = 8  # fields a side; 3 * 8 * 8 features are colour by row by column
VARIANCE_FLOOR = 1e-10  # keeps the square root of a flat channel off zero

_convolution = partial(nn.Conv2d, bias=False)
_norm = partial(nn.BatchNorm2d, eps=NORM_EPSILON)

_STAGES = (  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class _Shape(NamedTuple):
    inputs: int
    outputs: int
    kernel: int
    stride: int
    expansion: int


@dataclass(frozen=True, slots=True)
class LiteArchitecture:
    """One size of the EfficientNet-Lite family.

    Attributes:
        width: factor on the channels.
        depth: factor on the blocks of a stage.
    """

    width: float
    depth: float

    def blocks(self) -> Iterator[_Shape]:
        """The blocks from the stem on; the first and the last stage never grow deeper."""
        channels = STEM_CHANNELS
        for index, (repeats, kernel, stride, expansion, base) in enumerate(_STAGES):
            # The nearest multiple of 8, but never a tenth less.
            outputs = max(8, int(base * self.width + 4) // 8 * 8)
            outputs += 8 if outputs < 0.9 * base * self.width else 0
            fixed = index in (0, len(_STAGES) - 1)
            for repeat in range(repeats if fixed else math.ceil(repeats * self.depth)):
                yield _Shape(channels, outputs, kernel, 1 if repeat else stride, expansion)
                channels = outputs

    @property
    def feature_size(self) -> int:
        """Length of a feature vector: two statistics of each channel of each level, colours."""
        shapes = list(self.blocks())
        channels = sum(s.inputs for s in shapes if s.stride == 2) + shapes[-1].outputs
        return 2 * channels + 3 * LAYOUT_GRID**2 + PICTURE_COLUMNS


LITE = {0: LiteArchitecture(1.0, 1.0), 2: LiteArchitecture(1.1, 1.2)}


@dataclass(frozen=True, slots=True)
class _Step:
    """A convolution, its normalisation, and whether ReLU6 follows."""

    convolution: nn.Conv2d
    norm: nn.BatchNorm2d
    active: bool = True

    def __call__(self, x: Tensor) -> Tensor:
        rows, columns = (self.padding(size) for size in x.shape[-2:])
        x = self.norm(self.convolution(functional.pad(x, (*columns, *rows))))
        return functional.relu6(x) if self.active else x

    def padding(self, size: int) -> tuple[int, int]:
        """Zeros before and after, as TensorFlow pads: the odd one comes after."""
        kernel, stride = self.convolution.kernel_size[0], self.convolution.stride[0]
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2

    def folded(self) -> tuple[Floats32, Floats32]:
        """Weight and bias of the one convolution that does the same."""
        norm = {name: t.double().numpy() for name, t in self.norm.state_dict().items()}
        scale = norm["weight"] / np.sqrt(norm["running_var"] + self.norm.eps)
        weight = self.convolution.weight.detach().double().numpy() * scale[:, None, None, None]
        bias = norm["bias"] - norm["running_mean"] * scale
        return weight.astype(np.float32), bias.astype(np.float32)


class EfficientNetLite(nn.Module):
    """The network up to its last block, without head and classifier.

    Attributes:
        architecture: its size.
        stem: the first convolution.
        blocks: in their order.
    """

    def __init__(self, architecture: LiteArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self._conv_stem = _convolution(3, STEM_CHANNELS, 3, stride=2)
        self._bn0 = _norm(STEM_CHANNELS)
        self.stem = _Step(self._conv_stem, self._bn0)
        self.blocks = [_Block(shape) for shape in architecture.blocks()]
        self._blocks = nn.ModuleList(self.blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised pictures ``[N, 3, H, W]`` to features ``[N, feature_size]``."""
        grids = (LAYOUT_GRID, PICTURE_GRID)
        colours = [functional.adaptive_avg_pool2d(x, grid).flatten(1) for grid in grids]
        x, levels = self.stem(x), []
        for block in self.blocks:
            if block.halves:
                levels.append(_statistics(x))
            x = block(x)
        return torch.cat([*levels, _statistics(x), *colours], dim=1)


class _Block(nn.Module):
    """Widens, convolves each channel on its own, and narrows again (MBConv without squeeze)."""

    def __init__(self, shape: _Shape) -> None:
        super().__init__()
        wide = shape.inputs * shape.expansion
        self.halves = shape.stride == 2
        self.skips = not self.halves and shape.inputs == shape.outputs
        self.steps = []
        if shape.expansion != 1:
            self._expand_conv = _convolution(shape.inputs, wide, 1)
            self._bn0 = _norm(wide)
            self.steps.append(_Step(self._expand_conv, self._bn0))
        self._depthwise_conv = _convolution(wide, wide, shape.kernel, shape.stride, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = _convolution(wide, shape.outputs, 1)
        self._bn2 = _norm(shape.outputs)
        self.steps.append(_Step(self._depthwise_conv, self._bn1))
        self.steps.append(_Step(self._project_conv, self._bn2, active=False))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for step in self.steps:
            y = step(y)
        return x + y if self.skips else y


def _statistics(x: Tensor) -> Tensor:
    """Means, then deviations, of the channels: ``[N, C, H, W]`` to ``[N, 2 C]``."""
    mean = x.mean((2, 3), keepdim=True)
    variance = (x - mean).square().mean((2, 3))
    return torch.cat([mean.flatten(1), torch.sqrt(variance + VARIANCE_FLOOR)], dim=1)


def load_weights(path: Path, architecture: LiteArchitecture) -> EfficientNetLite:
    """The frozen network with published weights, from a ``.pth`` file.

    Raises:
        ModelFormatError: if the file can't be read or holds another network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelFormatError(f"{path}: not a file of torch weights ({error})") from error
    unused = ("_conv_head.", "_bn1.", "_fc.")
    model = EfficientNetLite(architecture)
    try:
        model.load_state_dict({k: v for k, v in state.items() if not k.startswith(unused)})
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ModelFormatError(
            f"{path}: weights of another network than {architecture} ({error})"
        ) from error
    return model.eval().requires_grad_(False)


def export_backbone(model: EfficientNetLite, size: int, path: Path) -> Path:
    """Writes the frozen network as ONNX: "pixels" ``[N, 3, size, size]`` to "features" ``[N, F]``.

    Weights are stored in half precision and widened when the file is loaded: half the size, and
    features with a cosine above 0.9999 to the others.

    Args:
        model: the network, in evaluation mode.
        size: side of a picture, pixels; a multiple of 32, so that all halvings come out even.
        path: the file to write; appears whole or not at all.
    """
    if size % 32:
        raise ValueError(f"size {size} is not a multiple of 32")
    writer, levels = _LiteWriter("weight"), []
    x, side = writer.convolve("pixels", model.stem, size), size // 2
    for block in model.blocks:
        if block.halves:
            levels += writer.statistics(x)
        y = x
        for step in block.steps:
            y = writer.convolve(y, step, side)
            side //= step.convolution.stride[0]
        x = writer.node("Add", x, y) if block.skips else y
    levels += writer.statistics(x)
    for grid in (LAYOUT_GRID, PICTURE_GRID):
        field = [size // grid] * 2
        colours = writer.node("AveragePool", "pixels", kernel_shape=field, strides=field)
        levels.append(writer.node("Flatten", colours))
    writer.named("features", "Concat", *levels, axis=1)
    pixels: Value = ("pixels", ["N", 3, size, size])
    features: Value = ("features", ["N", model.architecture.feature_size])
    graph = writer.model("geowhy_backbone", pixels, features)
    onnx.checker.check_model(graph)
    with appearing_whole(path) as partial:
        partial.write_bytes(graph.SerializeToString())
    return path


class _LiteWriter(GraphWriter):
    def convolve(self, x: str, step: _Step, size: int) -> str:
        weight, bias = step.folded()
        half = self.small(weight.astype(np.float16))
        kernel = self.node("Cast", half, to=onnx.TensorProto.FLOAT)
        before, after = step.padding(size)
        x = self.node(
            "Conv", x, kernel, self.small(bias),
            pads=[before, before, after, after],
            strides=list(step.convolution.stride), group=step.convolution.groups,
        )  # fmt: skip
        return self.node("Clip", x, self.number(0), self.number(6)) if step.active else x

    def statistics(self, x: str) -> list[str]:
        mean = self.node("ReduceMean", x, axes=[2, 3], keepdims=1)
        centred = self.node("Sub", x, mean)
        variance = self.node("ReduceMean", self.node("Mul", centred, centred), axes=[2, 3])
        floored = self.node("Add", variance, self.number(VARIANCE_FLOOR))
        deviation = self.node("Sqrt", floored)
        return [self.node("Flatten", mean), self.node("Flatten", deviation)]
