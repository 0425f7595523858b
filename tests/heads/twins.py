"""An Earth on which one patch is there twice, and models that can't tell places by how they look.

It is there as it is, and elsewhere turned by a quarter and twice as large.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from geowhy.engine import Engine
from geowhy.geo.cells import CellGrid
from geowhy.geo.sphere import uniform_on_sphere
from geowhy.heads.gallery import Gallery
from geowhy.heads.orbit import OrbitHead
from geowhy.heads.quantized import CodedRows
from geowhy.images.overhead import WorldImage
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.gallery import GalleryPlaces, OrbitGallery
from geowhy.orbit.model import OrbitModel
from geowhy.orbit.registration import FEATURES
from geowhy.orbit.settings import OrbitSettings
from geowhy.orbit.terms import RingTerm
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration

from ..orbit.earth import blotched

TWINS = SMALL, LARGE = (0.0, -60.0), (0.0, 60.0)
WIDTH_KM = 700.0
WORTH = {"likeness": 20.0, "likeness lead": 10.0}  # nats


class Blind:
    """A backbone to which all pictures look alike."""

    feature_size = 2

    def embed(self, pixels):
        return np.full((len(pixels), 2), 0.5**0.5, np.float32)


def twice():
    """The Earth with the patch in both places."""
    pixels = blotched().pixels.copy()
    half, row, column = 64, 720, 960  # 8° about the small one
    patch = pixels[row - half : row + half, column - half : column + half]
    turned = Image.fromarray(np.rot90(patch, -1)).resize((4 * half, 4 * half))
    row, column = 720, 1920
    pixels[row - 2 * half : row + 2 * half, column - 2 * half : column + 2 * half] = turned
    return WorldPyramid(WorldImage(pixels))


EARTH = twice()


def made(*candidates, earth=EARTH):
    """A model that is to lay pictures at so many places, one number after the other."""
    rng = np.random.default_rng(0)
    lat_lon = np.concatenate([uniform_on_sphere(20, rng), [SMALL, LARGE, (1, -59), (2, 61)]])
    width_km = np.concatenate(
        [rng.choice([700.0, 1000.0, 1400.0], 20), np.array([1, 2, 1, 2]) * 700.0]
    )
    places = GalleryPlaces(lat_lon, width_km)
    gallery = OrbitGallery.of(places, Blind().embed(lat_lon))
    model = OrbitModel("orbit", Blind(), gallery, RingTerm(("whole picture",), (2,), 1.0), None)
    none = np.zeros(len(FEATURES), np.float32)
    weights = np.array([WORTH.get(name, 0.0) for name in FEATURES], np.float32)
    verdict = Verdict(none, none + 1, weights, np.array([12.0], np.float32))
    settings = OrbitSettings(gallery, earth, verdict, candidates=candidates or (48,))
    known = Gallery.of(lat_lon, CellGrid.build(lat_lon, 2), model.places(), places.reach_km)
    return Engine(
        model,
        replace(known, coded=CodedRows.exact(gallery.codes)),
        Calibration(most_elsewhere=0.5, abstain_above_km=np.inf),
        None,
        head=partial(OrbitHead, settings=settings),
    )
