import numpy as np
import onnx
import pytest
import torch

from geowhy.errors import ModelFormatError
from geowhy.export.backbone_export import LITE, LiteArchitecture, export_backbone
from geowhy.model.backbone import OnnxBackbone
from geowhy.model.preprocessing import Preprocessing

from .lite import EfficientNetLite

TINY = LiteArchitecture(width=0.25, depth=0.4)
PREPROCESSING = Preprocessing(size=64, mean=127.0, std=128.0)


@pytest.fixture(scope="module")
def tiny():
    """A small network with random weights and with statistics of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = EfficientNetLite(TINY)
        with torch.no_grad():
            for _ in range(3):
                model(torch.randn(8, 3, 64, 64))
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def published(tiny, tmp_path_factory):
    """Its weights as a file, with those of the head and the classifier; some want gradients."""
    unused = ("_conv_head.weight", "_bn1.bias", "_fc.bias")
    path = tmp_path_factory.mktemp("weights") / "w.pth"
    weights = tiny.state_dict() | {name: torch.ones(1) for name in unused}
    weights["_bn0.bias"] = torch.nn.Parameter(weights["_bn0.bias"])
    torch.save(weights, path)
    return path


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)


def features_of(model, pictures):
    return model(torch.from_numpy(PREPROCESSING(pictures))).numpy()


def test_sizes_are_those_of_the_published_networks():
    assert LITE[2].feature_size == 2 * (16 + 24 + 48 + 120 + 352) + 192
    assert LITE[0].feature_size == 2 * (16 + 24 + 40 + 112 + 320) + 192
    assert [len(list(LITE[n].blocks())) for n in (0, 2)] == [16, 21]


def test_names_of_the_weights_are_the_published_ones():
    names = EfficientNetLite(LITE[2]).state_dict().keys()
    assert {"_conv_stem.weight", "_bn0.running_mean", "_blocks.1._expand_conv.weight",
            "_blocks.20._bn2.running_var"} <= names  # fmt: skip
    assert len(names) == 386 - 1 - 5 - 2  # without the head, its norm and the classifier


def test_features_are_means_and_deviations(tiny, pictures):
    features = features_of(tiny, pictures)
    assert features.shape == (3, TINY.feature_size)
    first = tiny._blocks[0](tiny.stem(torch.from_numpy(PREPROCESSING(pictures)))).numpy()
    count = first.shape[1]
    np.testing.assert_allclose(features[:, :count], first.mean((2, 3)), atol=1e-5)
    np.testing.assert_allclose(features[:, count : 2 * count], first.std((2, 3)), atol=1e-4)


def test_the_layout_tells_where_colours_are(tiny):
    picture = np.full((1, 64, 64, 3), 127, np.uint8)
    picture[0, 8:16, 48:56, 2] = 255  # second row, seventh column, blue
    features = features_of(tiny, picture)[0]
    layout = features[-192:].reshape(3, 8, 8)
    assert layout[2, 1, 6] == 1
    assert np.abs(layout).sum() == 1


@pytest.mark.parametrize("flat", [0, 255])
def test_flat_pictures_have_finite_features(tiny, flat):
    assert np.isfinite(features_of(tiny, np.full((1, 64, 64, 3), flat, np.uint8))).all()


def test_onnx_equals_torch_but_for_half_precision_of_the_weights(
    tiny, published, pictures, tmp_path
):
    export_backbone(published, TINY, 64, tmp_path / "b.onnx")
    found = OnnxBackbone.load(tmp_path / "b.onnx", PREPROCESSING, threads=1).embed(pictures)
    expected = features_of(tiny, pictures)
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((found * expected).sum(1) / norms).min() > 0.9999


def test_half_precision_halves_the_file(tiny, published, tmp_path):
    half = export_backbone(published, TINY, 64, tmp_path / "half.onnx").stat().st_size
    assert half < 0.65 * 4 * sum(tensor.numel() for tensor in tiny.state_dict().values())
    kinds = {w.data_type for w in onnx.load(tmp_path / "half.onnx").graph.initializer if w.dims}
    assert onnx.TensorProto.FLOAT16 in kinds


def test_the_same_network_gives_the_same_file(published, tmp_path):
    first = export_backbone(published, TINY, 64, tmp_path / "a.onnx").read_bytes()
    assert export_backbone(published, TINY, 64, tmp_path / "b.onnx").read_bytes() == first


def test_odd_sizes_are_refused(published, tmp_path):
    with pytest.raises(ValueError, match="multiple of 32"):
        export_backbone(published, TINY, 100, tmp_path / "b.onnx")


@pytest.mark.parametrize("change", [{}, {"_bn0.bias": None}, {"_bn0.bias": "x"}])
def test_weights_of_another_network_are_refused(tiny, tmp_path, change):
    torch.save(tiny.state_dict() | change, tmp_path / "w.pth")
    with pytest.raises(ModelFormatError, match="another network"):
        export_backbone(tmp_path / "w.pth", TINY if change else LITE[0], 64, tmp_path / "b.onnx")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02cos\nsystem\n."])
def test_files_that_are_no_weights_are_refused(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(ModelFormatError, match=r"w\.pth"):
        export_backbone(tmp_path / "w.pth", TINY, 64, tmp_path / "b.onnx")
