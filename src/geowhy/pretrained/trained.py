"""Models that ``geowhy train`` made, such as the embedded one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from geowhy.errors import ConfigError, ModelFormatError
from geowhy.pretrained.entry import ModelEntry, ModelOptions, sha256_in

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
    if folder.section("model").get("kind") == "orbit":
        from geowhy.pretrained.orbit import load_orbit

        if places is not None:
            raise ConfigError(
                f"{name_or_dir} finds pictures from above among places that it knows at several "
                "widths, not among given points: leave the gallery out, or narrow it with --region"
            )
        return load_orbit(folder)
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
        tell(f"embedding a gallery of {len(places):,}")
        gallery = Gallery.build(places, model)
    policy = InputPolicy(SMALLEST_SIDE, VIEWS_AT_ONCE)
    return Engine(model, gallery, calibration, novelty, inputs=policy)


TRAINED = ModelEntry(
    "embedded",
    _load,
    lambda name_or_dir: sha256_in(name_or_dir, "config.json"),  # names the digests of all files
    sources=("worlds",),
)
