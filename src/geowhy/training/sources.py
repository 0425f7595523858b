"""What a run starts from: the world image, the frozen backbone, the first location encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from geowhy.images.overhead import WorldImage
from geowhy.model.location import LocationArchitecture
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.registry import require
from geowhy.training.backbone_export import GRAPH_FILE, LITE, export_backbone, load_weights
from geowhy.training.config import LocationConfig, TrainingConfig
from geowhy.training.location_torch import TorchLocationEncoder

__all__ = ["PREPROCESSING", "TrainingSources", "initial_encoder", "open_world"]

# EfficientNet-Lite was trained on (x - 127) / 128. Views of 64 pixels are doubled: the network's
# own 260 pixels cost four times as much.
PREPROCESSING = Preprocessing(size=128, mean=127.0, std=128.0)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSources:
    """Opened inputs of a run.

    Attributes:
        world: the Blue Marble.
        backbone_file: ONNX graph of the frozen backbone.
        preprocessing: of the backbone.
        cache: folder for feature shards.
    """

    world: WorldImage
    backbone_file: Path
    preprocessing: Preprocessing
    cache: Path

    @classmethod
    def open(cls, config: TrainingConfig) -> TrainingSources:
        """Opens what ``geowhy models get`` installed; converts the backbone on first use.

        Raises:
            ModelNotFoundError: naming what is missing and the command that gets it.
        """
        world = open_world()
        folder = require(config.backbone)
        graph = folder / GRAPH_FILE
        if not graph.exists():
            number = int(config.backbone.removeprefix("efficientnet-lite"))
            weights = load_weights(next(folder.glob("*.pth")), LITE[number])
            export_backbone(weights, PREPROCESSING.size, graph)
        return cls(world, graph, PREPROCESSING, folder.parent / "features")


def open_world() -> WorldImage:
    """The Blue Marble, 5400 × 2700.

    Raises:
        ModelNotFoundError: if it isn't installed; says which command gets it.
    """
    with Image.open(require("blue-marble") / "bmng.jpg") as image:
        return WorldImage(np.asarray(image.convert("RGB")))


def initial_encoder(config: TrainingConfig) -> TorchLocationEncoder:
    """The location encoder at the start of a run.

    Raises:
        ModelNotFoundError: if the released weights are asked for but not installed.
    """
    if config.location.init == "scratch":
        architecture = _architecture(config.location)
        return TorchLocationEncoder(architecture, config.seed, config.location.dropout)
    tensors = load_file(require("geoclip") / "location.safetensors")
    return TorchLocationEncoder.from_tensors(tensors, LocationArchitecture())


def _architecture(config: LocationConfig) -> LocationArchitecture:
    return LocationArchitecture(
        config.sigmas,
        config.fourier,
        config.hidden,
        config.depth,
        config.size,
        config.surroundings,
    )
