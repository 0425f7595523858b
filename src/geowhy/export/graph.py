"""Collects the nodes of an ONNX graph and makes a model of them. Needs onnx."""

from __future__ import annotations

import numpy as np
import onnx

from geowhy.arrays import Array

__all__ = ["GraphWriter", "Value"]

OPSET, IR_VERSION = 17, 8  # read by every onnxruntime that runs on Python 3.11

Value = tuple[str, list[str | int]]  # name and shape


class GraphWriter:
    """Nodes and constants in the order in which they are written; values go by name."""

    def __init__(self, prefix: str = "constant") -> None:
        """``prefix`` is how the names of constants begin."""
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._prefix = prefix

    def node(self, kind: str, *inputs: str, **attributes: float | list[int]) -> str:
        """A node, and the name of what it gives."""
        return self.named(f"{kind.lower()}_{len(self.nodes)}", kind, *inputs, **attributes)

    def named(self, output: str, kind: str, *inputs: str, **attributes: float | list[int]) -> str:
        """A node that gives ``output``."""
        node = onnx.helper.make_node(kind, inputs, [output])
        node.attribute.extend(onnx.helper.make_attribute(k, v) for k, v in attributes.items())
        self.nodes.append(node)
        return output

    def small(self, array: Array) -> str:
        """A constant ``[...]`` inside the graph's own file."""
        name = f"{self._prefix}_{len(self.weights)}"
        self.weights.append(onnx.numpy_helper.from_array(array, name))
        return name

    def number(self, value: float) -> str:
        """A constant of float32."""
        return self.small(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        """A constant of int64."""
        return self.small(np.array(values, np.int64))

    def model(
        self, name: str, taken: Value, given: Value, kind: int = onnx.TensorProto.FLOAT
    ) -> onnx.ModelProto:
        """The part of the graph that ``given`` needs; what goes in is of the type ``kind``."""
        wanted, nodes = {given[0]}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                nodes.append(node)
                wanted.update(node.input)
        value = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            nodes[::-1],
            name,
            [value(taken[0], kind, taken[1])],
            [value(given[0], onnx.TensorProto.FLOAT, given[1])],
            [tensor for tensor in self.weights if tensor.name in wanted],
        )
        return onnx.helper.make_model(
            graph,
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="geowhy",
        )
