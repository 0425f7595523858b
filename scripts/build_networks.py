"""Exports the trained networks as graphs, which the package carries. Needs train and dev.

Run it after a change of a network: ``python scripts/build_networks.py``. Weights become inputs, and
every size stays open, so that one graph serves all models.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from geowhy.concepts.bank import ConceptBank
from geowhy.model.networks import GRAPHS
from geowhy.model.place_reader import PLACE_READING_SIZE
from geowhy.training.aligner import TorchAligner, standardising
from geowhy.training.config import AlignmentConfig, PlaceReaderConfig
from geowhy.training.place_reader_torch import PlaceNetwork

# Sizes are all different and none is 1, so that no two become one in a graph.
VIEWS, FEATURES, SIZE, CONCEPTS = 3, 11, 5, 13


class WithWeights(nn.Module):
    """A network whose weights are inputs."""

    def __init__(self, network: nn.Module) -> None:
        """The network is no part of this one, or its weights would be constants."""
        super().__init__()
        self._network = (network,)

    def forward(self, inputs: tuple[Tensor, ...], weights: dict[str, Tensor]) -> Tensor:
        """What the network gives."""
        found: Tensor = torch.func.functional_call(self._network[0], weights, inputs)
        return found


def main() -> None:
    """Reads the command line and writes the graphs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=GRAPHS, help="the folder")
    output = parser.parse_args().output

    features = np.random.default_rng(0).normal(size=(50, FEATURES)).astype(np.float32)
    bank = ConceptBank(
        *((tuple(str(n) for n in range(CONCEPTS)),) * 3),
        np.zeros((SIZE, CONCEPTS), np.float32),
        source="none",
        vocabulary_digest="none",
    )
    config = AlignmentConfig(hidden=17, concept_hidden=19)
    head = TorchAligner(config, standardising(features), bank, np.zeros(SIZE, np.float32))
    _export(
        head,
        {"features": torch.zeros(VIEWS, FEATURES)},
        ["whitened", "embedding", "concepts"],
        output / "image_head.onnx",
    )
    _export(
        PlaceNetwork(PlaceReaderConfig(hidden=17, size=SIZE)),
        {"read": torch.zeros(VIEWS, PLACE_READING_SIZE)},
        ["embedding"],
        output / "place_reader.onnx",
    )


def _export(network: nn.Module, inputs: dict[str, Tensor], outputs: list[str], file: Path) -> None:
    weights = dict(network.eval().state_dict())
    used = dict.fromkeys((*inputs, *weights))
    program = torch.onnx.export(
        WithWeights(network).eval(),
        kwargs={"inputs": tuple(inputs.values()), "weights": weights},
        input_names=list(used),
        output_names=outputs,
        dynamic_shapes={
            "inputs": tuple(_open(tensor) for tensor in inputs.values()),
            "weights": {name: _open(tensor) for name, tensor in weights.items()},
        },
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    graph = model.graph
    read = {name for node in graph.node for name in node.input}
    for value in [value for value in graph.input if value.name not in read]:
        graph.input.remove(value)  # weights of the locations' side
    del graph.value_info[:], model.metadata_props[:], graph.metadata_props[:]
    for node in graph.node:
        del node.metadata_props[:]  # where in torch's code it comes from, and on which machine
    for value in (*graph.input, *graph.output):
        del value.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString())
    print(f"{file.name}: {len(graph.node)} nodes, {file.stat().st_size} bytes")


def _open(tensor: Tensor) -> dict[int, object]:
    """All sizes may differ but 1, which is there to be repeated."""
    return {axis: Dim.AUTO for axis, size in enumerate(tensor.shape) if size > 1}


if __name__ == "__main__":
    main()
