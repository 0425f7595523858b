"""OpenAI's CLIP, from the weights on the hub to ONNX files that need nothing but onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from geowhy.arrays import Floats32
from geowhy.assets.fetch import PinnedFile, PinnedSnapshot
from geowhy.errors import MissingExtraError, ModelFormatError
from geowhy.model.backbone import OnnxBackbone, open_session
from geowhy.model.preprocessing import CLIP_PREPROCESSING, Preprocessing

if TYPE_CHECKING:
    import onnxruntime
    import tokenizers

__all__ = [
    "CLIP_FILES", "CLIP_PATCHES", "CLIP_SNAPSHOT", "ClipTextEncoder", "convert_clip",
    "load_clip_backbone",
]  # fmt: skip

CLIP_FILES = (
    "image.onnx", "image.data", "image-int8.onnx", "image-int8.data", "text.onnx", "text.data",
    "tokenizer.json", "config.json",
)  # fmt: skip
CLIP_PATCHES = "image-patches.onnx"  # a folder that was converted earlier does without
CLIP_SNAPSHOT = PinnedSnapshot(
    "openai/clip-vit-large-patch14",
    "32bd64288804d66eefd0ccbe215aa642df71cc41",
    (
        PinnedFile(
            "model.safetensors",
            "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
            1710540580,
        ),
        PinnedFile(
            "config.json", "8a09b467700c58138c29d53c605b34ebc69beaadd13274a8a2af8ad2c2f4032a"
        ),
        PinnedFile(
            "tokenizer.json", "a83e0809aa4c3af7208b2df632a7a69668c6d48775b3c3fe4e1b1199d1f8b8f4"
        ),
    ),
)
TEXT_BATCH = 32  # bounds the memory: 77 tokens a text, as CLIP pads them


def convert_clip(source: Path, folder: Path) -> None:
    """Writes `CLIP_FILES` and `CLIP_PATCHES` into a folder, from files as published.

    ``source`` is a folder with model.safetensors, config.json and tokenizer.json, as published.
    Works for any CLIP of this architecture. One tensor is in memory at a time (0.2 GB for
    ViT-L/14, its table of words); the files are written as it goes. Needs onnx.

    Raises:
        ModelFormatError: if a file is damaged, or lacks a tensor, or has it in another shape.
    """
    from geowhy.export.clip_graph import write_image, write_text
    from geowhy.export.clip_weights import ClipSizes, check_weights

    sizes = ClipSizes.from_config(_read_json(source / "config.json"))
    weights = source / "model.safetensors"
    check_weights(weights, sizes)
    tokenizer = _read_json(source / "tokenizer.json")
    patches = folder / CLIP_PATCHES
    write_image(weights, sizes, folder / "image.onnx", int8=False, patches=patches)
    write_image(weights, sizes, folder / "image-int8.onnx", int8=True)
    write_text(weights, sizes, folder / "text.onnx")
    preprocessing = replace(CLIP_PREPROCESSING, size=sizes.vision.picture).to_json()
    config = {"kind": "clip", **asdict(sizes), "preprocessing": preprocessing}
    for name, content in (("tokenizer.json", tokenizer), ("config.json", config)):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")


def load_clip_backbone(folder: Path, *, int8: bool = False) -> OnnxBackbone:
    """The image tower of a converted CLIP; features are the projected embeddings, unnormalised.

    Out of a folder that `convert_clip` wrote; with ``int8`` the smaller and quicker file, whose
    features differ a little. Those of patches are of the single-precision tower either way.

    Raises:
        ModelFormatError: if the folder is incomplete or damaged.
    """
    return OnnxBackbone.load(
        folder / ("image-int8.onnx" if int8 else "image.onnx"),
        Preprocessing.from_json(_config(folder)["preprocessing"]),
        mapped=not int8,
        name=f"{folder.name} in 8 bits" if int8 else folder.name,
        patches=folder / CLIP_PATCHES,
    )


@dataclass(frozen=True, slots=True, eq=False)
class ClipTextEncoder:
    """Texts to embeddings in the space of the images."""

    session: onnxruntime.InferenceSession
    tokenizer: tokenizers.Tokenizer
    feature_size: int  # length of an embedding
    on_progress: Callable[[int, int], None] | None  # is told how many texts of how many are done

    @classmethod
    def load(
        cls, folder: Path, on_progress: Callable[[int, int], None] | None = None
    ) -> ClipTextEncoder:
        """Opens text.onnx and tokenizer.json of a folder that `convert_clip` wrote.

        Raises:
            ModelFormatError: if a file is missing or damaged.
            MissingExtraError: if the package tokenizers isn't installed.
        """
        config, file = _config(folder), folder / "tokenizer.json"
        try:
            import tokenizers  # of the extra clip
        except ImportError:
            raise MissingExtraError("tokenizers", "clip", "reading texts with CLIP") from None
        try:
            tokenizer = tokenizers.Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing more specific
            raise _damaged(file, str(error)) from error
        end, length = tokenizer.token_to_id("<|endoftext|>"), config["text"]["length"]
        if end is None:
            raise _damaged(file, "it has no <|endoftext|>")
        tokenizer.enable_truncation(length)
        tokenizer.enable_padding(pad_id=end, pad_token="<|endoftext|>", length=length)
        session = open_session(folder / "text.onnx", mapped=True)
        return cls(session, tokenizer, config["projection"], on_progress)

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Texts to ``[N, feature_size]``, unnormalised; a text too long loses its end."""
        out = np.empty((len(texts), self.feature_size), np.float32)
        for start in range(0, len(texts), TEXT_BATCH):
            rows = slice(start, start + TEXT_BATCH)
            found = self.tokenizer.encode_batch(list(texts[rows]))
            tokens = np.array([encoding.ids for encoding in found], np.int64)
            out[rows] = cast(Floats32, self.session.run(["features"], {"tokens": tokens})[0])
            if self.on_progress:
                self.on_progress(min(rows.stop, len(texts)), len(texts))
        return out


def _config(folder: Path) -> dict[str, Any]:
    config = _read_json(folder / "config.json")
    if config.get("kind") != "clip":
        raise _damaged(folder / "config.json", "it isn't that of a converted CLIP")
    return config


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(file, str(error)) from error
    if not isinstance(found, dict):
        raise _damaged(file, "it is not an object")
    return found


def _damaged(file: Path, reason: str) -> ModelFormatError:
    return ModelFormatError(f"{file}: missing or damaged ({reason}); get CLIP again")
