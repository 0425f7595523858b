"""Images in, predictions out: the one class that every face of geowhy calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from geowhy.answer import Agreement, Candidate, Prediction
from geowhy.arrays import Pixels
from geowhy.engine import Decoded, Engine
from geowhy.errors import ImageError
from geowhy.explain.explainer import Against, Explainer, Question, Regions
from geowhy.explanation import Explanation
from geowhy.geo.places import Gazetteer
from geowhy.geo.regions import Region
from geowhy.hints import HeadingRange, Hints, WidthRange
from geowhy.images.reading import ImageSource, NamedImage, read_image
from geowhy.posterior import CellDensity
from geowhy.pretrained.catalogue import chosen, entry_of

__all__ = ["Examined", "Locator"]

Many = list[ImageSource] | tuple[ImageSource, ...]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """One image with its answer and its long explanation."""

    prediction: Prediction  # whose `explanation` is the long one
    pixels: Pixels  # the image, [H, W, 3]
    density: CellDensity  # over cells


class Locator:
    """Tells where images were taken, and why.

    Attributes:
        engine: the model at work; for evaluation and for who wants posteriors.
    """

    def __init__(self, engine: Engine) -> None:
        """Puts an engine behind the verbs that people use."""
        self.engine = engine

    @classmethod
    def from_pretrained(
        cls,
        name_or_dir: str | os.PathLike[str] = "embedded",
        *,
        gallery: ArrayLike | None = None,
        on_progress: Callable[[str], None] | None = None,
        **options: object,
    ) -> Locator:
        """Loads a model by name or from its folder; nothing is downloaded.

        Args:
            name_or_dir: "embedded", "geoclip", a registered name, or a folder that ``geowhy train``
                made.
            gallery: places to choose among, degrees ``[M, 2]``, instead of the model's own.
            on_progress: is told of long work in words.
            options: of that model alone, such as those of `GeoClipOptions`.

        Raises:
            ModelNotFoundError: if it isn't on this machine; the message says how to get it.
            ModelFormatError: if the folder is damaged.
            ConfigError: if the model has no such option, or no such choice.
            CoordinateError: if a place of the gallery isn't on Earth.
        """
        name = os.fspath(name_or_dir)
        entry = entry_of(name)
        places = None if gallery is None else np.asarray(gallery, np.float64)
        engine = entry.load(name, places, chosen(entry, options), on_progress or (lambda _: None))
        if places is not None:  # said here, so that no entry can forget to
            engine = copy(engine)
            engine.gallery = replace(engine.gallery, is_own=True)
        return cls(engine)

    def within(self, region: Region | str, outside: float = 0.0) -> Locator:
        """The same locator, for images of one region: a country, a state, a box, a GeoJSON file.

        With ``outside`` above 0, places elsewhere count so much of one beforehand.

        Raises:
            DataError: if nothing is called so, or the gallery has no place there.
        """
        area = Region.parse(region) if isinstance(region, str) else region
        return Locator(self.engine.within(area, outside))

    def with_hints(
        self,
        width_km: WidthRange | tuple[float, float] | None = None,
        heading_deg: HeadingRange | tuple[float, float] | None = None,
    ) -> Locator:
        """The same locator, for images of which something is known, and nothing but that.

        Args:
            width_km: from where to where the longer side on the ground may be.
            heading_deg: where the picture's up points, clockwise from north, and how far that may
                be wrong to either side.

        Raises:
            ConfigError: if the model doesn't tell how pictures lie or knows none that wide, or a
                range is none.
        """
        width = WidthRange(*width_km) if isinstance(width_km, tuple) else width_km
        heading = HeadingRange(*heading_deg) if isinstance(heading_deg, tuple) else heading_deg
        return Locator(self.engine.with_hints(Hints(width, heading)))

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.engine.model.name

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
            with closing(self.locate_each(image, top_k)) as located:
                return [_raised(found) for found in located]
        return _raised(next(self._locate_batch([self._read(image)], top_k)))

    def locate_each(
        self, images: Iterable[ImageSource], top_k: int = 5
    ) -> Generator[Prediction | ImageError]:
        """Locates images as they come; a bad one yields its error and doesn't stop the rest.

        Images are read in threads, some at a time, while the previous ones are located.
        """
        remaining, at_once = iter(images), self.engine.inputs.images_at_once
        pool = ThreadPoolExecutor(max_workers=os.cpu_count())
        try:
            ahead = [pool.submit(self._read, image) for image in islice(remaining, at_once)]
            while ahead:
                read = [future.result() for future in ahead]
                ahead = [pool.submit(self._read, image) for image in islice(remaining, at_once)]
                yield from self._locate_batch(read, top_k)
        finally:
            # Who leaves half-way lets the collector come here, maybe while a thread is being
            # started: to join one then would wait for a lock that this very thread holds.
            pool.shutdown(wait=False, cancel_futures=True)

    def density(self, image: ImageSource) -> CellDensity:
        """The posterior over H3 cells for one image.

        Raises:
            ImageError: if it can't be used.
        """
        return self.engine.decode([_raised(self._read(image)).pixels], top_k=1)[0].estimate.density

    def explain(
        self,
        image: ImageSource,
        *,
        against: Against = "elsewhere",
        what_if: str | Iterable[str] | None = None,
        sparse: float | None = 0.9,
        regions: Regions | None = None,
    ) -> Explanation:
        """Why the model names the place that it names for an image: the long form.

        Args:
            image: as `locate` takes it.
            against: what the place is held against: "elsewhere" for the places that it could be
                instead; "average" for the average place of the gallery; "runner-up"; or
                degrees, latitude first: why here, and not there.
            what_if: changes to what the picture shows, such as "-desert +coast": one, or several;
                None for the usual ones, as for `examine`; () for none.
            sparse: share of the variance of the log-odds over the gallery that the fewest concepts
                shall reproduce; None for no sparse form.
            regions: "occlusion" or "patches" for maps of the evidence over the picture.

        Raises:
            ImageError: if the image can't be used.
            ConfigError: if there is no such concept, or the question can't be answered.
        """
        if what_if is not None:
            what_if = (what_if,) if isinstance(what_if, str) else tuple(what_if)
        question = Question(against, what_if, sparse, regions)
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
        decoded = self.engine.decode([read.pixels], top_k)[0]
        asked = question or Question()
        explanation = self._explainer.explain(decoded, read.pixels, asked, on_progress)
        prediction = replace(self._prediction(read, decoded, top_k), explanation=explanation)
        return Examined(prediction, read.pixels, decoded.estimate.density)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.engine)

    def _locate_batch(
        self, read: list[NamedImage | ImageError], top_k: int
    ) -> Iterator[Prediction | ImageError]:
        good = [image for image in read if isinstance(image, NamedImage)]
        decoded = iter(self.engine.decode([image.pixels for image in good], top_k) if good else [])
        for image in read:
            if isinstance(image, NamedImage):
                yield self._prediction(image, next(decoded), top_k)
            else:
                yield image

    def _prediction(self, image: NamedImage, decoded: Decoded, top_k: int) -> Prediction:
        gazetteer, pose = Gazetteer.load(), decoded.estimate.pose
        agreement = decoded.estimate.agreement
        prediction = Prediction(
            image=image.name,
            position=decoded.estimate.modes[0].position,
            radius_50_km=decoded.radius_50_km,
            radius_90_km=decoded.radius_90_km,
            candidates=tuple(
                Candidate(mode.position, mode.probability, gazetteer.describe(mode.lat_lon))
                for mode in decoded.estimate.modes[:top_k]
            ),
            explanation=self.engine.attribution.explain(
                decoded.side, decoded.place, decoded.rival, decoded.against
            ),
            model=self.name,
            scope=self.engine.scope,
            abstention=decoded.abstention,
            calibrated=self.engine.calibration.is_fitted,
            other_evidence=self.engine.beside_the_scope,
            notes=image.notes,
            file_says=image.file_says,
            verified=decoded.estimate.verified,
            agreement=agreement and Agreement(*agreement),
        )
        if pose is None:
            return prediction
        height, width, _ = image.pixels.shape
        whole = pose.of_whole((height, width))
        return replace(
            prediction,
            heading_deg=whole.heading_deg,
            width_km=whole.width_km,
            footprint=whole.footprint((height, width)),
        )

    def _read(self, image: ImageSource) -> NamedImage | ImageError:
        try:
            return read_image(image, min_side=self.engine.inputs.min_side)
        except ImageError as error:
            return error


def _raised(found: _T | ImageError) -> _T:
    if isinstance(found, ImageError):
        raise found
    return found
