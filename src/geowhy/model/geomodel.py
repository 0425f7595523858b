"""The parts of a model put together: backbone, location encoder and concept-aware alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.errors import ModelFormatError
from geowhy.geo.atlas import Atlas
from geowhy.model.alignment import ConceptAligner, ImageSide, LocationSide
from geowhy.model.backbone import BACKBONE_FILE, ImageBackbone, OnnxBackbone
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.map_reader import MAP_TITLES, MapReader, without_picture
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder
from geowhy.model.surroundings import read_surroundings

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
        reader: what reads maps off an image; None in a model that doesn't compare maps.
        concepts: names of the k concepts.
    """

    name: str
    backbone: ImageBackbone
    location: LocationEncoder
    aligner: ConceptAligner
    reader: MapReader | None
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
            _reader(tensors),
            concepts,
        )

    @property
    def contributors(self) -> tuple[str, ...]:
        """Names of all that a score is a sum of: the concepts, then the compared maps."""
        maps = MAP_TITLES.values() if self.reader else ()
        return (*self.concepts, *(f"layout of {title}" for title in maps))

    def features(self, pixels: Sequence[Pixels]) -> Floats:
        """Backbone features ``[N, f]`` of RGB images ``[H, W, 3]``."""
        return self.backbone.embed(pixels)

    def image_side(self, features: Floats) -> ImageSide:
        """Backbone features ``[N, f]`` to the image side of the alignment."""
        told = without_picture(features)
        side = self.aligner.image_side(told)
        if self.reader is None:
            return side
        summary = self.aligner.whitened(told)[:, : self.reader.summary_size]
        return replace(side, maps=self.reader.image_rows(features, summary))

    def location_side(self, lat_lon: ArrayLike) -> LocationSide:
        """Degrees ``[N, 2]`` to the location side of the alignment."""
        degrees = np.asarray(lat_lon, np.float64)
        if self.reader is None:
            return self.aligner.location_side(self.location.embed(degrees))
        surroundings = read_surroundings(Atlas.load(), degrees)
        side = self.aligner.location_side(self.location.embed(degrees, surroundings))
        return replace(side, maps=self.reader.place_rows(surroundings))


def model_config(model: GeoModel) -> dict[str, Any]:
    """The section ``model`` of config.json."""
    return {
        "name": model.name,
        "space": model.aligner.space,
        "preprocessing": asdict(model.backbone.preprocessing),
        "location": asdict(model.location.architecture),
        "concepts": list(model.concepts),
    }


def model_tensors(model: GeoModel) -> dict[str, Floats]:
    """The content of model.safetensors."""
    reader = model.reader.tensors if model.reader else {}
    groups = {
        "alignment": model.aligner.tensors,
        "location": model.location.to_tensors(),
        "reader": reader,
    }
    return {f"{group}/{n}": array for group, part in groups.items() for n, array in part.items()}


def _reader(tensors: dict[str, Floats]) -> MapReader | None:
    group = _group(tensors, "reader/")
    return MapReader(group) if group else None


def _group(tensors: dict[str, Floats], prefix: str) -> dict[str, Floats]:
    return {name.removeprefix(prefix): a for name, a in tensors.items() if name.startswith(prefix)}
