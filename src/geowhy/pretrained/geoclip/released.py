"""GeoCLIP as released: CLIP's image tower, GeoCLIP's head, location encoder and gallery.

What is computed is what the package ``geoclip`` 1.3.0 computes; nothing is trained or calibrated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from geowhy.arrays import Floats32, Floats64
from geowhy.assets.files import appearing_whole, sha256_of
from geowhy.concepts.bank import ConceptBank, text_directions
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError, ModelFormatError, ModelNotFoundError
from geowhy.export.clip import ClipTextEncoder, load_clip_backbone
from geowhy.heads.gallery import Gallery
from geowhy.model.geomodel import GeoModel
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.pretrained.geoclip.aligner import GeoClipAligner
from geowhy.pretrained.geoclip.gallery_cache import cached_gallery
from geowhy.registry import CLIP, GEOCLIP, asset_folder, require

__all__ = ["GROUNDED_BANK", "ReleasedGeoClip", "check_installed", "write_text_bank"]

GROUNDED_BANK = Path(__file__).parents[2] / "data" / "models" / GEOCLIP / "bank.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedGeoClip:
    """The location side of the released model, which needs no CLIP."""

    encoder: LocationEncoder  # its weights are read when they are first needed
    encoder_digest: str
    aligner: GeoClipAligner  # head, temperature and the concepts that explain
    places: Floats64  # the published gallery, degrees [100000, 2]

    @classmethod
    def load(cls, concepts: Literal["grounded", "text"] = "grounded") -> Self:
        """From the folder of ``geowhy models get geoclip``.

        Raises:
            ModelNotFoundError: if it isn't installed, or the bank of texts wasn't made.
            ModelFormatError: if a file is damaged.
        """
        folder = require(GEOCLIP)
        weights = folder / "location.safetensors"
        encoder = LocationEncoder(LocationArchitecture(), lambda: _tensors(weights))
        file = GROUNDED_BANK if concepts == "grounded" else _text_bank_file()
        if concepts == "text" and not file.is_file():
            raise ModelNotFoundError(
                f"{file} isn't there yet: the prompts of all concepts have to be embedded once, "
                "which takes minutes; do it with: geowhy concepts embed"
            )
        try:
            bank = ConceptBank.load(file)
        except DataError as error:
            raise ModelFormatError(str(error)) from error
        aligner = GeoClipAligner(_tensors(folder / "head.safetensors"), bank)
        places = _tensors(folder / "gallery.safetensors").get("lat_lon")
        if places is None or places.ndim != 2 or places.shape[1] != 2:
            raise ModelFormatError(
                f"{folder / 'gallery.safetensors'}: holds no coordinates [M, 2]: delete {folder} "
                f"and get it again with: geowhy models get {GEOCLIP}"
            )
        return cls(encoder, sha256_of(weights), aligner, places.astype(np.float64))

    def gallery(self, places: Floats64 | None, on_progress: Callable[[str], None]) -> Gallery:
        """Of one's own ``places``, degrees ``[M, 2]``, or the published ones; embedded once."""
        lat_lon = self.places if places is None else places
        cache, digest = asset_folder(GEOCLIP).parent / "galleries", self.encoder_digest
        return cached_gallery(self.aligner, self.encoder, digest, lat_lon, cache, on_progress)

    def with_clip(self, *, int8: bool) -> GeoModel:
        """Together with the image tower, as any other model.

        Raises:
            ModelNotFoundError: if CLIP isn't installed; says how to get it.
            ModelFormatError: if it is damaged.
        """
        tower = load_clip_backbone(require(CLIP), int8=int8)
        return GeoModel(GEOCLIP, tower, self.encoder, self.aligner, places=None)


def check_installed() -> None:
    """One error for all that is missing to locate photographs.

    Raises:
        ModelNotFoundError: naming each part, its size, its licence and the command that gets it.
    """
    missing = []
    for name in (CLIP, GEOCLIP):
        try:
            require(name)
        except ModelNotFoundError as error:
            missing.append(str(error))
    if missing:
        raise ModelNotFoundError(". ".join(missing))


def write_text_bank(vocabulary: Vocabulary, on_progress: Callable[[int, int], None]) -> Path:
    """Embeds the prompts of all concepts, beside the released weights, for ``concepts="text"``.

    They go through the text tower and the image head, as GeoCLIP does with texts. Takes a tenth of
    a second a prompt on two cores; ``on_progress`` is told how many are done.

    Raises:
        ModelNotFoundError: if GeoCLIP or CLIP isn't installed.
        ModelFormatError: if one of them is damaged.
        MissingExtraError: without the extra ``clip``, which reads texts.
    """
    check_installed()
    aligner = ReleasedGeoClip.load().aligner
    encoder = ClipTextEncoder.load(require(CLIP), on_progress)
    directions = text_directions(vocabulary, encoder.encode, aligner.embed)
    bank = ConceptBank.build(vocabulary, directions, "text")
    file = _text_bank_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with appearing_whole(file) as partial:
        partial.write_bytes(bank.to_bytes())
    return file


def _text_bank_file() -> Path:
    return asset_folder(GEOCLIP) / "text_bank.safetensors"


def _tensors(file: Path) -> dict[str, Floats32]:
    try:
        return load_file(file)
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelFormatError(
            f"{file}: damaged ({error}): delete {file.parent} and get it again with: geowhy "
            f"models get {GEOCLIP}"
        ) from error
