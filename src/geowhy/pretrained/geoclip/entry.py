"""GeoCLIP as released, by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from geowhy.pretrained.entry import ModelEntry, ModelOptions, sha256_in

if TYPE_CHECKING:
    from geowhy.arrays import Points
    from geowhy.engine import Engine
    from geowhy.model.alignment import Aligner
    from geowhy.model.location import LocationEncoder

__all__ = ["GEOCLIP", "GeoClipOptions"]

PHOTOGRAPHS_AT_ONCE = 4  # they come in full size, 36 MB for 12 megapixels


@dataclass(frozen=True, slots=True)
class GeoClipOptions(ModelOptions):
    """What one may choose of GeoCLIP; each field says what it does."""

    crops: Literal[1, 10] = field(
        default=1, metadata={"help": "mean score of ten crops (default: 1, the centre)"}
    )
    precision: Literal["fp32", "int8"] = field(
        default="fp32", metadata={"help": "int8 is faster and nearly the same (default: fp32)"}
    )
    concepts: Literal["grounded", "text"] = field(
        default="grounded", metadata={"help": "explain by groundings or by texts"}
    )


def _load(
    _: str, places: Points | None, options: ModelOptions, tell: Callable[[str], None]
) -> Engine:
    from geowhy.engine import Engine, InputPolicy
    from geowhy.heads.retrieval import RetrievalHead
    from geowhy.posterior import Calibration
    from geowhy.pretrained.geoclip.released import ReleasedGeoClip, check_installed

    wanted = cast(GeoClipOptions, options)
    check_installed()
    released = ReleasedGeoClip.load(wanted.concepts)
    gallery = released.gallery(places, tell)
    model = released.with_clip(int8=wanted.precision == "int8")
    # How far off GeoCLIP is on photographs like yours, nobody measured here.
    calibration = Calibration(least_radius_km=0.0, is_fitted=False)
    # GeoCLIP's numbers are those of the whole picture, shrunk once.
    policy = InputPolicy(None, PHOTOGRAPHS_AT_ONCE, wanted.crops)
    return Engine(model, gallery, calibration, None, head=RetrievalHead, inputs=policy)


def _of_places() -> tuple[Aligner, LocationEncoder]:
    from geowhy.pretrained.geoclip.released import ReleasedGeoClip

    released = ReleasedGeoClip.load()
    return released.aligner, released.encoder


GEOCLIP = ModelEntry(
    "geoclip",
    _load,
    lambda name: sha256_in(name, "location.safetensors"),
    GeoClipOptions,
    sources=("geoclip", "clip-vit-l-14"),
    of_places=_of_places,
)
