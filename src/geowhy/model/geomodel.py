"""The parts of a model put together: backbone, location encoder and concept-aware alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32, Pixels
from geowhy.concepts.bank import BANK_FILE, PLACE_BANK_FILE, ConceptBank
from geowhy.errors import ConfigError, DataError, ModelFormatError
from geowhy.model.alignment import Aligner, ConceptAligner
from geowhy.model.backbone import BACKBONE_FILE, ImageBackbone, OnnxBackbone
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.place_reader import PlaceReader
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder
from geowhy.model.terms import Encoded, ScoreTerm, ScoringModel, total_scores

__all__ = ["GeoModel", "folder_bank", "model_banks", "model_config", "model_tensors"]


@dataclass(frozen=True, slots=True, eq=False)
class GeoModel:
    """Images and coordinates in, both sides of the alignment out.

    Attributes:
        name: of the model.
        backbone: the frozen image encoder.
        location: the location encoder.
        aligner: heads, concept basis and temperature.
        places: tells places by concepts that no image shows; None in a model without such.
    """

    name: str
    backbone: ImageBackbone
    location: LocationEncoder
    aligner: Aligner
    places: PlaceReader | None

    @classmethod
    def load(cls, folder: ModelFolder) -> GeoModel:
        """From an opened folder.

        Raises:
            ModelFormatError: if a part is missing or doesn't fit the others.
        """
        section, groups = folder.section("model"), dict[str, dict[str, Floats32]]()
        for path, array in folder.tensors("model").items():
            group, _, tensor = path.partition("/")
            groups.setdefault(group, {})[tensor] = array
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
        places = None
        if "places" in groups:
            places = PlaceReader(groups["places"], folder_bank(folder, PLACE_BANK_FILE))
        return cls(
            name,
            OnnxBackbone.load(folder.path / BACKBONE_FILE, preprocessing),
            LocationEncoder.from_tensors(groups.get("location", {}), architecture),
            ConceptAligner(groups.get("alignment", {}), folder_bank(folder, BANK_FILE), space),
            places,
        )

    @classmethod
    def of(cls, model: ScoringModel) -> GeoModel:
        """A model whose parts are looked into, if it has them.

        Raises:
            ConfigError: if it is made of other parts.
        """
        if isinstance(model, cls):
            return model
        raise ConfigError(
            f"{model.name}: this looks into the encoders and the concept bank of a model, and this "
            "one isn't made of such: give one that geowhy trained, or geoclip"
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
    def terms(self) -> tuple[ScoreTerm, ...]:
        """What its scores are sums of."""
        return self.aligner.terms

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Logits ``[N, M]`` of places given images, before calibration."""
        return total_scores(self.terms, images, places)

    def features(self, pixels: Sequence[Pixels]) -> Floats32:
        """Backbone features ``[N, f]`` of RGB images ``[H, W, 3]``."""
        return self.backbone.embed(pixels)

    def image_side(self, features: Floats32) -> Encoded:
        """Backbone features ``[N, f]`` as the terms take them."""
        return self.aligner.image_side(features)

    def location_side(self, lat_lon: ArrayLike, surroundings: Floats32 | None = None) -> Encoded:
        """Degrees ``[N, 2]`` as the terms take them.

        ``surroundings`` saves reading them from the atlas, if a model needs them.
        """
        degrees = np.asarray(lat_lon, np.float64)
        return self.aligner.location_side(self.location.embed(degrees, surroundings))


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


def model_tensors(model: GeoModel) -> dict[str, Floats32]:
    """The content of model.safetensors."""
    groups = {"alignment": model.aligner.tensors, "location": model.location.to_tensors()}
    if model.places:
        groups["places"] = model.places.tensors
    return {f"{group}/{n}": array for group, part in groups.items() for n, array in part.items()}


def folder_bank(folder: ModelFolder, name: str, section: str = "model") -> ConceptBank:
    """The bank of that name in a model's folder; a ``section`` of config.json has its digest.

    Raises:
        ModelFormatError: if it can't be read, or isn't the one that the model was trained with.
    """
    try:
        bank = ConceptBank.load(folder.path / name)
    except DataError as error:
        raise ModelFormatError(str(error)) from error
    expected = folder.section(section).get("banks", {}).get(name)
    if bank.digest != expected:
        raise ModelFormatError(
            f"{folder.path}: trained with the concept bank {str(expected)[:12]}, but {name} is "
            f"{bank.digest[:12]}: put its own bank back, or get or train the model anew"
        )
    return bank
