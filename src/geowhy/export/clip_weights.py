"""CLIP's weights as published: sizes from config.json, tensors checked by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from geowhy.arrays import Floats32
from geowhy.errors import ModelFormatError

__all__ = ["LEGACY_END", "ClipSizes", "TextSizes", "VisionSizes", "check_weights", "read_tensor"]

LEGACY_END = 2  # an end-of-text id that published CLIPs have in error; theirs is the highest id
# Sizes by their names in a published config.json; what it leaves out is as in CLIP ViT-B/32.
_VISION = {
    "width": ("hidden_size", 768), "hidden": ("intermediate_size", 3072),
    "layers": ("num_hidden_layers", 12), "heads": ("num_attention_heads", 12),
    "epsilon": ("layer_norm_eps", 1e-5),
    "picture": ("image_size", 224), "patch": ("patch_size", 32),
}  # fmt: skip
_TEXT = {
    "width": ("hidden_size", 512), "hidden": ("intermediate_size", 2048),
    "layers": ("num_hidden_layers", 12), "heads": ("num_attention_heads", 8),
    "epsilon": ("layer_norm_eps", 1e-5),
    "words": ("vocab_size", 49408), "length": ("max_position_embeddings", 77),
    "end": ("eos_token_id", 49407),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _TowerSizes:
    width: int  # numbers a token
    hidden: int  # numbers a token inside the feed-forward part
    layers: int
    heads: int  # of the attention
    epsilon: float  # of the normalisation


@dataclass(frozen=True, slots=True)
class VisionSizes(_TowerSizes):
    """Of the image tower."""

    picture: int  # side, pixels
    patch: int  # side, pixels

    @property
    def tokens(self) -> int:
        """Patches, and the one that stands for the picture."""
        return (self.picture // self.patch) ** 2 + 1


@dataclass(frozen=True, slots=True)
class TextSizes(_TowerSizes):
    """Of the text tower."""

    words: int  # entries of the vocabulary
    length: int  # tokens of a text
    end: int  # id of the end-of-text token; `LEGACY_END` means the highest id of a text

    @property
    def tokens(self) -> int:
        """The same as its length."""
        return self.length


@dataclass(frozen=True, slots=True)
class ClipSizes:
    """Of both towers; ``projection`` is the length of an embedding."""

    vision: VisionSizes
    text: TextSizes
    projection: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ClipSizes:
        """Out of a published config.json.

        Raises:
            ModelFormatError: if it is of another architecture, or a size is impossible.
        """
        for name in ("vision_config", "text_config"):
            if not isinstance(config.get(name), dict):
                raise _other(f"it has no section {name}")
        sections = config["vision_config"], config["text_config"]
        vision, text = (
            {field: section.get(name, usual) for field, (name, usual) in known.items()}
            for section, known in zip(sections, (_VISION, _TEXT), strict=True)
        )
        sizes = cls(VisionSizes(**vision), TextSizes(**text), config.get("projection_dim", 512))
        activations = tuple(section.get("hidden_act", "quick_gelu") for section in sections)
        if activations != ("quick_gelu", "quick_gelu"):
            raise _other(f"its activations are {activations}, and geowhy writes quick_gelu")
        for tower in (sizes.vision, sizes.text):
            numbers = [number for name, number in asdict(tower).items() if name != "epsilon"]
            if not all(type(n) is int and n > 0 for n in numbers) or tower.width % tower.heads:
                raise _other(f"{tower} has an impossible size")
        side = sizes.vision.picture
        if side % sizes.vision.patch:
            raise _other(f"pictures of {side} pixels don't divide into patches")
        return sizes


def _other(reason: str) -> ModelFormatError:
    return ModelFormatError(f"config.json is not of a CLIP that geowhy can convert: {reason}")


def read_tensor(path: Path, name: str) -> Floats32:
    """One tensor of model.safetensors, float32; half precision is widened.

    Raises:
        ModelFormatError: if the file is damaged or lacks it.
    """
    try:
        with safe_open(path, "numpy") as file:  # opened anew, so that nothing stays mapped
            return np.asarray(file.get_tensor(name), np.float32)
    except (OSError, SafetensorError, TypeError) as error:
        raise ModelFormatError(
            f"{path}: tensor {name} can't be read ({error}); get CLIP again"
        ) from error


def check_weights(path: Path, sizes: ClipSizes) -> None:
    """Compares names and shapes in model.safetensors with what the towers need, and no others.

    Raises:
        ModelFormatError: if the file is damaged, or naming the first tensor that is amiss.
    """
    try:
        with safe_open(path, "numpy") as file:
            names = file.keys()
            found = {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelFormatError(f"{path}: missing or damaged ({error}); get CLIP again") from error
    for name, shape in _needed_shapes(sizes).items():
        if name not in found:
            raise ModelFormatError(
                f"{path} lacks the tensor {name}: not the CLIP that its config.json describes; get "
                "CLIP again"
            )
        if found[name] != shape:
            raise ModelFormatError(
                f"{path}: tensor {name} is {list(found[name])} instead of {list(shape)}: weights "
                "and config.json are of different models; get CLIP again"
            )


def _needed_shapes(sizes: ClipSizes) -> dict[str, tuple[int, ...]]:
    vision, text = sizes.vision, sizes.text
    shapes: dict[str, tuple[int, ...]] = {
        "vision_model.embeddings.class_embedding": (vision.width,),
        "vision_model.embeddings.patch_embedding.weight": (
            (vision.width, 3, vision.patch, vision.patch)
        ),
        "text_model.embeddings.token_embedding.weight": (text.words, text.width),
        "visual_projection.weight": (sizes.projection, vision.width),
        "text_projection.weight": (sizes.projection, text.width),
    }
    with_bias: dict[str, tuple[int, ...]] = {
        "vision_model.pre_layrnorm": (vision.width,),
        "vision_model.post_layernorm": (vision.width,),
        "text_model.final_layer_norm": (text.width,),
    }
    for prefix, tower in (("vision_model", vision), ("text_model", text)):
        width, hidden = tower.width, tower.hidden
        shapes[f"{prefix}.embeddings.position_embedding.weight"] = (tower.tokens, width)
        for layer in (f"{prefix}.encoder.layers.{number}" for number in range(tower.layers)):
            for part in ("q", "k", "v", "out"):
                with_bias[f"{layer}.self_attn.{part}_proj"] = (width, width)
            with_bias[f"{layer}.mlp.fc1"] = (hidden, width)
            with_bias[f"{layer}.mlp.fc2"] = (width, hidden)
            with_bias |= {f"{layer}.layer_norm{number}": (width,) for number in (1, 2)}
    for name, shape in with_bias.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes
