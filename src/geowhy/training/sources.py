"""What a run reads: the world image and the frozen backbone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from geowhy.assets.files import sha256_of
from geowhy.errors import ModelFormatError
from geowhy.export.backbone_export import GRAPH_FILE, LAYOUT_GRID, LITE, export_backbone
from geowhy.images.overhead import WorldImage
from geowhy.model.backbone import BACKBONE_FILE, OnnxBackbone
from geowhy.model.preprocessing import Preprocessing
from geowhy.registry import require
from geowhy.training.config import CLIP, TrainingConfig

__all__ = ["TrainingSources", "open_world"]

# EfficientNet-Lite was trained on (x - 127) / 128. Views of 64 pixels are doubled: the network's
# own 260 pixels cost four times as much.
PREPROCESSING = Preprocessing(size=128, mean=127.0, std=128.0)
CLIP_GRAPH, CLIP_WEIGHTS = "image.onnx", "image.data"  # the graph names the file of its weights


@dataclass(frozen=True, eq=False)
class TrainingSources:
    """Opened inputs of a run."""

    config: TrainingConfig
    backbone_files: Mapping[str, Path]  # by the names that a model folder gives them
    preprocessing: Preprocessing
    layout_grid: int  # fields a side of the layout, three colours each, after the statistics; or 0
    cache: Path  # folder for feature shards

    @classmethod
    def open(cls, config: TrainingConfig) -> TrainingSources:
        """Opens what ``geowhy models get`` installed; converts the backbone on first use.

        Raises:
            ModelNotFoundError: naming what is missing and the command that gets it.
            ModelFormatError: if what is installed is damaged.
        """
        folder = require(config.backbone)
        cache = folder.parent / "features"
        if config.backbone == CLIP:
            files = {BACKBONE_FILE: folder / CLIP_GRAPH}
            if (folder / CLIP_WEIGHTS).exists():
                files[CLIP_WEIGHTS] = folder / CLIP_WEIGHTS
            settings = folder / "config.json"
            try:
                content = json.loads(settings.read_text(encoding="utf-8"))
                preprocessing = Preprocessing.from_json(content["preprocessing"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise ModelFormatError(
                    f"{settings}: no preprocessing in it ({error}): remove the folder and run "
                    f"geowhy models get {CLIP}"
                ) from error
            return cls(config, files, preprocessing, 0, cache)
        graph = folder / GRAPH_FILE
        if not graph.exists():
            number = int(config.backbone.removeprefix("efficientnet-lite"))
            weights = next(folder.glob("*.pth"))
            export_backbone(weights, LITE[number], PREPROCESSING.size, graph)
        files = {BACKBONE_FILE: graph}
        return cls(config, files, PREPROCESSING, LAYOUT_GRID, cache)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the SHA-256 of all files of the backbone."""
        sums = "".join(sha256_of(path) for path in self.backbone_files.values())
        return hashlib.sha256(sums.encode()).hexdigest()

    @cached_property
    def world(self) -> WorldImage:
        """The Blue Marble, opened when it is asked for."""
        return open_world()

    def open_backbone(self) -> OnnxBackbone:
        """The backbone, ready to embed."""
        return OnnxBackbone.load(self.backbone_files[BACKBONE_FILE], self.preprocessing)


def open_world() -> WorldImage:
    """The Blue Marble, 5400 × 2700.

    Raises:
        ModelNotFoundError: if it isn't installed; says which command gets it.
    """
    with Image.open(require("blue-marble") / "bmng.jpg") as image:
        return WorldImage(np.asarray(image.convert("RGB")))
