"""Models of overhead views that ``geowhy train`` made: the embedded one, and any folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from geowhy.errors import ModelFormatError
from geowhy.pretrained.entry import ModelEntry, ModelOptions

if TYPE_CHECKING:
    from geowhy.arrays import Points
    from geowhy.engine import Engine

__all__ = ["SMALLEST_SIDE", "TRAINED"]

VIEWS_AT_ONCE = 32
SMALLEST_SIDE = 256  # pixels; a JPEG need not be decoded any finer for a 128-pixel input


def _load(
    name_or_dir: str, places: Points | None, _: ModelOptions, tell: Callable[[str], None]
) -> Engine:
    from geowhy.engine import Engine, InputPolicy
    from geowhy.heads.gallery import Gallery
    from geowhy.model.geomodel import GeoModel
    from geowhy.model.store import ModelFolder
    from geowhy.posterior import Calibration, NoveltyDetector
    from geowhy.registry import resolve_model

    folder = ModelFolder.open(resolve_model(name_or_dir))
    try:
        calibration = Calibration(**folder.section("calibration"))
        novelty = NoveltyDetector.from_tensors(folder.tensors("novelty"))
    except (KeyError, TypeError) as error:
        raise ModelFormatError(
            f"{folder.path}: the calibration lacks {error}: get or train the model anew"
        ) from error
    model = GeoModel.load(folder)
    if places is None:
        gallery = Gallery.from_tensors(folder.tensors("gallery"), model)
    else:
        tell(f"embedding {len(places):,} places of the gallery")
        gallery = Gallery.build(places, model)
    policy = InputPolicy(SMALLEST_SIDE, VIEWS_AT_ONCE)
    return Engine(model, gallery, calibration, novelty, inputs=policy)


def _digest(name_or_dir: str) -> str:
    """Of the configuration, which names the digests of all files."""
    from geowhy.assets.files import sha256_of
    from geowhy.registry import resolve_model

    return sha256_of(resolve_model(name_or_dir) / "config.json")


TRAINED = ModelEntry("embedded", _load, _digest, sources=("blue-marble", "efficientnet-lite2"))
