"""Models of pictures from above, as ``geowhy train`` writes them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from geowhy.engine import Engine, InputPolicy
from geowhy.errors import ModelFormatError
from geowhy.heads.gallery import Gallery
from geowhy.heads.orbit import OrbitHead, OrbitSettings
from geowhy.heads.quantized import CodedRows
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import reference_world
from geowhy.model.store import ModelFolder
from geowhy.orbit.model import OrbitModel
from geowhy.orbit.spread import Spread
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration

__all__ = ["load_orbit"]

PICTURES_AT_ONCE = 8
SMALLEST_SIDE = 256  # pixels; a JPEG need not be decoded any finer


def load_orbit(folder: ModelFolder) -> Engine:
    """Puts a model of pictures from above to work.

    Raises:
        ModelFormatError: if files are missing or damaged.
    """
    model, section = OrbitModel.load(folder), folder.section("model")
    verdict = Verdict.from_tensors(folder.tensors("verdict"))
    try:
        calibration = Calibration(**folder.section("calibration"))
        decided = {name: section[name] for name in ("search_scale", "kept", "sure")}
        spread, candidates = Spread(**section["spread"]), tuple(section["candidates"])
    except (KeyError, TypeError) as error:
        raise ModelFormatError(
            f"{folder.path}: config.json lacks {error}: get or train the model anew"
        ) from error
    places, reference = model.gallery.places, WorldPyramid(reference_world())
    settings = OrbitSettings(
        model.gallery, reference, verdict, spread, candidates=candidates, **decided
    )
    gallery = Gallery.of(places.lat_lon, model.gallery.grid, model.places(), places.reach_km)
    return Engine(
        model,
        replace(gallery, coded=CodedRows.exact(model.gallery.codes)),
        calibration,
        None,
        head=partial(OrbitHead, settings=settings),
        inputs=InputPolicy(SMALLEST_SIDE, PICTURES_AT_ONCE),
    )
