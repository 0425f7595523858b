import json
import os
import shutil

import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import load_file, save_file

from geowhy.errors import MissingExtraError, ModelFormatError
from geowhy.export.clip import (
    CLIP_FILES,
    CLIP_PATCHES,
    ClipTextEncoder,
    convert_clip,
    load_clip_backbone,
)

from .clip_maker import END, LENGTH, assert_close, make_clip, random_pixels


def expected_images(model, backbone, pixels):
    with torch.inference_mode():
        values = torch.tensor(backbone.preprocessing(pixels))
        return model.visual_projection(model.vision_model(values).pooler_output).numpy()


def expected_texts(model, tokens):
    with torch.inference_mode():
        return model.text_projection(model.text_model(torch.tensor(tokens)).pooler_output).numpy()


def cosines(a, b):
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def test_conversion_writes_its_files_and_no_others(converted):
    assert sorted(os.listdir(converted)) == sorted([*CLIP_FILES, CLIP_PATCHES])
    config = json.loads((converted / "config.json").read_text())
    assert config["kind"] == "clip"
    assert config["projection"] == 24
    assert config["vision"]["layers"] == 2


@pytest.mark.parametrize("count", [1, 2, 7, 17])
def test_image_features_are_those_of_transformers(published, converted, count):
    backbone = load_clip_backbone(converted)
    pixels = random_pixels(count)
    assert_close(backbone.embed(pixels), expected_images(published[1], backbone, pixels))


def test_image_backbone_says_what_it_is(converted):
    backbone = load_clip_backbone(converted)
    assert backbone.feature_size == 24
    assert backbone.preprocessing.size == 28
    assert backbone.name == converted.name
    assert backbone.embed([]).shape == (0, 24)


def test_digest_changes_when_only_a_weight_does(published, converted, tmp_path):
    source = shutil.copytree(published[0], tmp_path / "source")
    tensors = load_file(source / "model.safetensors")
    tensors["vision_model.post_layernorm.bias"] += 1e-3
    save_file(tensors, source / "model.safetensors")
    (tmp_path / "out").mkdir()
    convert_clip(source, tmp_path / "out")
    for int8 in (False, True):
        before, after = (
            load_clip_backbone(f, int8=int8).digest for f in (converted, tmp_path / "out")
        )
        assert before != after


def test_int8_features_are_nearly_the_same(converted):
    pixels = random_pixels(40)
    whole = load_clip_backbone(converted).embed(pixels)
    rounded = load_clip_backbone(converted, int8=True).embed(pixels)
    found = cosines(whole, rounded)
    assert found.min() >= 0.999
    assert found.min() < 1 - 1e-7  # it is another file
    others = cosines(whole, np.roll(rounded, 1, axis=0))
    assert (found > others).all()


def test_int8_features_do_not_depend_on_the_batch(converted):
    backbone = load_clip_backbone(converted, int8=True)
    pixels = random_pixels(9)
    pixels[3] = 0
    together = backbone.embed(pixels)
    alone = np.concatenate([backbone.embed(pixels[i : i + 1]) for i in range(9)])
    assert np.abs(together - alone).max() <= 1e-5 * np.abs(together).max()


def random_tokens(published, count):
    words = published[1].config.text_config.vocab_size
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, words - 2, (count, LENGTH))
    tokens[:, 0] = words - 2
    for row in tokens:
        row[rng.integers(1, LENGTH) :] = words - 1
    return tokens


def run_text(folder, tokens):
    return ClipTextEncoder.load(folder).session.run(["features"], {"tokens": tokens})[0]


@pytest.mark.parametrize("count", [1, 3, 33])
def test_text_features_are_those_of_transformers(published, converted, count):
    tokens = random_tokens(published, count)
    assert_close(run_text(converted, tokens), expected_texts(published[1], tokens))


def test_legacy_end_is_the_highest_id(tmp_path, published):
    model = make_clip(tmp_path / "legacy", end_id=2)
    (tmp_path / "out").mkdir()
    convert_clip(tmp_path / "legacy", tmp_path / "out")
    tokens = random_tokens(published, 5)
    tokens[:, 1] = 2  # an ordinary word
    assert_close(run_text(tmp_path / "out", tokens), expected_texts(model, tokens))


def test_texts_are_read_as_by_transformers(published, converted):
    folder, model = published
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token=END
    )
    texts = ["a photo of a desert", "", "Snow, on the MOUNTAINS of the north " * 5, "hōtel ☃"]
    tokens = fast(texts, padding="max_length", truncation=True, max_length=LENGTH)["input_ids"]
    assert tokens[2][-1] == tokens[0][-1]  # a text too long still ends
    found = ClipTextEncoder.load(converted).encode(texts)
    assert_close(found, expected_texts(model, np.array(tokens)))


def test_many_texts_go_in_batches(converted):
    told = []
    encoder = ClipTextEncoder.load(converted, lambda *counts: told.append(counts))
    texts = [f"photo {number}" for number in range(70)]
    together = encoder.encode(texts)
    assert told == [(32, 70), (64, 70), (70, 70)]
    assert_close(together, np.concatenate([encoder.encode([text]) for text in texts]))
    assert encoder.encode([]).shape == (0, 24)


def test_text_encoder_without_tokenizers_says_which_extra(converted, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match=r"geowhy\[clip\]"):
        ClipTextEncoder.load(converted)


@pytest.fixture
def source(published, tmp_path):
    return shutil.copytree(published[0], tmp_path / "source")


def assert_refused(source, tmp_path, message):
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ModelFormatError, match=message):
        convert_clip(source, out)
    assert list(out.iterdir()) == []


MISSING = "vision_model.encoder.layers.1.mlp.fc2.bias"


def test_missing_tensor_is_named(source, tmp_path):
    tensors = load_file(source / "model.safetensors")
    del tensors[MISSING]
    save_file(tensors, source / "model.safetensors")
    assert_refused(source, tmp_path, f"lacks the tensor {MISSING}")


def test_wrong_shape_is_named(source, tmp_path):
    tensors = load_file(source / "model.safetensors")
    tensors["text_projection.weight"] = np.zeros((24, 21), np.float32)
    save_file(tensors, source / "model.safetensors")
    assert_refused(source, tmp_path, r"text_projection\.weight is \[24, 21\] instead of \[24, 20\]")


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("cut", [0, 0.5, None])
def test_cut_or_missing_files_are_refused(source, tmp_path, file, cut):
    content = (source / file).read_bytes()
    if cut is None:
        (source / file).unlink()
    else:
        (source / file).write_bytes(content[: int(cut * len(content))])
    assert_refused(source, tmp_path, file.replace(".", r"\."))


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("vision_config", {"hidden_act": "gelu"}, "quick_gelu"),
        ("vision_config", {"num_attention_heads": 5}, "impossible size"),
        ("vision_config", {"num_attention_heads": 0}, "impossible size"),
        ("text_config", {"vocab_size": "many"}, "impossible size"),
        ("vision_config", {"image_size": 30}, "divide into patches"),
    ],
)
def test_other_architectures_are_refused(source, tmp_path, section, change, message):
    config = json.loads((source / "config.json").read_text())
    config[section] |= change
    (source / "config.json").write_text(json.dumps(config))
    assert_refused(source, tmp_path, message)


def test_sizes_that_published_files_leave_out_are_the_usual(source, converted, tmp_path):
    config = json.loads((source / "config.json").read_text())
    del config["vision_config"]["hidden_act"], config["text_config"]["layer_norm_eps"]
    (source / "config.json").write_text(json.dumps(config))
    (tmp_path / "out").mkdir()
    convert_clip(source, tmp_path / "out")
    names = ("image.onnx", "text.onnx")
    assert all((converted / n).read_bytes() == (tmp_path / "out" / n).read_bytes() for n in names)


def test_half_precision_weights_are_widened(source, tmp_path):
    tensors = load_file(source / "model.safetensors")
    halved = {k: v.astype(np.float16) for k, v in tensors.items() if "position_ids" not in k}
    outputs = []
    for kind in (np.float16, np.float32):
        save_file({k: v.astype(kind) for k, v in halved.items()}, source / "model.safetensors")
        out = tmp_path / np.dtype(kind).name
        out.mkdir()
        convert_clip(source, out)
        outputs.append((out / "image.data").read_bytes())
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("file", ["image.onnx", "image.data", "config.json"])
@pytest.mark.parametrize("missing", [True, False])
def test_damaged_converted_files_are_refused(converted, tmp_path, file, missing):
    folder = shutil.copytree(converted, tmp_path / "copy")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    if missing:
        (folder / file).unlink()
    with pytest.raises(ModelFormatError, match="get"):
        load_clip_backbone(folder)


def test_ctrl_c_leaves_no_half_weights(source, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("geowhy.export.clip_graph._Tower.attend", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert_clip(source, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
