"""A model on disk: a folder of config.json, safetensors and an ONNX graph; nothing pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from geowhy.arrays import Array, Floats32
from geowhy.assets.files import folder_appearing_whole, sha256_of
from geowhy.errors import ModelFormatError, ModelNotFoundError

__all__ = ["FORMAT_VERSION", "ModelFolder", "required_tensors", "write_model"]

FORMAT_VERSION = 4
CONFIG_FILE = "config.json"

Tensors = dict[str, Array]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """An opened model folder.

    Attributes:
        path: the folder.
        config: content of config.json; only the classes that wrote a section read it again.
    """

    path: Path
    config: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> ModelFolder:
        """Reads config.json, and checks that the files it lists are there and whole in size.

        Raises:
            ModelNotFoundError: if the folder or its config.json is missing.
            ModelFormatError: if config.json is damaged, of another version, or a file is cut.
        """
        try:
            config = json.loads((path / CONFIG_FILE).read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelNotFoundError(
                f"{path} is no model: it has no readable {CONFIG_FILE}; train one with "
                "'geowhy train CONFIG.toml', or see 'geowhy models list'"
            ) from error
        except ValueError as error:
            raise _damaged(path / CONFIG_FILE, str(error)) from error
        if not isinstance(config, dict) or config.get("format_version") != FORMAT_VERSION:
            raise ModelFormatError(
                f"{path}: not a whole model of format {FORMAT_VERSION}: either a part of one, such "
                "as a location encoder, or of another version; give a folder from geowhy train"
            )
        folder = cls(path, config)
        for name, entry in folder.section("files").items():
            file = path / name
            if not file.is_file():
                raise _damaged(file, "missing")
            if file.stat().st_size != entry["bytes"]:
                raise _damaged(file, f"{file.stat().st_size} bytes instead of {entry['bytes']}")
        return folder

    def section(self, name: str) -> dict[str, Any]:
        """One section of config.json.

        Raises:
            ModelFormatError: if it is missing.
        """
        section = self.config.get(name)
        if not isinstance(section, dict):
            raise _damaged(self.path / CONFIG_FILE, f"no section {name!r}")
        return section

    def tensors(self, name: str) -> Tensors:
        """All tensors of the file ``name.safetensors``, float16 widened to float32.

        Raises:
            ModelFormatError: if the file is missing or damaged.
        """
        file = self.path / f"{name}.safetensors"
        try:
            return {
                key: array.astype(np.float32) if array.dtype == np.float16 else array
                for key, array in load_file(file).items()
            }
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise _damaged(file, str(error)) from error


def write_model(
    path: Path,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensors],
    others: Mapping[str, bytes],
) -> ModelFolder:
    """Writes a model folder beside ``path``, then puts it in place of what was there.

    ``tensors`` holds the content of each safetensors file by its name without the suffix,
    ``others`` that of further files by their full name.
    """
    with folder_appearing_whole(path) as partial:
        for name, arrays in tensors.items():
            whole = {key: array.copy(order="C") for key, array in arrays.items()}
            save_file(whole, partial / f"{name}.safetensors")
        for name, content in others.items():
            (partial / name).write_bytes(content)
        files = {
            file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
            for file in sorted(partial.iterdir())
        }
        text = json.dumps({"format_version": FORMAT_VERSION, **config, "files": files}, indent=1)
        (partial / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    return ModelFolder.open(path)


def required_tensors(
    part: str, tensors: Mapping[str, Floats32], names: Sequence[str]
) -> dict[str, Floats32]:
    """The named tensors, float32; other names are left alone.

    Raises:
        ModelFormatError: if one is missing; says of which ``part``.
    """
    missing = [name for name in names if name not in tensors]
    if missing:
        raise ModelFormatError(
            f"{part} lacks the tensor {missing[0]}: the model folder is damaged or was written by "
            "another version; get or train the model anew"
        )
    return {name: np.asarray(tensors[name], np.float32) for name in names}


def _damaged(file: Path, reason: str) -> ModelFormatError:
    return ModelFormatError(f"{file}: damaged ({reason}): get or train the model anew")
