"""The parts of a model put together: backbone, location encoder and concept-aware alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.errors import ModelFormatError
from geowhy.model.alignment import ConceptAligner, ImageSide, LocationSide
from geowhy.model.backbone import BACKBONE_FILE, ImageBackbone, OnnxBackbone
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder

__all__ = ["GeoModel", "model_config", "model_tensors"]

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class GeoModel:
    """Images and coordinates in, both sides of the alignment out.

    Attributes:
        name: of the model.
        backbone: the frozen image encoder.
        location: the location encoder.
        aligner: heads, concept basis and temperature.
        concepts: names of the k concepts.
    """

    name: str
    backbone: ImageBackbone
    location: LocationEncoder
    aligner: ConceptAligner
    concepts: tuple[str, ...]

    @classmethod
    def load(cls, folder: ModelFolder) -> GeoModel:
        """From an opened folder.

        Raises:
            ModelFormatError: if a part is missing or doesn't fit the others.
        """
        section, tensors = folder.section("model"), folder.tensors("model")
        try:
            architecture = LocationArchitecture(
                **{**section["location"], "sigmas": tuple(section["location"]["sigmas"])}
            )
            concepts = tuple(section["concepts"])
            preprocessing = Preprocessing(**section["preprocessing"])
            space, name = section["space"], section["name"]
        except (KeyError, TypeError) as error:
            raise ModelFormatError(
                f"{folder.path}: config.json lacks {error}: get or train the model anew"
            ) from error
        aligner = ConceptAligner(_group(tensors, "alignment/"), space)
        if aligner.basis.shape != (architecture.size, len(concepts)):
            raise ModelFormatError(
                f"{folder.path}: a concept basis of shape {aligner.basis.shape} for "
                f"{len(concepts)} concepts in {architecture.size} dimensions: get it anew"
            )
        return cls(
            name,
            OnnxBackbone.load(folder.path / BACKBONE_FILE, preprocessing),
            LocationEncoder.from_tensors(_group(tensors, "location/"), architecture),
            aligner,
            concepts,
        )

    def features(self, pixels: Sequence[Pixels]) -> Floats:
        """Backbone features ``[N, f]`` of RGB images ``[H, W, 3]``."""
        return self.backbone.embed(pixels)

    def image_side(self, features: Floats) -> ImageSide:
        """Backbone features ``[N, f]`` to the image side of the alignment."""
        return self.aligner.image_side(features)

    def location_side(self, lat_lon: ArrayLike) -> LocationSide:
        """Degrees ``[N, 2]`` to the location side of the alignment."""
        return self.aligner.location_side(self.location.embed(lat_lon))


def model_config(
    name: str,
    aligner: ConceptAligner,
    architecture: LocationArchitecture,
    preprocessing: Preprocessing,
    concepts: tuple[str, ...],
) -> dict[str, Any]:
    """The section ``model`` of config.json."""
    return {
        "name": name,
        "space": aligner.space,
        "preprocessing": asdict(preprocessing),
        "location": asdict(architecture),
        "concepts": list(concepts),
    }


def model_tensors(aligner: ConceptAligner, location: LocationEncoder) -> dict[str, Floats]:
    """The content of model.safetensors."""
    return {
        **{f"alignment/{name}": array for name, array in aligner.tensors.items()},
        **{f"location/{name}": array for name, array in location.to_tensors().items()},
    }


def _group(tensors: dict[str, Floats], prefix: str) -> dict[str, Floats]:
    return {name.removeprefix(prefix): a for name, a in tensors.items() if name.startswith(prefix)}
