import shutil

import numpy as np
import onnx
import pytest
import torch

from geowhy.errors import ConfigError, ModelFormatError
from geowhy.export.clip import CLIP_PATCHES, load_clip_backbone
from geowhy.export.clip_graph import write_image
from geowhy.export.clip_weights import ClipSizes

from .clip_maker import assert_close, random_pixels


@pytest.fixture
def copied(converted, tmp_path):
    return shutil.copytree(converted, tmp_path / "copied")


def expected_patches(model, values):
    """MaskCLIP's: in the last layer, a token's value instead of its attention."""
    vision = model.vision_model
    last = vision.encoder.layers[-1]
    with torch.inference_mode():
        x = vision(torch.tensor(values), output_hidden_states=True).hidden_states[-2]
        x = x + last.self_attn.out_proj(last.self_attn.v_proj(last.layer_norm1(x)))
        x = x + last.mlp(last.layer_norm2(x))
        found = model.visual_projection(vision.post_layernorm(x))[:, 1:]
    return found.reshape(-1, 4, 4, 24).numpy()


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_patches_are_those_of_transformers(published, converted, count):
    backbone = load_clip_backbone(converted)
    pixels = random_pixels(count)
    found = backbone.patches(pixels)
    assert found.dtype == np.float32
    assert found.shape == (count, 4, 4, 24)
    if count:
        assert_close(found, expected_patches(published[1], backbone.preprocessing(pixels)))


def test_patches_are_single_precision_beside_the_tower_in_8_bits(converted):
    whole, rounded = (load_clip_backbone(converted, int8=i) for i in (False, True))
    assert rounded.has_patches
    assert (whole.patches(random_pixels(2)) == rounded.patches(random_pixels(2))).all()


def test_the_ordinary_graph_is_the_same_without_patches(published, converted, tmp_path):
    config = published[1].config.to_dict()
    weights, sizes = published[0] / "model.safetensors", ClipSizes.from_config(config)
    write_image(weights, sizes, tmp_path / "image.onnx", int8=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.data", "image.onnx"]
    for name in ("image.onnx", "image.data"):
        assert (tmp_path / name).read_bytes() == (converted / name).read_bytes()


def test_weights_are_read_where_the_ordinary_graph_has_them(converted):
    graphs = [
        onnx.load(converted / name, load_external_data=False).graph
        for name in ("image.onnx", CLIP_PATCHES)
    ]
    places, patch_places = (
        {
            tensor.name: {entry.key: entry.value for entry in tensor.external_data}
            for tensor in graph.initializer
            if tensor.external_data
        }
        for graph in graphs
    )
    own = sorted(patch_places.keys() - places.keys())
    last = "encoder.layers.1.self_attn.q_proj"
    assert own == [f"{last}.bias.last_rows", f"{last}.weight.last_rows"]
    assert all(patch_places[n] == places[n] for n in patch_places.keys() & places.keys())
    for name in own:
        part, whole = patch_places[name], places[name.removesuffix(".last_rows")]
        assert part["location"] == "image.data"
        ends = [int(place["offset"]) + int(place["length"]) for place in (part, whole)]
        assert ends[0] == ends[1]
        assert 3 * int(part["length"]) == int(whole["length"])
    assert (converted / CLIP_PATCHES).stat().st_size < 10_000


def test_a_folder_of_an_earlier_geowhy_has_no_patches(converted, copied):
    (copied / CLIP_PATCHES).unlink()
    backbone = load_clip_backbone(copied)
    assert not backbone.has_patches
    with pytest.raises(ConfigError, match=r"copied.*occlusion.*geowhy models get clip"):
        backbone.patches(random_pixels(1))
    before = load_clip_backbone(converted)
    assert (backbone.embed(random_pixels(3)) == before.embed(random_pixels(3))).all()
    assert backbone.digest == before.digest


def test_the_graph_of_patches_is_opened_when_it_is_needed(copied):
    (copied / CLIP_PATCHES).write_bytes(b"no graph")
    backbone = load_clip_backbone(copied)
    assert backbone.embed(random_pixels(1)).shape == (1, 24)
    with pytest.raises(ModelFormatError, match=r"image-patches\.onnx.*get"):
        backbone.patches(random_pixels(1))


def test_a_graph_of_something_else_is_refused(copied):
    shutil.copy(copied / "image.onnx", copied / CLIP_PATCHES)
    with pytest.raises(ModelFormatError, match=r"image-patches\.onnx.*square grid"):
        load_clip_backbone(copied).patches(random_pixels(1))
