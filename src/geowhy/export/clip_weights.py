"""CLIP's weights as published: sizes from config.json, tensors checked by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from geowhy.arrays import Floats32
from geowhy.errors import ModelFormatError

__all__ = ["LEGACY_END", "ClipSizes", "ClipWeights", "TextSizes", "VisionSizes"]

LEGACY_END = 2  # an end-of-text id that published CLIPs have in error; theirs is the highest id


@dataclass(frozen=True, slots=True)
class VisionSizes:
    """Of the image tower.

    Attributes:
        width: numbers a token.
        hidden: numbers a token inside the feed-forward part.
        layers: how many.
        heads: of the attention.
        epsilon: of the normalisation.
        picture: side, pixels.
        patch: side, pixels.
    """

    width: int
    hidden: int
    layers: int
    heads: int
    epsilon: float
    picture: int
    patch: int

    @property
    def tokens(self) -> int:
        """Patches, and the one that stands for the picture."""
        return (self.picture // self.patch) ** 2 + 1


@dataclass(frozen=True, slots=True)
class TextSizes:
    """Of the text tower.

    Attributes:
        width: numbers a token.
        hidden: numbers a token inside the feed-forward part.
        layers: how many.
        heads: of the attention.
        epsilon: of the normalisation.
        words: entries of the vocabulary.
        length: tokens of a text.
        end: id of the end-of-text token; `LEGACY_END` means the highest id of a text.
    """

    width: int
    hidden: int
    layers: int
    heads: int
    epsilon: float
    words: int
    length: int
    end: int

    @property
    def tokens(self) -> int:
        """The same as its length."""
        return self.length


@dataclass(frozen=True, slots=True)
class ClipSizes:
    """Of both towers.

    Attributes:
        vision: the image tower.
        text: the text tower.
        projection: length of an embedding.
    """

    vision: VisionSizes
    text: TextSizes
    projection: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ClipSizes:
        """Out of a published config.json; what it leaves out is as in CLIP ViT-B/32.

        Raises:
            ModelFormatError: if it is of another architecture, or a size is impossible.
        """
        vision = {**_USUAL_VISION, **_section(config, "vision_config")}
        text = {**_USUAL_TEXT, **_section(config, "text_config")}
        found = cls(
            VisionSizes(
                **_shared(vision), picture=vision["image_size"], patch=vision["patch_size"]
            ),
            TextSizes(
                **_shared(text),
                words=text["vocab_size"],
                length=text["max_position_embeddings"],
                end=text["eos_token_id"],
            ),
            config.get("projection_dim", 512),
        )
        found._check((vision["hidden_act"], text["hidden_act"]))
        return found

    def to_json(self) -> dict[str, Any]:
        """As it stands in the config.json of a converted CLIP."""
        return {
            "vision": {name: getattr(self.vision, name) for name in VisionSizes.__slots__},
            "text": {name: getattr(self.text, name) for name in TextSizes.__slots__},
            "projection": self.projection,
        }

    def _check(self, activations: tuple[str, str]) -> None:
        if activations != ("quick_gelu", "quick_gelu"):
            raise _other(f"its activations are {activations}, and geowhy writes quick_gelu")
        for sizes in (self.vision, self.text):
            numbers = [getattr(sizes, name) for name in sizes.__slots__ if name != "epsilon"]
            if not all(type(n) is int and n > 0 for n in numbers) or sizes.width % sizes.heads:
                raise _other(f"{sizes} has an impossible size")
        if self.vision.picture % self.vision.patch:
            raise _other(f"pictures of {self.vision.picture} pixels don't divide into patches")


class ClipWeights:
    """The tensors of model.safetensors; each is read when asked for, and none is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, name: str) -> Floats32:
        """One tensor, float32; half precision is widened."""
        try:
            with safe_open(
                self._path, "numpy"
            ) as file:  # opened anew, so that nothing stays mapped
                return np.asarray(file.get_tensor(name), np.float32)
        except (OSError, SafetensorError, TypeError) as error:
            raise ModelFormatError(
                f"{self._path}: tensor {name} can't be read ({error}); get CLIP again"
            ) from error

    def check(self, sizes: ClipSizes) -> None:
        """Compares names and shapes with what the towers need; others are left alone.

        Raises:
            ModelFormatError: if the file is damaged, or naming the first tensor that is amiss.
        """
        found = self._shapes()
        for name, shape in _needed_shapes(sizes).items():
            if name not in found:
                raise ModelFormatError(
                    f"{self._path} lacks the tensor {name}: not the CLIP that its config.json "
                    "describes; get CLIP again"
                )
            if found[name] != shape:
                raise ModelFormatError(
                    f"{self._path}: tensor {name} is {list(found[name])} instead of "
                    f"{list(shape)}: weights and config.json are of different models; get CLIP "
                    "again"
                )

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        try:
            with safe_open(self._path, "numpy") as file:
                return {k: tuple(file.get_slice(k).get_shape()) for k in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ModelFormatError(
                f"{self._path}: missing or damaged ({error}); get CLIP again"
            ) from error


def _needed_shapes(sizes: ClipSizes) -> dict[str, tuple[int, ...]]:
    vision, text = sizes.vision, sizes.text
    return {
        **_tower_shapes("vision_model", vision),
        **_norm_shapes("vision_model.pre_layrnorm", vision.width),
        **_norm_shapes("vision_model.post_layernorm", vision.width),
        **_norm_shapes("text_model.final_layer_norm", text.width),
        **_tower_shapes("text_model", text),
        "vision_model.embeddings.class_embedding": (vision.width,),
        "vision_model.embeddings.patch_embedding.weight": (
            (vision.width, 3, vision.patch, vision.patch)
        ),
        "text_model.embeddings.token_embedding.weight": (text.words, text.width),
        "visual_projection.weight": (sizes.projection, vision.width),
        "text_projection.weight": (sizes.projection, text.width),
    }


def _tower_shapes(prefix: str, sizes: VisionSizes | TextSizes) -> dict[str, tuple[int, ...]]:
    width, hidden = sizes.width, sizes.hidden
    shapes: dict[str, tuple[int, ...]] = {
        f"{prefix}.embeddings.position_embedding.weight": (sizes.tokens, width)
    }
    for layer in (f"{prefix}.encoder.layers.{number}" for number in range(sizes.layers)):
        linear = {f"self_attn.{part}_proj": (width, width) for part in ("q", "k", "v", "out")}
        linear |= {"mlp.fc1": (hidden, width), "mlp.fc2": (width, hidden)}
        for name, shape in linear.items():
            shapes |= {f"{layer}.{name}.weight": shape, f"{layer}.{name}.bias": shape[:1]}
        for name in ("layer_norm1", "layer_norm2"):
            shapes |= _norm_shapes(f"{layer}.{name}", width)
    return shapes


def _norm_shapes(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (width,) for part in ("weight", "bias")}


_USUAL = {"num_hidden_layers": 12, "layer_norm_eps": 1e-5, "hidden_act": "quick_gelu"}
_USUAL_VISION = {
    **_USUAL,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "image_size": 224,
    "patch_size": 32,
}
_USUAL_TEXT = {
    **_USUAL,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_attention_heads": 8,
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "eos_token_id": 49407,
}


def _shared(section: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "width": section["hidden_size"],
        "hidden": section["intermediate_size"],
        "layers": section["num_hidden_layers"],
        "heads": section["num_attention_heads"],
        "epsilon": section["layer_norm_eps"],
    }


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = config.get(name)
    if not isinstance(section, dict):
        raise _other(f"it has no section {name}")
    return section


def _other(reason: str) -> ModelFormatError:
    return ModelFormatError(f"config.json is not of a CLIP that geowhy can convert: {reason}")
