"""EfficientNet-Lite in torch, with the names of the published weights: what the graph must equal.

It comes from the sizes of `LiteArchitecture`, and pads, normalises and activates by itself.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from geowhy.export.backbone_export import LAYOUT_GRID


class EfficientNetLite(nn.Module):
    """The network up to its last block, without head and classifier."""

    def __init__(self, architecture):
        super().__init__()
        self._conv_stem = convolution(3, 32, 3, stride=2)
        self._bn0 = norm(32)
        self._blocks = nn.ModuleList(Block(shape) for shape in architecture.blocks())

    def stem(self, x):
        return functional.relu6(self._bn0(padded(self._conv_stem, x)))

    def forward(self, x):
        colours = functional.adaptive_avg_pool2d(x, LAYOUT_GRID).flatten(1)
        x, levels = self.stem(x), []
        for block in self._blocks:
            if block.shape.stride == 2:
                levels.append(statistics(x))
            x = block(x)
        return torch.cat([*levels, statistics(x), colours], dim=1)


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape, wide = shape, shape.inputs * shape.expansion
        if shape.expansion != 1:
            self._expand_conv = convolution(shape.inputs, wide, 1)
            self._bn0 = norm(wide)
        self._depthwise_conv = convolution(wide, wide, shape.kernel, shape.stride, groups=wide)
        self._bn1 = norm(wide)
        self._project_conv = convolution(wide, shape.outputs, 1)
        self._bn2 = norm(shape.outputs)

    def forward(self, x):
        y = x
        if self.shape.expansion != 1:
            y = functional.relu6(self._bn0(padded(self._expand_conv, y)))
        y = functional.relu6(self._bn1(padded(self._depthwise_conv, y)))
        y = self._bn2(padded(self._project_conv, y))
        return x + y if y.shape == x.shape else y


def convolution(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3)


def padded(layer, x):
    """As TensorFlow does; the odd zero comes after."""
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    size = x.shape[-1]
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return layer(functional.pad(x, (total // 2, total - total // 2) * 2))


def statistics(x):
    """Means, then deviations, of the channels."""
    mean, variance = x.mean((2, 3)), x.var((2, 3), correction=0)
    return torch.cat([mean, torch.sqrt(variance + 1e-10)], dim=1)
