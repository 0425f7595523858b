"""From a picture of the ground to where it lies: search, laying on the map, one posterior.

The gallery gives distinct candidates. The picture is laid on the map at the best of them, and what
that shows is a term of the score beside the likeness. What remains goes to "elsewhere, or no place
on Earth", which is spread as the search alone would spread it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats32, Floats64, Points, Rows
from geowhy.evidence import RULED_OUT, FieldTerm
from geowhy.geo.pose import Poses
from geowhy.geo.sphere import destination, distance_km
from geowhy.heads.gallery import Gallery
from geowhy.model.terms import Encoded, ScoreTerm
from geowhy.orbit.hint_term import HintTerm
from geowhy.orbit.registration import FEATURES, Registrations, register
from geowhy.orbit.settings import OrbitSettings
from geowhy.orbit.strips import LaidSquare, StripImages, laid_strip
from geowhy.orbit.terms import (
    NUMBERED_NOWHERE,
    PictureImages,
    PlaceNumbers,
    RegistrationImages,
    RingTerm,
)
from geowhy.posterior import Calibration, CellDensity, Estimate, Mode, Posterior, Term

__all__ = ["OTHER_PLACE", "OrbitHead", "OrbitSettings", "PoseEstimate", "PosePosterior"]

BEARINGS = 12  # in which the spread of a candidate is sampled,
QUANTILES = (np.arange(12) + 0.5) / 12  # at so many of the distances that are as probable
LIKENESS, STRUCTURE = FEATURES.index("likeness"), FEATURES.index("structure")
EDGELESS = 0.01  # structure of a picture of one colour: it agrees with nothing
OTHER_PLACE = 0.35  # widths: as far away is another place
LEAST_LOG = np.float32(-30.0)  # nats of what has no probability


@dataclass(frozen=True, slots=True, eq=False)
class PosePosterior(Posterior):
    """A posterior over poses; they lie at the places that its rows name."""

    poses: Poses  # [M]
    sigma_km: Floats64  # standard deviation of each centre to either side, [M]
    likeness: Floats32  # correlation with the map, in [-1, 1], [M]
    elsewhere: float  # probability that it is none of them


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PoseEstimate(Estimate):
    """What a posterior over poses says; radii are of the poses' spread and of what remains."""

    points: Points  # a sample of the posterior, degrees [S, 2]
    weights: Floats64  # [S], adding up to 1

    def radius_km(self, mass: float) -> float:
        """Radius around the answer that holds ``mass``, before calibration."""
        away = distance_km(np.array(self.lat_lon), self.points)
        order = np.argsort(away)
        reached = np.cumsum(self.weights[order])
        index = min(int(np.searchsorted(reached, mass)), len(order) - 1)
        return float(away[order[index]])


class OrbitHead:
    """Lays pictures on the map at the likeliest places of a gallery."""

    def __init__(
        self,
        score_terms: tuple[ScoreTerm, ...],
        gallery: Gallery,
        calibration: Calibration,
        evidence: FieldTerm | None = None,
        *,
        settings: OrbitSettings,
    ) -> None:
        """Adds ``evidence`` at the gallery's places to what pictures say."""
        self._terms, self._gallery, self._evidence = score_terms, gallery, evidence
        self._settings = settings
        rings = next(term for term in score_terms if isinstance(term, RingTerm))
        self._search = replace(rings, scale=settings.search_scale)
        self._hints = next((term for term in score_terms if isinstance(term, HintTerm)), None)
        self._numbers = gallery.side.part(PlaceNumbers).numbers[:, 0]
        self._places = settings.gallery.places.rows(self._numbers)
        self._share = self._places.log_share

    def perceive(self, images: Encoded) -> Encoded:
        """Images with what laying them on the map told."""
        if not any(isinstance(part, StripImages) for part in images.parts):
            seen = [self._laid(images, row) for row in range(len(images))]
            return Encoded((*images.parts, RegistrationImages.joined(seen)))
        found = []
        for row in range(len(images)):
            one, laid = self._strip(images.rows(slice(row, row + 1)))
            found.append(Encoded((*one.parts, laid)))
        return Encoded.joined(found)

    def _strip(self, one: Encoded) -> tuple[Encoded, RegistrationImages]:
        """One picture among which are strips, as it is or as its best square shows it."""
        parts = (part for part in one.parts if not isinstance(part, StripImages))
        if np.isnan(one.part(StripImages).offsets).all():
            one = Encoded(tuple(parts))
            return one, self._laid(one, 0)
        one, laid = laid_strip(one, self._square, float(RULED_OUT))
        parts = (part for part in one.parts if not isinstance(part, StripImages))
        return Encoded(tuple(parts)), laid

    def _square(self, one: Encoded) -> LaidSquare:
        """One square of a strip, with what would be said if it were all."""
        laid = self._laid(one, 0)
        posterior = next(self.posteriors(Encoded((*one.parts, laid))))
        return LaidSquare(laid, posterior.poses[:1], posterior.elsewhere)

    def _laid(self, images: Encoded, row: int) -> RegistrationImages:
        """One picture, laid on the map at the best of the places.

        At few of them first, which is enough for most pictures that lie anywhere.
        """
        one, settings = images.rows(slice(row, row + 1)), self._settings
        asked = self._search.weighed(one) * settings.gallery.step
        likeness = self._gallery.coded_scores(asked)[0] + self._share
        for most in settings.candidates:
            laid = self._laid_at(one, likeness, most)
            posterior = next(self.posteriors(Encoded((*one.parts, laid))))
            if posterior.probability[0] >= settings.sure or most >= len(self._numbers):
                break  # it is there, or was tried everywhere
        return laid

    def _laid_at(self, one: Encoded, likeness: Floats32, most: int) -> RegistrationImages:
        """One picture, laid at the ``most`` best places by their ``likeness``, nats ``[M]``."""
        settings = self._settings
        searched = likeness + self._beforehand(one)
        rows = self._places.distinct(searched, most)
        expected, beforehand = len(rows), searched - searched.max()
        if self._evidence:  # the others are tried as well: what if it weren't for the evidence?
            plain = likeness + self._of_hints(one)
            others = self._places.distinct(plain, most)
            rows = np.array(list(dict.fromkeys([*rows.tolist(), *others.tolist()])), np.intp)
            beforehand = np.maximum(beforehand, plain - plain.max())
        candidates = self._places.poses(rows)
        picture = one.part(PictureImages).pixels(0)
        columns = self._hints.columns if self._hints else None
        found = register(picture, settings.reference, candidates, beforehand[rows], columns)
        first = self._chosen(found)
        is_expected = found.candidates[first] < expected
        first = np.append(*(first[some][: settings.kept] for some in (is_expected, ~is_expected)))
        at = rows[found.candidates[first]]
        features = found.features[first].astype(np.float32)
        log_odds = settings.verdict.log_odds(features)
        log_odds += self._of_centres(found.poses[first].lat_lon, at)
        log_odds[features[:, STRUCTURE] < EDGELESS] = RULED_OUT
        rest = np.exp(searched - searched.max())
        return RegistrationImages.of(
            self._numbers[at],
            log_odds,
            features,
            found.poses[first],
            found.position_sigma_km[first],
            self._gallery.grid.density(rest / rest.sum()).astype(np.float32),
            2 * settings.kept if self._evidence else settings.kept,
        )

    def _chosen(self, found: Registrations) -> Rows:
        """The best pose at each candidate, those within the bounds first; the best of all leads."""
        _, first = np.unique(found.candidates, return_index=True)
        first = np.sort(first)
        if bounds := self._gallery.bounds:
            first = first[np.argsort(~bounds.contains(found.poses.lat_lon[first]), kind="stable")]
        return first

    def _of_centres(self, lat_lon: Points, rows: Rows) -> Floats32:
        """What is known of the centres of poses ``[K, 2]`` beyond what is of their places, nats."""
        nats = np.zeros(len(rows), np.float32)
        for field in self._evidence.fields if self._evidence else ():
            of_places = field.log_likelihood(self._gallery.lat_lon[rows])
            of_centres = field.log_likelihood(lat_lon)
            nats += np.maximum(of_centres, RULED_OUT) - np.maximum(of_places, RULED_OUT)
        if bounds := self._gallery.bounds:
            nats[~bounds.contains(lat_lon)] = RULED_OUT
        return nats

    def _beforehand(self, one: Encoded) -> Floats32:
        """What is known of the places, nats ``[M]``, beside what one picture shows."""
        known = self._of_hints(one)
        if self._evidence:
            for term in self._evidence.terms(one, self._gallery.side, 0):
                known = known + term.log_likelihood
        return known

    def _of_hints(self, one: Encoded) -> Floats32:
        """What hints say of the places, nats ``[M]``."""
        if self._hints is None:
            return np.zeros(len(self._numbers), np.float32)
        return self._hints.beforehand(one, self._gallery.side)

    def posteriors(self, images: Encoded) -> Iterator[PosePosterior]:
        """One posterior an image."""
        grid, seen = self._gallery.grid, images.part(RegistrationImages)
        for number in range(len(images)):
            one = images.rows(slice(number, number + 1))
            tried = seen.numbers[number] != NUMBERED_NOWHERE
            rows = np.searchsorted(self._numbers, seen.numbers[number][tried])
            places = self._gallery.side.rows(rows)
            ledger = tuple(
                Term(t.source, t.scores(one, places)[0], is_prior=t is self._hints)
                for t in self._terms
            )
            if self._evidence:
                ledger += tuple(self._evidence.terms(one, places, 0))
            nats = np.stack([term.log_likelihood for term in ledger]).sum(axis=0).astype(np.float64)
            share, elsewhere = self._settings.verdict.shares(nats)
            order = np.argsort(-share, kind="stable")
            mass = elsewhere * seen.rest[number].astype(np.float64)
            np.add.at(mass, grid.point_to_cell[rows], share)
            poses = seen.poses(number)[tried][order]
            yield PosePosterior(
                rows=rows[order],
                lat_lon=poses.lat_lon,
                cell=grid.point_to_cell[rows[order]],
                log_prob=np.maximum(np.log(share[order] + 1e-30), LEAST_LOG).astype(np.float32),
                ledger=tuple(replace(t, log_likelihood=t.log_likelihood[order]) for t in ledger),
                cell_mass=mass,
                poses=poses,
                sigma_km=self._settings.spread.sigma_km(seen.sigma_km[number][tried][order]),
                likeness=seen.features[number][tried][order, LIKENESS],
                elsewhere=elsewhere,
            )

    def estimate(self, posterior: Posterior, top_k: int) -> PoseEstimate:
        """What one posterior says: the best pose, and how far that may be wrong."""
        if not isinstance(posterior, PosePosterior):
            raise TypeError("this head decodes posteriors over poses alone")
        grid, settings = self._gallery.grid, self._settings
        shares = posterior.probability.astype(np.float64)
        places = zip(posterior.lat_lon[:top_k].tolist(), shares.tolist(), strict=False)
        modes = tuple(Mode((lat, lon), share) for (lat, lon), share in places)
        points, weights = _sampled(posterior, shares)
        rest = np.maximum(
            posterior.cell_mass - np.bincount(posterior.cell, shares, len(grid.cells)), 0
        )
        basin = np.where(np.arange(len(grid.cells)) == posterior.cell[0], 0, 1)
        estimate = PoseEstimate(
            modes=modes,
            density=CellDensity(grid.cells, grid.centres, posterior.cell_mass),
            region=basin == 0,
            basin=basin,
            half_km=0.0,
            is_point=True,
            pose=posterior.poses.one(0),
            verified=bool(shares[0] >= settings.sure),
            agreement=_agreement(posterior),
            elsewhere=posterior.elsewhere,
            points=np.concatenate([points, grid.centres]),
            weights=np.concatenate([weights, rest]),
        )
        return replace(estimate, half_km=estimate.radius_km(0.5))


def _agreement(posterior: PosePosterior) -> tuple[float, float | None]:
    """Of the answer with the map, and the best of any other place."""
    away = distance_km(posterior.lat_lon[0], posterior.lat_lon)
    others = posterior.likeness[away > OTHER_PLACE * posterior.poses.width_km[0]]
    return float(posterior.likeness[0]), float(others.max()) if len(others) else None


def _sampled(posterior: PosePosterior, shares: Floats64) -> tuple[Points, Floats64]:
    """Points around each pose's centre, normal to either side, and their weights."""
    bearing = np.arange(BEARINGS) * 360 / BEARINGS
    far = np.sqrt(-2 * np.log(1 - QUANTILES))  # of a Rayleigh distribution
    away = posterior.sigma_km[:, None, None] * far[:, None]
    centres = posterior.lat_lon[:, None, None, :]
    points = destination(centres, bearing, np.broadcast_to(away, (*away.shape[:2], BEARINGS)))
    each = len(QUANTILES) * BEARINGS
    return points.reshape(-1, 2), np.repeat(shares / each, each)
