"""Networks are exported from what is trained, and run with the weights of any model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from geowhy.errors import ModelFormatError
from geowhy.model.networks import GRAPHS, run_network

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_networks.py"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    found = subprocess.run(
        [sys.executable, SCRIPT, "--output", folder], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    return folder


@pytest.mark.parametrize("name", ["image_head", "place_reader"])
def test_the_packaged_graph_is_that_of_the_network_as_it_is_now(exported, name):
    """Who changes a network must run the script: else what is trained isn't what answers."""
    now, packaged = (onnx.load(folder / f"{name}.onnx").graph for folder in (exported, GRAPHS))
    for ours, theirs in zip(now.node, packaged.node, strict=True):
        assert (ours.op_type, ours.input, ours.output) == (
            theirs.op_type,
            theirs.input,
            theirs.output,
        )
        assert list(ours.attribute) == list(theirs.attribute)
    assert list(now.initializer) == list(packaged.initializer)


def test_no_weight_and_no_path_of_a_machine_is_in_a_packaged_graph():
    for file in GRAPHS.glob("*.onnx"):
        model = onnx.load(file)
        assert all(np.prod(tensor.dims) <= 2 for tensor in model.graph.initializer), file
        assert b"/" not in file.read_bytes(), file


def test_weights_of_different_models_are_refused_by_name():
    tensors = {
        **{"mean": np.zeros(4), "spread": np.ones(4), "location_mean": np.zeros(2)},
        **{"hidden.weight": np.ones((3, 4)), "hidden.bias": np.zeros(3)},
        **{"head.weight": np.ones((2, 3)), "head.bias": np.zeros(2)},
    }
    (found,) = run_network("place_reader", tensors, read=np.ones((5, 4)))
    np.testing.assert_allclose(found, 12.0)
    tensors["head.weight"] = np.ones((2, 7))
    with pytest.raises(ModelFormatError, match=r"place_reader.*head\.weight \(2, 7\)"):
        run_network("place_reader", tensors, read=np.ones((5, 4)))
