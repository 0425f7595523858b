"""Images in, predictions out: the one class that every face of geowhy calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.errors import ImageError
from geowhy.explanation import AVERAGE, ELSEWHERE, Explanation, Reference
from geowhy.geo.places import Gazetteer
from geowhy.geo.regions import Region
from geowhy.images.reading import NamedImage, read_image
from geowhy.images.sources import ImageSource
from geowhy.inference.calibration import Calibration
from geowhy.inference.contributions import Evidence
from geowhy.inference.explainer import Against, Examined, Explainer, Question, Regions
from geowhy.inference.gallery import Gallery
from geowhy.inference.novelty import NoveltyDetector
from geowhy.inference.posterior import CellDensity, Posterior
from geowhy.inference.pretrained import ReleasedOptions, load_parts
from geowhy.inference.released import Concepts, Precision
from geowhy.inference.search import Decoding, HillSearch, NearestSearch, PlaceSearch
from geowhy.model.alignment import ImageSide, LocationSide
from geowhy.model.geomodel import GeoModel
from geowhy.types import Candidate, LatLon, Prediction

__all__ = ["Decoded", "Locator"]

Pixels = NDArray[np.uint8]
Many = list[ImageSource] | tuple[ImageSource, ...]
_T = TypeVar("_T")

IMAGES_AT_ONCE = 32
SMALLEST_SIDE = 256  # pixels; a JPEG need not be decoded any finer for a 128-pixel input
PHOTOGRAPHS_AT_ONCE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a model makes of one image, before it is put into words.

    Attributes:
        side: the image in the spaces of the alignment, one row.
        place: the weighted mean of the gallery's places in the strongest mode, one row. What speaks
            for it speaks for the answer; the point that is answered is their median, and may itself
            lie in a lake.
        rival: what the place is held against: the weighted mean of the places elsewhere, one row;
            the average place if there is nowhere else.
        against: the same in words.
        posterior: where it may have been taken.
        radius_50_km, radius_90_km: calibrated.
        reason: why the model abstains; empty if it doesn't.
    """

    side: ImageSide
    place: LocationSide
    rival: LocationSide
    against: Reference
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
        evidence: what its scores are sums of.
    """

    def __init__(
        self,
        model: GeoModel,
        gallery: Gallery,
        calibration: Calibration,
        novelty: NoveltyDetector | None,
        *,
        decoding: Decoding = "hills",
        crops: int = 1,
    ) -> None:
        """Puts a model to work.

        Args:
            model: encoders and alignment.
            gallery: the places among which it chooses.
            calibration: what makes radii and abstention honest.
            novelty: knows images unlike those of the training; None where nothing is known.
            decoding: how places are found.
            crops: 10 for the mean score of ten crops of a photograph, else 1.
        """
        self.model = model
        self.gallery = gallery
        self.calibration = calibration
        self._novelty = novelty
        self._decoding = decoding
        self._crops = crops
        self.evidence = Evidence.of(model, calibration.temperature)
        self._search = _search(model, gallery, calibration, decoding)

    @classmethod
    def from_pretrained(
        cls,
        name_or_dir: str | os.PathLike[str] = "embedded",
        *,
        gallery: ArrayLike | None = None,
        crops: Literal[1, 10] = 1,
        precision: Precision = "fp32",
        concepts: Concepts = "grounded",
        on_progress: Callable[[str], None] | None = None,
    ) -> Locator:
        """Loads a model by name or from its folder; nothing is downloaded.

        Args:
            name_or_dir: "embedded", "geoclip", or a folder that ``geowhy train`` made.
            gallery: places to choose among, degrees ``[M, 2]``, instead of the model's own.
            crops: of "geoclip" alone: 10 for the mean score of ten crops.
            precision: of "geoclip" alone: "int8" for an image tower in 8-bit whole numbers.
            concepts: of "geoclip" alone: "text" for explanations by the texts of concepts.
            on_progress: is told of long work in words.

        Raises:
            ModelNotFoundError: if it isn't on this machine; the message says how to get it.
            ModelFormatError: if the folder is damaged.
            ConfigError: if the model has no such option.
            CoordinateError: if a place of the gallery isn't on Earth.
        """
        options = ReleasedOptions(crops, precision, concepts)
        places = None if gallery is None else np.asarray(gallery, np.float64)
        parts = load_parts(os.fspath(name_or_dir), places, options, on_progress or (lambda _: None))
        return cls(
            parts.model,
            parts.gallery,
            parts.calibration,
            parts.novelty,
            decoding=parts.decoding,
            crops=crops,
        )

    def within(self, region: Region | str, outside: float = 0.0) -> Locator:
        """The same locator, for images of one region: a country, a state, a box, a GeoJSON file.

        With ``outside`` above 0, places elsewhere count so much of one beforehand.

        Raises:
            DataError: if nothing is called so, or the gallery has no place there.
        """
        area = Region.parse(region) if isinstance(region, str) else region
        return Locator(
            self.model,
            self.gallery.within(area, outside),
            self.calibration,
            self._novelty,
            decoding=self._decoding,
            crops=self._crops,
        )

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

        Images are read in threads, some at a time, while the previous ones are located.
        """
        remaining, at_once = iter(images), self._images_at_once
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            ahead = [pool.submit(self._read, image) for image in islice(remaining, at_once)]
            while ahead:
                read = [future.result() for future in ahead]
                ahead = [pool.submit(self._read, image) for image in islice(remaining, at_once)]
                yield from self._locate_batch(read, top_k)

    def density(self, image: ImageSource) -> CellDensity:
        """The posterior over H3 cells for one image.

        Raises:
            ImageError: if it can't be used.
        """
        return self.decode([_raised(self._read(image)).pixels], top_k=1)[0].posterior.density

    def explain(
        self,
        image: ImageSource,
        *,
        against: Against = "elsewhere",
        what_if: str | Iterable[str] = (),
        sparse: float | None = 0.9,
        regions: Regions | None = None,
    ) -> Explanation:
        """Why the model names the place that it names for an image: the long form.

        Args:
            image: as `locate` takes it.
            against: what the place is held against: "elsewhere" for the places that it could be
                instead; "average" for the average place of the gallery; "runner-up"; or
                degrees, latitude first: why here, and not there.
            what_if: changes to what the picture shows, such as "-desert +coast": one, or several.
            sparse: share of the variance of the log-odds over the gallery that the fewest concepts
                shall reproduce; None for no sparse form.
            regions: "occlusion" or "patches" for maps of the evidence over the picture.

        Raises:
            ImageError: if the image can't be used.
            ConfigError: if there is no such concept, or the question can't be answered.
        """
        changes = (what_if,) if isinstance(what_if, str) else tuple(what_if)
        question = Question(against, changes, sparse, regions)
        return self.examine(image, question).prediction.explanation

    def examine(
        self,
        image: ImageSource,
        question: Question | None = None,
        top_k: int = 5,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Examined:
        """One image with its answer, its long explanation and its posterior.

        ``on_progress`` is told of the evidence maps, the longest part.

        Raises:
            ImageError: if the image can't be used.
            ConfigError: if there is no such concept, or the question can't be answered.
        """
        read = _raised(self._read(image))
        decoded = self.decode([read.pixels], max(top_k, 2))[0]
        asked = question or Question()
        explanation = self._explainer.explain(decoded, read.pixels, asked, on_progress)
        prediction = replace(self._prediction(read.name, decoded), explanation=explanation)
        candidates = prediction.candidates[:top_k]
        return Examined(replace(prediction, candidates=candidates), read.pixels, decoded.posterior)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self)

    def posterior(self, side: ImageSide, top_k: int = 1) -> Posterior:
        """Where an image may have been taken, by what was read off it; one row."""
        return next(iter(self._search.find(side, top_k)))

    def decode(self, pixels: Sequence[Pixels], top_k: int = 5) -> list[Decoded]:
        """Posteriors, radii and abstentions of RGB images ``[H, W, 3]``, without explanations."""
        features = self.model.features(self._cropped(pixels))
        side = self.model.image_side(features).averaged(self._crops)
        strange = self._novelties(features)
        posteriors = self._search.find(side, top_k)
        return [
            self._decoded(side.rows(slice(number, number + 1)), posterior, strange[number])
            for number, posterior in enumerate(posteriors)
        ]

    def sides(self, pixels: Sequence[Pixels]) -> ImageSide:
        """What is read off RGB images ``[H, W, 3]``, N rows."""
        features = self.model.features(self._cropped(pixels))
        return self.model.image_side(features).averaged(self._crops)

    def _cropped(self, pixels: Sequence[Pixels]) -> Sequence[Pixels]:
        if self._crops == 1:
            return pixels
        from geowhy.model.preprocessing import ten_crops

        return [crop for picture in pixels for crop in ten_crops(picture)]

    def _novelties(self, features: NDArray[np.float32]) -> list[float]:
        if self._novelty is None:
            return [0.0] * (len(features) // self._crops)
        strange: list[float] = self._novelty.score(self.model.told(features)).tolist()
        return strange

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

    def _decoded(self, side: ImageSide, posterior: Posterior, novelty: float) -> Decoded:
        rival, against = self.gallery.average, AVERAGE
        if len(posterior.elsewhere[0]):
            rival, against = self._mean(*posterior.elsewhere), ELSEWHERE
        place = self._mean(*posterior.support)
        radius_50_km, radius_90_km = self.calibration.radii_km(posterior)
        reason = self._reason_to_abstain(novelty, radius_50_km)
        return Decoded(side, place, rival, against, posterior, radius_50_km, radius_90_km, reason)

    def _mean(self, rows: NDArray[np.intp], weights: NDArray[np.float64]) -> LocationSide:
        return self.gallery.side.mean(rows, weights.astype(np.float32))

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
            calibrated=self.calibration.is_fitted,
            scope=self.gallery.scope,
        )

    def _explanation(self, decoded: Decoded) -> Explanation:
        return self.evidence.explain(decoded.side, decoded.place, decoded.rival, decoded.against)

    def _read(self, image: ImageSource) -> NamedImage | ImageError:
        # GeoCLIP's numbers are those of the whole picture, shrunk once.
        min_side = SMALLEST_SIDE if self._decoding == "hills" else None
        try:
            return read_image(image, min_side=min_side)
        except ImageError as error:
            return error

    @property
    def _images_at_once(self) -> int:
        """Photographs come in full size, 36 MB for 12 megapixels, so fewer of them at once."""
        return IMAGES_AT_ONCE if self._decoding == "hills" else PHOTOGRAPHS_AT_ONCE

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


def _search(
    model: GeoModel, gallery: Gallery, calibration: Calibration, decoding: Decoding
) -> PlaceSearch:
    if decoding == "nearest":
        return NearestSearch(model.aligner, gallery)
    return HillSearch(model.aligner, gallery, calibration)


def _candidates(posterior: Posterior) -> tuple[Candidate, ...]:
    gazetteer = Gazetteer.load()
    return tuple(
        Candidate(LatLon(*mode.lat_lon), mode.probability, gazetteer.describe(mode.lat_lon))
        for mode in posterior.modes
    )


def _raised(found: _T | ImageError) -> _T:
    if isinstance(found, ImageError):
        raise found
    return found
