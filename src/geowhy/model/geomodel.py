"""The parts of a model put together: backbone, location encoder and concept-aware alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.concepts.bank import BANK_FILE, PLACE_BANK_FILE, ConceptBank
from geowhy.errors import DataError, ModelFormatError
from geowhy.geo.atlas import Atlas
from geowhy.model.alignment import Aligner, ConceptAligner, ImageSide, LocationSide
from geowhy.model.backbone import BACKBONE_FILE, ImageBackbone, OnnxBackbone
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.map_matcher import MAP_TITLES, MapMatcher
from geowhy.model.map_reader import MapReader
from geowhy.model.place_reader import PlaceReader
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder
from geowhy.model.surroundings import read_surroundings

__all__ = ["GeoModel", "MapComparison", "model_banks", "model_config", "model_tensors"]

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class MapComparison:
    """The two halves of a comparison of maps.

    Attributes:
        reader: reads maps off views.
        matcher: holds them against the maps of places.
    """

    reader: MapReader
    matcher: MapMatcher

    def weighing(self, weight: float) -> MapComparison:
        """The same comparison with another weight."""
        return MapComparison(self.reader, self.matcher.weighing(weight))


@dataclass(frozen=True, slots=True, eq=False)
class GeoModel:
    """Images and coordinates in, both sides of the alignment out.

    Attributes:
        name: of the model.
        backbone: the frozen image encoder.
        location: the location encoder.
        aligner: heads, concept basis and temperature.
        maps: what reads maps off an image and what holds them against those of places; None in a
            model that compares no maps.
        places: tells places by concepts that no image shows; None in a model without such.
    """

    name: str
    backbone: ImageBackbone
    location: LocationEncoder
    aligner: Aligner
    maps: MapComparison | None
    places: PlaceReader | None

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
            preprocessing = Preprocessing(**section["preprocessing"])
            space, name = section["space"], section["name"]
        except (KeyError, TypeError) as error:
            raise ModelFormatError(
                f"{folder.path}: config.json lacks {error}: get or train the model anew"
            ) from error
        bank = _bank(folder, BANK_FILE)
        aligner = ConceptAligner(_group(tensors, "alignment/"), bank, space)
        return cls(
            name,
            OnnxBackbone.load(folder.path / BACKBONE_FILE, preprocessing),
            LocationEncoder.from_tensors(_group(tensors, "location/"), architecture),
            aligner,
            _map_comparison(tensors),
            _place_reader(folder, tensors),
        )

    @property
    def bank(self) -> ConceptBank:
        """The concepts that images show, and the directions that their basis started from."""
        return self.aligner.bank

    @property
    def place_bank(self) -> ConceptBank | None:
        """The concepts of places alone."""
        return self.places.bank if self.places else None

    @property
    def contributors(self) -> tuple[str, ...]:
        """Names of all that a score is a sum of: the shared concepts, then the compared maps."""
        maps = MAP_TITLES.values() if self.maps else ()
        return (*self.bank.names, *(f"layout of {title}" for title in maps))

    @property
    def attribution(self) -> Floats:
        """How much the m compared maps are of the r columns of ``maps``, ``[r, m]``."""
        return self.maps.matcher.attribution if self.maps else np.empty((0, 0), np.float32)

    def norms(self, maps: Floats) -> Floats:
        """What places with such ``maps`` ``[M, r]`` pay for them, ``[M, m]``."""
        return self.maps.matcher.norms(maps) if self.maps else maps[:, :0]

    def features(self, pixels: Sequence[Pixels]) -> Floats:
        """Backbone features ``[N, f]`` of RGB images ``[H, W, 3]``."""
        return self.backbone.embed(pixels)

    def told(self, features: Floats) -> Floats:
        """What the alignment reads of backbone features ``[N, f]``; the rest is a map reader's."""
        return features[:, : self.aligner.feature_size]

    def image_side(self, features: Floats) -> ImageSide:
        """Backbone features ``[N, f]`` to the image side of the alignment."""
        told = self.told(features)
        side = self.aligner.image_side(told)
        if self.maps is None:
            return side
        reader, matcher = self.maps.reader, self.maps.matcher
        summary = self.aligner.whitened(told)[:, : reader.summary_size]
        read = matcher.coordinates(reader.read(features, summary))
        return replace(side, maps=matcher.pulls(read), map_weight=matcher.weight)

    def location_side(self, lat_lon: ArrayLike, surroundings: Floats | None = None) -> LocationSide:
        """Degrees ``[N, 2]`` to the location side of the alignment.

        ``surroundings`` saves reading them from the atlas, if a model needs them.
        """
        degrees = np.asarray(lat_lon, np.float64)
        if self.maps is None:
            return self.aligner.location_side(self.location.embed(degrees, surroundings))
        if surroundings is None:
            surroundings = read_surroundings(Atlas.load(), degrees)
        side = self.aligner.location_side(self.location.embed(degrees, surroundings))
        matcher = self.maps.matcher
        coordinates = matcher.coordinates(self.maps.reader.mapped(surroundings))
        return replace(side, maps=coordinates, norms=matcher.norms(coordinates))


def model_config(model: GeoModel) -> dict[str, Any]:
    """The section ``model`` of config.json."""
    return {
        "name": model.name,
        "space": model.aligner.space,
        "preprocessing": asdict(model.backbone.preprocessing),
        "location": asdict(model.location.architecture),
        "banks": {name: bank.digest for name, bank in model_banks(model).items()},
    }


def model_banks(model: GeoModel) -> dict[str, ConceptBank]:
    """The concept banks of a model by the name of their files."""
    return {BANK_FILE: model.bank} | (
        {PLACE_BANK_FILE: model.place_bank} if model.place_bank else {}
    )


def model_tensors(model: GeoModel) -> dict[str, Floats]:
    """The content of model.safetensors."""
    groups = {"alignment": model.aligner.tensors, "location": model.location.to_tensors()}
    if model.maps:
        groups |= {"reader": model.maps.reader.tensors, "matcher": model.maps.matcher.tensors}
    if model.places:
        groups["places"] = model.places.tensors
    return {f"{group}/{n}": array for group, part in groups.items() for n, array in part.items()}


def _bank(folder: ModelFolder, name: str) -> ConceptBank:
    """A bank of a model's folder, if it is the one that the model was trained with."""
    try:
        bank = ConceptBank.load(folder.path / name)
    except DataError as error:
        raise ModelFormatError(str(error)) from error
    expected = folder.section("model").get("banks", {}).get(name)
    if bank.digest != expected:
        raise ModelFormatError(
            f"{folder.path}: trained with the concept bank {str(expected)[:12]}, but {name} is "
            f"{bank.digest[:12]}: put its own bank back, or get or train the model anew"
        )
    return bank


def _place_reader(folder: ModelFolder, tensors: dict[str, Floats]) -> PlaceReader | None:
    own = _group(tensors, "places/")
    return PlaceReader(own, _bank(folder, PLACE_BANK_FILE)) if own else None


def _map_comparison(tensors: dict[str, Floats]) -> MapComparison | None:
    reader, matcher = _group(tensors, "reader/"), _group(tensors, "matcher/")
    if not reader and not matcher:
        return None
    return MapComparison(MapReader(reader), MapMatcher(matcher))


def _group(tensors: dict[str, Floats], prefix: str) -> dict[str, Floats]:
    return {name.removeprefix(prefix): a for name, a in tensors.items() if name.startswith(prefix)}
