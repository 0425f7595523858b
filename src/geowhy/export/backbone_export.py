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
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from geowhy.arrays import Floats32
from geowhy.assets.files import appearing_whole
from geowhy.errors import ModelFormatError
from geowhy.export.graph import GraphWriter, Value
from geowhy.model.map_reader import PICTURE_COLUMNS, PICTURE_GRID

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
            outputs = _rounded_channels(base * self.width)
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


@dataclass(frozen=True, slots=True)
class _Shape:
    inputs: int
    outputs: int
    kernel: int
    stride: int
    expansion: int


LITE = {0: LiteArchitecture(1.0, 1.0), 2: LiteArchitecture(1.1, 1.2)}

_STAGES = (  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True, slots=True)
class _Step:
    """A convolution, its normalisation, and whether ReLU6 follows."""

    convolution: nn.Conv2d
    norm: nn.BatchNorm2d
    active: bool

    def __call__(self, x: Tensor) -> Tensor:
        rows, columns = (_same_padding(size, self.convolution) for size in x.shape[-2:])
        x = self.norm(self.convolution(functional.pad(x, (*columns, *rows))))
        return functional.relu6(x) if self.active else x

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
    """

    def __init__(self, architecture: LiteArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self._conv_stem = _convolution(3, STEM_CHANNELS, 3, stride=2)
        self._bn0 = _norm(STEM_CHANNELS)
        self._blocks = nn.ModuleList(_Block(shape) for shape in architecture.blocks())

    @property
    def stem(self) -> _Step:
        """The first convolution."""
        return _Step(self._conv_stem, self._bn0, active=True)

    @property
    def blocks(self) -> list[_Block]:
        """The blocks in their order."""
        return [cast(_Block, block) for block in self._blocks]

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
        if shape.expansion != 1:
            self._expand_conv = _convolution(shape.inputs, wide, 1)
            self._bn0 = _norm(wide)
        self._depthwise_conv = _convolution(wide, wide, shape.kernel, shape.stride, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = _convolution(wide, shape.outputs, 1)
        self._bn2 = _norm(shape.outputs)
        self.expands = shape.expansion != 1
        self.halves = shape.stride == 2
        self.skips = not self.halves and shape.inputs == shape.outputs

    def steps(self) -> Iterator[_Step]:
        if self.expands:
            yield _Step(self._expand_conv, self._bn0, active=True)
        yield _Step(self._depthwise_conv, self._bn1, active=True)
        yield _Step(self._project_conv, self._bn2, active=False)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for step in self.steps():
            y = step(y)
        return x + y if self.skips else y


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


def export_backbone(model: EfficientNetLite, size: int, path: Path, *, half: bool = True) -> Path:
    """Writes the frozen network as ONNX: "pixels" ``[N, 3, size, size]`` to "features" ``[N, F]``.

    Args:
        model: the network, in evaluation mode.
        size: side of a picture, pixels; a multiple of 32, so that all halvings come out even.
        path: the file to write; appears whole or not at all.
        half: weights stored in half precision and widened when the file is loaded: half the
            size, and features with a cosine above 0.9999 to the others.
    """
    if size % 32:
        raise ValueError(f"size {size} is not a multiple of 32")
    content = _graph(model, size, half).SerializeToString()
    with appearing_whole(path) as partial:
        partial.write_bytes(content)
    return path


class _LiteWriter(GraphWriter):
    """The parts of an EfficientNet-Lite as nodes."""

    def __init__(self, half: bool) -> None:
        super().__init__("weight")
        self.half = half

    def convolve(self, x: str, step: _Step, size: int) -> str:
        weight, bias = step.folded()
        kernel = (
            self.node("Cast", self.small(weight.astype(np.float16)), to=onnx.TensorProto.FLOAT)
            if self.half
            else self.small(weight)
        )
        before, after = _same_padding(size, step.convolution)
        x = self.node(
            "Conv", x, kernel, self.small(bias),
            pads=[before, before, after, after],
            strides=list(step.convolution.stride), group=step.convolution.groups,
        )  # fmt: skip
        return self.node("Clip", x, *self._relu6_limits()) if step.active else x

    def statistics(self, x: str) -> list[str]:
        mean = self.node("ReduceMean", x, axes=[2, 3], keepdims=1)
        centred = self.node("Sub", x, mean)
        variance = self.node("ReduceMean", self.node("Mul", centred, centred), axes=[2, 3])
        floor = self.small(np.array(VARIANCE_FLOOR, np.float32))
        deviation = self.node("Sqrt", self.node("Add", variance, floor))
        return [self.node("Flatten", mean), self.node("Flatten", deviation)]

    def colours(self, size: int, grid: int) -> str:
        field = [size // grid] * 2
        return self.node(
            "Flatten", self.node("AveragePool", "pixels", kernel_shape=field, strides=field)
        )

    def _relu6_limits(self) -> tuple[str, str]:
        return self.small(np.array(0, np.float32)), self.small(np.array(6, np.float32))


def _graph(model: EfficientNetLite, size: int, half: bool) -> onnx.ModelProto:
    writer, levels = _LiteWriter(half), []
    x, size_now = writer.convolve("pixels", model.stem, size), size // 2
    for block in model.blocks:
        if block.halves:
            levels += writer.statistics(x)
        x = _write_block(writer, block, x, size_now)
        size_now //= 2 if block.halves else 1
    levels += writer.statistics(x)
    levels += [writer.colours(size, grid) for grid in (LAYOUT_GRID, PICTURE_GRID)]
    writer.named("features", "Concat", *levels, axis=1)
    pixels: Value = ("pixels", ["N", 3, size, size])
    features: Value = ("features", ["N", model.architecture.feature_size])
    written = writer.model("geowhy_backbone", pixels, features)
    onnx.checker.check_model(written)
    return written


def _write_block(writer: _LiteWriter, block: _Block, x: str, size: int) -> str:
    y = x
    for step in block.steps():
        y = writer.convolve(y, step, size)
        size //= step.convolution.stride[0]
    return writer.node("Add", x, y) if block.skips else y


def _statistics(x: Tensor) -> Tensor:
    """Means, then deviations, of the channels: ``[N, C, H, W]`` to ``[N, 2 C]``."""
    mean = x.mean((2, 3), keepdim=True)
    variance = (x - mean).square().mean((2, 3))
    return torch.cat([mean.flatten(1), torch.sqrt(variance + VARIANCE_FLOOR)], dim=1)


def _same_padding(size: int, convolution: nn.Conv2d) -> tuple[int, int]:
    """Zeros before and after, as TensorFlow pads: the odd one comes after."""
    kernel, stride = convolution.kernel_size[0], convolution.stride[0]
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=NORM_EPSILON)


def _rounded_channels(channels: float) -> int:
    """The nearest multiple of 8, but never a tenth less."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
