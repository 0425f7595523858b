"""Models of pictures from above, as ``geowhy train`` writes them."""

from __future__ import annotations

from functools import partial

from geowhy.engine import Engine, InputPolicy
from geowhy.errors import ModelFormatError
from geowhy.geo.cells import CellGrid
from geowhy.heads.gallery import CELL_RESOLUTION, Gallery
from geowhy.heads.orbit import OrbitHead, OrbitSettings
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import reference_world
from geowhy.model.backbone import BACKBONE_FILE, OnnxBackbone
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder
from geowhy.orbit.gallery import OrbitGallery, gallery_places
from geowhy.orbit.model import OrbitModel
from geowhy.orbit.terms import RingTerm
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration

__all__ = ["KIND", "load_orbit"]

KIND = "orbit"  # in the section "model" of config.json
PICTURES_AT_ONCE = 8
SMALLEST_SIDE = 256  # pixels; a JPEG need not be decoded any finer


def load_orbit(folder: ModelFolder) -> Engine:
    """Puts a model of pictures from above to work.

    Raises:
        ModelFormatError: if files are missing or damaged.
    """
    section, tensors = folder.section("model"), folder.tensors("model")
    try:
        preprocessing = Preprocessing.from_json(section["preprocessing"])
        places = gallery_places(**section["places"])
        stored = folder.tensors("gallery")
        known = OrbitGallery(places, stored["codes"], stored["step"])
        rings = RingTerm(tuple(section["rings"]), tuple(section["ring_sizes"]), section["scale"])
        calibration = Calibration(**folder.section("calibration"))
        decided = {name: section[name] for name in ("candidates", "kept", "sure")}
    except (KeyError, TypeError) as error:
        raise ModelFormatError(
            f"{folder.path}: config.json lacks {error}: get or train the model anew"
        ) from error
    if len(known.codes) != len(places):
        raise ModelFormatError(
            f"{folder.path}: {len(known.codes):,} descriptions for {len(places):,} places: they "
            "were made with another atlas; get or train the model anew"
        )
    backbone = OnnxBackbone.load(folder.path / BACKBONE_FILE, preprocessing)
    model = OrbitModel(section["name"], backbone, known, rings)
    reference = WorldPyramid(reference_world())
    settings = OrbitSettings(places, reference, Verdict.from_tensors(tensors), **decided)
    gallery = Gallery.of(
        places.lat_lon, CellGrid.build(places.lat_lon, CELL_RESOLUTION), model.places()
    )
    head = partial(OrbitHead, settings=settings)
    policy = InputPolicy(SMALLEST_SIDE, PICTURES_AT_ONCE)
    return Engine(model, gallery, calibration, None, head=head, inputs=policy)
