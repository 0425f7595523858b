"""Images in, predictions out: the one class that every face of geowhy calls."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import ImageError, ModelFormatError
from geowhy.geo.places import Gazetteer
from geowhy.images.reading import NamedImage, read_image
from geowhy.images.sources import ImageSource
from geowhy.inference.calibration import Calibration
from geowhy.inference.contributions import explain_place
from geowhy.inference.gallery import Gallery
from geowhy.inference.novelty import NoveltyDetector
from geowhy.inference.posterior import CellDensity, Decoder, Posterior, shares, softmax
from geowhy.model.alignment import ImageSide, LocationSide
from geowhy.model.geomodel import GeoModel
from geowhy.model.map_reader import without_picture
from geowhy.model.registry import resolve_model
from geowhy.model.store import ModelFolder
from geowhy.types import Candidate, Explanation, LatLon, Prediction

__all__ = ["Decoded", "Locator"]

Pixels = NDArray[np.uint8]
Many = list[ImageSource] | tuple[ImageSource, ...]
_T = TypeVar("_T")

IMAGES_AT_ONCE = 32
SCORED_AT_ONCE = 8  # with 200,000 places: 6 MB of scores, of which a few copies are made
SMALLEST_SIDE = 256  # pixels; a JPEG need not be decoded any finer for a 128-pixel input


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a model makes of one image, before it is put into words.

    Attributes:
        side: the image in the spaces of the alignment, one row.
        place: the mean of the gallery's places in the strongest mode, each by its probability, one
            row. What speaks for it speaks for the answer; the point that is answered is their
            median, and may itself lie in a lake.
        posterior: where it may have been taken.
        radius_50_km, radius_90_km: calibrated.
        reason: why the model abstains; empty if it doesn't.
    """

    side: ImageSide
    place: LocationSide
    posterior: Posterior
    radius_50_km: float
    radius_90_km: float
    reason: str


class Locator:
    """Tells where images were taken, and why.

    Attributes:
        model: encoders and alignment.
        gallery: the places among which it chooses.
        calibration: what makes radii and abstention honest.
    """

    def __init__(
        self,
        model: GeoModel,
        gallery: Gallery,
        calibration: Calibration,
        novelty: NoveltyDetector,
    ) -> None:
        self.model = model
        self.gallery = gallery
        self.calibration = calibration
        self._novelty = novelty
        self._decoder = Decoder(
            gallery.lat_lon, gallery.grid, calibration.smoothing_km, calibration.sureness
        )

    @classmethod
    def from_pretrained(cls, name_or_dir: str | os.PathLike[str] = "embedded") -> Locator:
        """Loads a model by name or from its folder; nothing is downloaded.

        Raises:
            ModelNotFoundError: if it isn't on this machine; the message says how to get it.
            ModelFormatError: if the folder is damaged.
        """
        folder = ModelFolder.open(resolve_model(os.fspath(name_or_dir)))
        try:
            calibration = Calibration(**folder.section("calibration"))
            novelty = NoveltyDetector.from_tensors(folder.tensors("novelty"))
        except (KeyError, TypeError) as error:
            raise ModelFormatError(
                f"{folder.path}: the calibration lacks {error}: get or train the model anew"
            ) from error
        model = GeoModel.load(folder)
        gallery = Gallery.from_tensors(folder.tensors("gallery"), model)
        return cls(model, gallery, calibration, novelty)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    @overload
    def locate(self, image: ImageSource, *, top_k: int = 5) -> Prediction: ...
    @overload
    def locate(self, image: Many, *, top_k: int = 5) -> list[Prediction]: ...
    def locate(self, image: ImageSource | Many, *, top_k: int = 5) -> Prediction | list[Prediction]:
        """Locates one image, or many; gives one prediction, or a list in the same order.

        Raises:
            ImageError: if an image can't be used; ``locate_each`` goes on instead.
        """
        if isinstance(image, list | tuple):
            return [_raised(found) for found in self.locate_each(image, top_k)]
        return next(_raised(found) for found in self.locate_each([image], top_k))

    def locate_each(
        self, images: Iterable[ImageSource], top_k: int = 5
    ) -> Iterator[Prediction | ImageError]:
        """Locates images as they come; a bad one yields its error and doesn't stop the rest.

        Images are read in threads, 32 at a time, while the previous ones are located.
        """
        remaining = iter(images)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            ahead = [pool.submit(_read, image) for image in islice(remaining, IMAGES_AT_ONCE)]
            while ahead:
                read = [future.result() for future in ahead]
                ahead = [pool.submit(_read, image) for image in islice(remaining, IMAGES_AT_ONCE)]
                yield from self._locate_batch(read, top_k)

    def density(self, image: ImageSource) -> CellDensity:
        """The posterior over H3 cells for one image.

        Raises:
            ImageError: if it can't be used.
        """
        return self.decode([_raised(_read(image)).pixels], top_k=1)[0].posterior.density

    def decode(self, pixels: Sequence[Pixels], top_k: int = 5) -> list[Decoded]:
        """Posteriors, radii and abstentions of RGB images ``[H, W, 3]``, without explanations."""
        features = self.model.features(pixels)
        side = self.model.image_side(features)
        strange = self._novelty.score(without_picture(features)).tolist()
        decoded: list[Decoded] = []
        for start in range(0, len(pixels), SCORED_AT_ONCE):
            some = side.rows(slice(start, start + SCORED_AT_ONCE))
            logits = self.model.aligner.scores(some, self.gallery.side)
            for probability in softmax(logits, self.calibration.temperature):
                number = len(decoded)
                one = side.rows(slice(number, number + 1))
                decoded.append(self._decoded(one, probability, strange[number], top_k))
        return decoded

    def _locate_batch(
        self, read: list[NamedImage | ImageError], top_k: int
    ) -> Iterator[Prediction | ImageError]:
        good = [image for image in read if isinstance(image, NamedImage)]
        decoded = iter(self.decode([image.pixels for image in good], top_k) if good else [])
        for image in read:
            if isinstance(image, NamedImage):
                yield self._prediction(image.name, next(decoded))
            else:
                yield image

    def _decoded(
        self, side: ImageSide, probability: NDArray[np.float32], novelty: float, top_k: int
    ) -> Decoded:
        posterior = self._decoder.decode(probability, top_k)
        mode_of_point = posterior.mode_of_cell[self.gallery.grid.point_to_cell]
        rows, weights = shares(probability, np.flatnonzero(mode_of_point == 0))
        place = self.gallery.side.mean(rows, weights.astype(np.float32))
        radius_50_km, radius_90_km = self.calibration.radii_km(posterior)
        reason = self._reason_to_abstain(novelty, radius_50_km)
        return Decoded(side, place, posterior, radius_50_km, radius_90_km, reason)

    def _prediction(self, name: str, decoded: Decoded) -> Prediction:
        return Prediction(
            image=name,
            position=LatLon(*decoded.posterior.lat_lon),
            radius_50_km=decoded.radius_50_km,
            radius_90_km=decoded.radius_90_km,
            abstained=bool(decoded.reason),
            reason=decoded.reason,
            candidates=_candidates(decoded.posterior),
            explanation=self._explanation(decoded),
            model=self.name,
        )

    def _explanation(self, decoded: Decoded) -> Explanation:
        return explain_place(
            self.model.aligner,
            self.model.contributors,
            decoded.side,
            decoded.place,
            self.gallery.average,
            self.model.attribution,
            self.calibration.temperature,
        )

    def _reason_to_abstain(self, novelty: float, radius_50_km: float) -> str:
        limit = self.calibration
        if not novelty <= limit.novelty_threshold:
            return (
                f"the image is unlike those that the model was trained on (novelty {novelty:.1f}, "
                f"limit {limit.novelty_threshold:.1f})"
            )
        if radius_50_km > limit.abstain_above_km:
            return (
                f"it could be almost anywhere (radius {radius_50_km:,.0f} km at 50 %, "
                f"limit {limit.abstain_above_km:,.0f} km)"
            )
        return ""


def _candidates(posterior: Posterior) -> tuple[Candidate, ...]:
    gazetteer = Gazetteer.load()
    return tuple(
        Candidate(LatLon(*mode.lat_lon), mode.probability, gazetteer.describe(mode.lat_lon))
        for mode in posterior.modes
    )


def _read(image: ImageSource) -> NamedImage | ImageError:
    try:
        return read_image(image, min_side=SMALLEST_SIDE)
    except ImageError as error:
        return error


def _raised(found: _T | ImageError) -> _T:
    if isinstance(found, ImageError):
        raise found
    return found
