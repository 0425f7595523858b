"""A tiny random CLIP, as transformers runs it and as the hub would publish it."""

import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

START, END = "<|startoftext|>", "<|endoftext|>"
SENTENCES = ["a photo of a desert", "a rain forest in the tropics", "snow on the mountains"]
LENGTH = 12  # tokens of a text in the tiny CLIP


def write_tokenizer(path):
    """A small one of CLIP's kind: byte-level BPE whose last two words are start and end."""
    words = pre_tokenizers.ByteLevel.alphabet()
    found = tokenizers.Tokenizer(models.BPE())
    found.normalizer = normalizers.Lowercase()
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=words, show_progress=False)
    found.train_from_iterator(SENTENCES, trainer)
    found.add_special_tokens([START, END])
    ids = [(word, found.token_to_id(word)) for word in (START, END)]
    found.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=ids
    )
    found.save(str(path))
    return found


def make_clip(folder, end_id=None):
    """A tiny random CLIP in the hub's format; returns it as transformers runs it."""
    folder.mkdir()
    tokenizer = write_tokenizer(folder / "tokenizer.json")
    ids = [tokenizer.token_to_id(word) for word in (START, END)]
    end = ids[1] if end_id is None else end_id
    shared = {"num_hidden_layers": 2, "num_attention_heads": 4, "projection_dim": 24}
    config = transformers.CLIPConfig(
        vision_config={"hidden_size": 32, "intermediate_size": 96, "image_size": 28,
                       "patch_size": 7, "layer_norm_eps": 1e-4, **shared},
        text_config={"hidden_size": 20, "intermediate_size": 48, "vocab_size": ids[1] + 1,
                     "max_position_embeddings": LENGTH, "bos_token_id": ids[0],
                     "eos_token_id": end, "pad_token_id": ids[1], **shared},
        projection_dim=24,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.CLIPModel(config).eval()
    with torch.no_grad():  # the usual start has biases of 0, which would hide a lost one
        for name, tensor in model.named_parameters():
            if "bias" in name or "norm" in name:
                tensor.add_(0.3 * torch.randn_like(tensor))
            elif "layers" in name:
                tensor.mul_(3)  # attention that looks somewhere
    model.save_pretrained(folder)
    return model


def random_pixels(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28, 3), np.uint8)


def assert_close(found, expected):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
