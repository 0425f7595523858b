"""EfficientNet-Lite as a frozen image backbone: torch weights to one ONNX file.

Its features are mean and standard deviation over the picture of every channel, before each halving
of the resolution and at the end. Early ones keep colour and texture, which tell more about a place
than the objects that the network was trained to name. None tells where in the picture something is,
so the mean colours of a grid follow.

The architecture ("EfficientNet-Lite", Liu, 2020) and the names of its published weights are
written out: the package ``efficientnet_lite_pytorch`` pads for one picture size only.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch

from geowhy.arrays import Floats64
from geowhy.assets.files import appearing_whole
from geowhy.errors import ModelFormatError
from geowhy.export.graph import GraphWriter, Value

__all__ = ["GRAPH_FILE", "LAYOUT_GRID", "LITE", "LiteArchitecture", "export_backbone"]

STEM_CHANNELS = 32
GRAPH_FILE = "backbone-4.onnx"  # another number whenever other features come out
LAYOUT_GRID = 8  # fields a side; 3 * 8 * 8 features are colour by row by column
_STAGES = (  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class _Step(NamedTuple):
    """A convolution and its normalisation, by their names; ReLU6 follows if it is ``active``."""

    convolution: str
    norm: str
    shape: tuple[int, int, int, int]  # outputs, inputs of a group, rows, columns
    stride: int = 1
    groups: int = 1
    active: bool = True


_STEM = _Step("_conv_stem", "_bn0", (STEM_CHANNELS, 3, 3, 3), stride=2)


class _Block(NamedTuple):
    """Widens, convolves each channel on its own, and narrows again (MBConv without squeeze)."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    expansion: int

    def steps(self) -> Iterator[_Step]:
        name, wide, kernel = self.name, self.inputs * self.expansion, self.kernel
        if self.expansion != 1:
            yield _Step(f"{name}._expand_conv", f"{name}._bn0", (wide, self.inputs, 1, 1))
        shape = (wide, 1, kernel, kernel)
        yield _Step(f"{name}._depthwise_conv", f"{name}._bn1", shape, self.stride, groups=wide)
        shape = (self.outputs, wide, 1, 1)
        yield _Step(f"{name}._project_conv", f"{name}._bn2", shape, active=False)


@dataclass(frozen=True, slots=True)
class LiteArchitecture:
    """One size of the EfficientNet-Lite family."""

    width: float  # factor on the channels
    depth: float  # factor on the blocks of a stage

    def blocks(self) -> list[_Block]:
        """The blocks from the stem on; the first and the last stage never grow deeper."""
        blocks: list[_Block] = []
        channels = STEM_CHANNELS
        for index, (repeats, kernel, stride, expansion, base) in enumerate(_STAGES):
            # The nearest multiple of 8, but never a tenth less.
            outputs = max(8, int(base * self.width + 4) // 8 * 8)
            outputs += 8 if outputs < 0.9 * base * self.width else 0
            fixed = index in (0, len(_STAGES) - 1)
            for repeat in range(repeats if fixed else math.ceil(repeats * self.depth)):
                name, step = f"_blocks.{len(blocks)}", 1 if repeat else stride
                blocks.append(_Block(name, channels, outputs, kernel, step, expansion))
                channels = outputs
        return blocks

    @property
    def feature_size(self) -> int:
        """Length of a feature vector: two statistics of each channel of each level, colours."""
        blocks = self.blocks()
        channels = sum(b.inputs for b in blocks if b.stride == 2) + blocks[-1].outputs
        return 2 * channels + 3 * LAYOUT_GRID**2


LITE = {0: LiteArchitecture(1.0, 1.0), 2: LiteArchitecture(1.1, 1.2)}


def export_backbone(weights: Path, architecture: LiteArchitecture, size: int, path: Path) -> Path:
    """Writes the frozen network as ONNX: "pixels" ``[N, 3, size, size]`` to "features" ``[N, F]``.

    It goes up to the last block, without head and classifier. Weights are stored in half precision
    and widened when the file is loaded: half the size, and features with a cosine above 0.9999 to
    the others. ``weights`` is a ``.pth`` file as published, ``size`` the side of a picture, pixels.

    Raises:
        ModelFormatError: if the weights can't be read or are another network's.
        ValueError: if ``size`` is no multiple of 32: not all halvings would come out even.
    """
    if size % 32:
        raise ValueError(f"size {size} is not a multiple of 32")
    blocks, levels = architecture.blocks(), []
    steps = [_STEM, *(step for block in blocks for step in block.steps())]
    writer = _LiteWriter(_load(weights, steps))
    x, side = writer.convolve("pixels", _STEM, size), size // 2
    for block in blocks:
        if block.stride == 2:
            levels += writer.statistics(x)
        y = x
        for step in block.steps():
            y = writer.convolve(y, step, side)
            side //= step.stride
        skips = block.stride == 1 and block.inputs == block.outputs
        x = writer.node("Add", x, y) if skips else y
    levels += writer.statistics(x)
    field = [size // LAYOUT_GRID] * 2
    colours = writer.node("AveragePool", "pixels", kernel_shape=field, strides=field)
    levels.append(writer.node("Flatten", colours))
    writer.named("features", "Concat", *levels, axis=1)
    pixels: Value = ("pixels", ["N", 3, size, size])
    features: Value = ("features", ["N", architecture.feature_size])
    graph = writer.model("geowhy_backbone", pixels, features)
    onnx.checker.check_model(graph)
    with appearing_whole(path) as partial:
        partial.write_bytes(graph.SerializeToString())
    return path


def _load(path: Path, steps: list[_Step]) -> dict[str, Floats64]:
    """What the steps need of published weights, by name."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelFormatError(f"{path}: not a file of torch weights ({error})") from error
    shapes: dict[str, tuple[int, ...]] = {}
    for step in steps:
        shapes[f"{step.convolution}.weight"] = step.shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{step.norm}.{part}"] = step.shape[:1]
    found = state if isinstance(state, dict) else {}
    for name, shape in shapes.items():
        if not isinstance(found.get(name), torch.Tensor) or found[name].shape != shape:
            raise ModelFormatError(f"{path}: weights of another network ({name} isn't {shape})")
    return {name: found[name].detach().double().numpy() for name in shapes}


class _LiteWriter(GraphWriter):
    def __init__(self, published: Mapping[str, Floats64]) -> None:
        super().__init__("weight")
        self._published = published

    def convolve(self, x: str, step: _Step, size: int) -> str:
        """With the normalisation folded into it, and padded as TensorFlow pads."""
        parts = ("weight", "bias", "running_mean", "running_var")
        factor, bias, mean, variance = (self._published[f"{step.norm}.{part}"] for part in parts)
        scale = factor / np.sqrt(variance + 1e-3)
        kernel = self._published[f"{step.convolution}.weight"] * scale[:, None, None, None]
        half = self.small(kernel.astype(np.float32).astype(np.float16))
        widened = self.node("Cast", half, to=onnx.TensorProto.FLOAT)
        total = max((math.ceil(size / step.stride) - 1) * step.stride + step.shape[2] - size, 0)
        before, after = total // 2, total - total // 2  # the odd zero comes after
        x = self.node(
            "Conv", x, widened, self.small((bias - mean * scale).astype(np.float32)),
            pads=[before, before, after, after], strides=[step.stride] * 2, group=step.groups,
        )  # fmt: skip
        return self.node("Clip", x, self.number(0), self.number(6)) if step.active else x

    def statistics(self, x: str) -> list[str]:
        """Means and deviations of the channels."""
        mean = self.node("ReduceMean", x, axes=[2, 3], keepdims=1)
        centred = self.node("Sub", x, mean)
        variance = self.node("ReduceMean", self.node("Mul", centred, centred), axes=[2, 3])
        # A flat channel's root stays off 0.
        floored = self.node("Add", variance, self.number(1e-10))
        deviation = self.node("Sqrt", floored)
        return [self.node("Flatten", mean), self.node("Flatten", deviation)]
