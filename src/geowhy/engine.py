"""From pixels to a posterior: what the locator, explanations and evaluation share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from geowhy.answer import Abstention, Scope
from geowhy.arrays import Floats32, Floats64, Ints, Pixels
from geowhy.evidence import EvidenceField, FieldPlaces, FieldTerm, RegionPrior
from geowhy.explanation import AVERAGE, ELSEWHERE, Reference
from geowhy.geo.regions import Region
from geowhy.heads.gallery import Gallery
from geowhy.heads.retrieval import DensityHead, LocationHead, MakeHead
from geowhy.hints import NO_HINTS, Hints
from geowhy.model.attribution import LinearAttribution
from geowhy.model.terms import Encoded, ScoringModel, told
from geowhy.posterior import Calibration, Contest, Estimate, NoveltyDetector, Posterior

__all__ = ["Decoded", "Engine", "InputPolicy"]


LEAST_MODES = 2  # the answer and what it is held against


@dataclass(frozen=True, slots=True)
class InputPolicy:
    """What a model wants of the images that it is given.

    Attributes:
        min_side: pixels; a JPEG need not be decoded any finer. None for the whole picture.
        images_at_once: how many are read ahead and embedded together.
        crops: 10 for the mean score of ten crops of a photograph, else 1.
    """

    min_side: int | None = None
    images_at_once: int = 4
    crops: int = 1


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
        estimate: where it may have been taken. `Engine.posterior` gives the whole posterior
            again, which is too large to keep for many images.
        radius_50_km, radius_90_km: calibrated.
        abstention: why the model names no place; None if it does.
    """

    side: Encoded
    place: Encoded
    rival: Encoded
    against: Reference
    estimate: Estimate
    radius_50_km: float
    radius_90_km: float
    abstention: Abstention | None


class Engine:
    """Scores images against the places of a gallery and decodes them; knows no files and no words.

    Attributes:
        model: encodes images and places, and scores them.
        gallery: the places among which it chooses.
        calibration: what makes radii and abstention honest.
        inputs: what it wants of images.
        fields: evidence beside the image's.
        hints: what is known of how images lie.
        head: gives posteriors, and decodes them.
        attribution: what its scores are sums of.
    """

    def __init__(
        self,
        model: ScoringModel,
        gallery: Gallery,
        calibration: Calibration,
        novelty: NoveltyDetector | None,
        *,
        head: MakeHead = DensityHead,
        inputs: InputPolicy | None = None,
        fields: tuple[EvidenceField, ...] = (),
        hints: Hints | None = None,
    ) -> None:
        """Puts a model to work; ``novelty`` is None where nothing is known of it.

        Raises:
            ConfigError: if a field of evidence rules out every place, or the model can't make use
                of the hints.
        """
        self.hints = hints or NO_HINTS
        self.model = model = told(model, self.hints)
        self._of_fields = FieldTerm(fields, calibration.temperature) if fields else None
        self.gallery = gallery = self._with_fields(gallery)
        self.calibration = calibration
        self._head = head
        self.inputs = inputs or InputPolicy()
        self.fields = fields
        terms = (*model.terms, self._of_fields) if self._of_fields else model.terms
        self.attribution = LinearAttribution(terms, calibration.temperature)
        self._novelty = novelty
        self.head: LocationHead = head(model.terms, gallery, calibration, self._of_fields)

    def with_evidence(self, *fields: EvidenceField) -> Engine:
        """The same engine, which weighs places by these fields as well."""
        return self._changed(self.gallery, (*self.fields, *fields))

    def with_hints(self, hints: Hints) -> Engine:
        """The same engine, which weighs poses by these hints and no others.

        Raises:
            ConfigError: if the model doesn't tell how pictures lie, or knows none that wide.
        """
        return self._changed(self.gallery, self.fields, hints)

    @property
    def scope(self) -> Scope:
        """What it chooses among, as answers state it."""
        return replace(self.gallery.scope, hints=self.hints)

    @property
    def beside_the_scope(self) -> tuple[str, ...]:
        """Names of all evidence but the weight of the region that the scope states."""
        stated = self.gallery.region
        return tuple(
            field.source
            for field in self.fields
            if not (isinstance(field, RegionPrior) and field.region.name == stated)
        )

    def within(self, region: Region, outside: float = 0.0) -> Engine:
        """The same engine for places of one region; others count ``outside`` of one inside.

        Raises:
            DataError: if the gallery has no place there, or ``outside`` isn't in [0, 1].
        """
        if outside == 0.0:
            return self._changed(self.gallery.within(region), self.fields)
        prior = RegionPrior(region, outside)
        self.gallery.inside(region)
        weighed = replace(self.gallery, region=region.name, outside_weight=outside)
        return self._changed(weighed, (*self.fields, prior))

    def _changed(
        self, gallery: Gallery, fields: tuple[EvidenceField, ...], hints: Hints | None = None
    ) -> Engine:
        return Engine(
            self.model,
            gallery,
            self.calibration,
            self._novelty,
            head=self._head,
            inputs=self.inputs,
            fields=fields,
            hints=hints or self.hints,
        )

    def posterior(self, side: Encoded) -> Posterior:
        """Where an image may have been taken, by what was read off it; one row."""
        return next(iter(self.head.posteriors(side)))

    def estimate(self, side: Encoded, top_k: int = LEAST_MODES) -> Estimate:
        """What is decoded for an image, by what was read off it; one row."""
        return self.head.estimate(self.posterior(side), top_k)

    def contest(self, decoded: Decoded) -> Contest:
        """The places of an answer and of its rivals."""
        return Contest.of(self.posterior(decoded.side), decoded.estimate)

    def decode(self, pixels: Sequence[Pixels], top_k: int = 5) -> list[Decoded]:
        """Posteriors, radii and abstentions of RGB images ``[H, W, 3]``, without explanations."""
        features = self._features(pixels)
        side = self.encode_images(features).averaged(self.inputs.crops)
        novelties = self._novelty.score(features) if self._novelty else np.zeros(len(side))
        return [
            self._decoded(side.rows(slice(row, row + 1)), posterior, top_k, float(novelties[row]))
            for row, posterior in enumerate(self.head.posteriors(side))
        ]

    def sides(self, pixels: Sequence[Pixels]) -> Encoded:
        """What is read off RGB images ``[H, W, 3]``, N rows."""
        return self.encode_images(self._features(pixels)).averaged(self.inputs.crops)

    def encode_images(self, features: Floats32) -> Encoded:
        """Features ``[N, f]`` as the terms of scores and the fields of evidence take them."""
        images = self.model.image_side(features)
        if self._of_fields:
            images = Encoded((*images.parts, self._of_fields.encode_images(len(images))))
        return self.head.perceive(images)

    def encode_places(self, lat_lon: ArrayLike) -> Encoded:
        """Degrees ``[M, 2]`` as the terms of scores and the fields of evidence take them."""
        places = self.model.location_side(lat_lon)
        if self._of_fields is None:
            return places
        of_fields = self._of_fields.encode_places(np.asarray(lat_lon, np.float64))
        return Encoded((*places.parts, of_fields))

    def _with_fields(self, gallery: Gallery) -> Gallery:
        """The gallery with what the fields of this engine, and no others, say of its places."""
        side, average = (
            tuple(part for part in places.parts if not isinstance(part, FieldPlaces))
            for places in (gallery.side, gallery.average)
        )
        if self._of_fields:
            of_fields = Encoded((self._of_fields.encode_places(gallery.lat_lon),))
            side, average = (*side, *of_fields.parts), (*average, *of_fields.average().parts)
        return replace(gallery, side=Encoded(side), average=Encoded(average))

    def _features(self, pixels: Sequence[Pixels]) -> Floats32:
        """Of each picture, or of each of its crops."""
        if self.inputs.crops > 1:
            from geowhy.model.preprocessing import ten_crops

            pixels = [crop for picture in pixels for crop in ten_crops(picture)]
        return self.model.features(pixels)

    def _decoded(self, side: Encoded, posterior: Posterior, top_k: int, novelty: float) -> Decoded:
        estimate = self.head.estimate(posterior, max(top_k, LEAST_MODES))
        contest = Contest.of(posterior, estimate)
        rival, against = self.gallery.average, AVERAGE
        if len(contest.elsewhere[0]):
            rival, against = self._mean(*contest.elsewhere), ELSEWHERE
        place = self._mean(*contest.answer)
        radius_50_km, radius_90_km = self.calibration.radii_km(estimate)
        limit, abstention = self.calibration, None
        if not novelty <= limit.novelty_threshold:
            abstention = Abstention("novel", novelty, limit.novelty_threshold)
        elif estimate.elsewhere > limit.most_elsewhere:
            abstention = Abstention("no_match", estimate.elsewhere, limit.most_elsewhere)
        elif radius_50_km > limit.abstain_above_km:
            abstention = Abstention("too_wide", radius_50_km, limit.abstain_above_km)
        return Decoded(
            side, place, rival, against, estimate, radius_50_km, radius_90_km, abstention
        )

    def _mean(self, rows: Ints, weights: Floats64) -> Encoded:
        return self.gallery.side.mean(rows, weights.astype(np.float32))
