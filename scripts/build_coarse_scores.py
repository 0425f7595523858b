"""Makes the graph of `geowhy.heads.quantized`, which the package carries. Needs the extra train.

Products of 8-bit codes are summed as whole numbers, then scaled. The two planes of a query, 7 bits
each, are put together by ``combine``.
"""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from geowhy.heads.quantized import GRAPH, ZERO


def main() -> None:
    """Writes it."""
    value = helper.make_tensor_value_info
    inputs = [
        value("codes", TensorProto.UINT8, ["B", "d"]),
        value("planes", TensorProto.INT8, ["d", "2N"]),
        value("combine", TensorProto.FLOAT, ["2N", "N"]),
        value("step", TensorProto.FLOAT, ["B", 1]),
    ]
    nodes = [
        helper.make_node("MatMulInteger", ["codes", "planes", "zero"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["products"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["products", "combine"], ["combined"]),
        helper.make_node("Mul", ["combined", "step"], ["by_place"]),
        helper.make_node("Transpose", ["by_place"], ["scores"], perm=[1, 0]),
    ]
    graph = helper.make_graph(
        nodes,
        "coarse_scores",
        inputs,
        [value("scores", TensorProto.FLOAT, ["N", "B"])],
        [helper.make_tensor("zero", TensorProto.UINT8, [], [ZERO])],
    )
    # Opset 17 and IR 9: what the oldest onnxruntime that geowhy takes can read.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    GRAPH.parent.mkdir(exist_ok=True)
    GRAPH.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
