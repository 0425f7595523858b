import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from geowhy.errors import ModelFormatError
from geowhy.model import backbone
from geowhy.model.backbone import OnnxBackbone
from geowhy.model.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(size=8, mean=0.0, std=1.0)


def write_means(path, output="features"):
    """A backbone whose features are the means of the channels."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["pixels"], [output], axes=[2, 3], keepdims=0)],
        "means",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 3])],
    )
    opset = helper.make_opsetid("", 17)
    path.write_bytes(
        helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    )
    onnx.checker.check_model(onnx.load(path))
    return path


@pytest.fixture
def means(tmp_path):
    return OnnxBackbone.load(write_means(tmp_path / "means.onnx"), PREPROCESSING, threads=1)


def test_features_are_the_graphs(means):
    stack = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
    np.testing.assert_allclose(means.embed(stack), stack.mean((1, 2)), rtol=1e-5)
    assert means.feature_size == 3
    assert means.name == "means"


def test_batches_change_nothing(means, monkeypatch):
    stack = np.random.default_rng(1).integers(0, 256, (7, 8, 8, 3), np.uint8)
    whole = means.embed(stack)
    monkeypatch.setattr(backbone, "BATCH", 3)
    assert (means.embed(stack) == whole).all()


def test_no_pictures_give_no_features(means):
    assert means.embed([]).shape == (0, 3)


def test_a_folder_stands_for_its_file(tmp_path):
    (tmp_path / "model").mkdir()
    write_means(tmp_path / "model" / "backbone.onnx")
    assert OnnxBackbone.load(tmp_path / "model", PREPROCESSING).name == "model"


def test_digest_is_that_of_the_weights(tmp_path, means):
    assert len(means.digest) == 64
    assert OnnxBackbone.load(write_means(tmp_path / "b.onnx"), PREPROCESSING).digest == means.digest


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFormatError, match=r"backbone\.onnx is missing"):
        OnnxBackbone.load(tmp_path, PREPROCESSING)


@pytest.mark.parametrize("damage", [b"", b"not onnx", None])
def test_damaged_file_is_named(tmp_path, damage):
    path = write_means(tmp_path / "damaged.onnx")
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    with pytest.raises(ModelFormatError, match=r"damaged\.onnx.*get the model again"):
        OnnxBackbone.load(path, PREPROCESSING)


def test_foreign_preprocessing_is_refused(tmp_path):
    path = write_means(tmp_path / "means.onnx")
    with pytest.raises(ModelFormatError, match="don't belong together"):
        OnnxBackbone.load(path, Preprocessing(size=16, mean=0.0, std=1.0))


def test_foreign_output_is_refused(tmp_path):
    path = write_means(tmp_path / "means.onnx", output="logits")
    with pytest.raises(ModelFormatError, match="logits"):
        OnnxBackbone.load(path, PREPROCESSING)
