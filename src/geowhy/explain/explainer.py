"""Everything that can be said about why: references, counterfactuals, sparse forms, evidence maps.

`Locator.locate` gives the plain explanation of an answer; this is the long form of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geowhy.answer import Prediction
from geowhy.arrays import Floats64, Ints, Pixels
from geowhy.engine import Decoded, Engine
from geowhy.errors import ConfigError
from geowhy.explain.concept_probability import ConceptProbability
from geowhy.explain.interventions import changed, parse_changes
from geowhy.explain.regions import occlusion_maps, patch_maps
from geowhy.explain.sparse import sparse_form
from geowhy.explanation import (
    AVERAGE,
    EVIDENCE_CATEGORY,
    Counterfactual,
    EvidenceMap,
    Explanation,
    Reference,
    SparseForm,
)
from geowhy.geo.places import Gazetteer
from geowhy.geo.sphere import distance_km
from geowhy.model.encoded import Encoded
from geowhy.model.geomodel import GeoModel
from geowhy.posterior import CellDensity, Contest
from geowhy.types import LatLon

__all__ = ["ANSWER", "Against", "Examined", "Explainer", "Question", "Regions"]

Against = Literal["elsewhere", "average", "runner-up"] | LatLon | tuple[float, float]
Regions = Literal["occlusion", "patches"]

ANSWER = "the answer"
MOST_PLACES = 1000  # on either side, heaviest first, that a sparse form has to tell apart
MAPPED_CONCEPTS = 3  # strongest for the place, each with an evidence map
TRIED_CONCEPTS = 3  # of the usual counterfactuals


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about an answer.

    Attributes:
        against: the reference: all other places by their probability, the average place of the
            gallery, the runner-up, or degrees.
        what_if: changes such as "-desert +coast", one counterfactual each; None for the usual ones:
            without each of the strongest concepts, and without the strongest category.
        sparse: share of the variance of the log-odds, over the places of the answer and those
            elsewhere, that a sparse form shall reproduce; None for no sparse form.
        regions: how evidence maps are made; None for none.
    """

    against: Against = "elsewhere"
    what_if: tuple[str, ...] | None = None
    sparse: float | None = 0.9
    regions: Regions | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """One image with its answer and its long explanation.

    Attributes:
        prediction: whose ``explanation`` is the long one.
        pixels: the image, ``[H, W, 3]``.
        density: over cells.
    """

    prediction: Prediction
    pixels: Pixels
    density: CellDensity


class Explainer:
    """Answers questions about the answers of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = _statements(engine)
        self._gazetteer = Gazetteer.load()

    def explain(
        self,
        decoded: Decoded,
        pixels: Pixels,
        question: Question,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Explanation:
        """The long explanation of one decoded image ``[H, W, 3]``.

        Raises:
            ConfigError: if the question can't be answered; says why.
            CoordinateError: if the reference isn't on Earth.
        """
        side, reference = self._reference(decoded, question.against)
        plain = self._engine.attribution.explain(decoded.side, decoded.place, side, reference)
        if self._statements:
            told = self._statements.told(plain.contributions, decoded.side)
            plain = replace(plain, contributions=told)
        changes = question.what_if
        if changes is None:
            changes = _usual_changes(plain)
        maps: tuple[EvidenceMap, ...] = ()
        if question.regions:
            maps = self._maps(decoded, side, plain, pixels, question.regions, on_progress)
        return replace(
            plain,
            sparse=self._sparse(decoded, plain, question.sparse),
            what_if=tuple(self._what_if(decoded, change) for change in changes),
            evidence=maps,
        )

    def _reference(self, decoded: Decoded, against: Against) -> tuple[Encoded, Reference]:
        gallery = self._engine.gallery
        if against == "elsewhere":
            return decoded.rival, decoded.against
        if against == "average":
            return gallery.average, AVERAGE
        if against == "runner-up":
            runner_up = self._engine.contest(decoded).runner_up
            if runner_up is None:
                raise ConfigError(
                    "there is no runner-up: all of the probability is in one place; ask against "
                    "the average place, or a coordinate"
                )
            mode, (rows, weights) = runner_up
            name = self._gazetteer.describe(mode.lat_lon)
            side = gallery.side.mean(rows, weights.astype(np.float32))
            return side, Reference("runner-up", LatLon(*mode.lat_lon), name)
        there = against if isinstance(against, LatLon) else LatLon(*_degrees(against))
        side = self._engine.encode_places([[there.lat, there.lon]])
        return side, Reference("place", there, self._gazetteer.describe((there.lat, there.lon)))

    def _sparse(
        self, decoded: Decoded, explanation: Explanation, share: float | None
    ) -> SparseForm | None:
        if share is None:
            return None
        rows, weights = _halves(self._engine.contest(decoded))
        places = self._engine.gallery.side.rows(rows)
        evidence = self._engine.attribution
        return sparse_form(evidence, decoded.side, places, weights, explanation, share)

    def _what_if(self, decoded: Decoded, change: str) -> Counterfactual:
        evidence, before = self._engine.attribution, decoded.estimate
        changes = parse_changes(change, evidence)
        after = self._engine.estimate(changed(evidence, decoded.side, changes))
        return Counterfactual(
            change=change,
            changes=tuple(each.asked for each in changes),
            position=LatLon(*after.lat_lon),
            place=self._gazetteer.describe(after.lat_lon),
            moved_km=float(distance_km(before.lat_lon, after.lat_lon)),
            probability_before=float(before.density.probability[before.region].sum()),
            probability_after=float(after.density.probability[before.region].sum()),
            probability_there=float(after.density.probability[after.region].sum()),
        )

    def _maps(
        self,
        decoded: Decoded,
        reference: Encoded,
        explanation: Explanation,
        pixels: Pixels,
        method: Regions,
        on_progress: Callable[[int, int], None] | None,
    ) -> tuple[EvidenceMap, ...]:
        """Of the answer and of the strongest concepts for it."""
        seen = [
            c
            for c in explanation.speaking_for(len(explanation.contributions))
            if c.category != EVIDENCE_CATEGORY
        ]
        names = [concept.name for concept in seen[:MAPPED_CONCEPTS]]
        numbers = [self._engine.attribution.names.index(name) for name in names]

        def scores(images: Encoded) -> Floats64:
            return self._scores(images, decoded.place, reference, numbers)

        model = self._engine.model
        if method == "patches":
            if not isinstance(model, GeoModel):
                raise ConfigError(
                    f"{model.name}: no patches of a picture can be asked of it: hide parts of the "
                    "picture instead (occlusion)"
                )
            found = patch_maps(
                model.backbone,
                pixels,
                lambda features: scores(self._engine.encode_images(features)),
            )
        else:
            found = occlusion_maps(
                pixels,
                lambda pictures: scores(self._engine.sides(pictures)),
                on_progress=on_progress,
            )
        return tuple(
            EvidenceMap(name, found[:, :, number].astype(np.float32), method)
            for number, name in enumerate([ANSWER, *names])
        )

    def _scores(
        self,
        images: Encoded,
        place: Encoded,
        reference: Encoded,
        numbers: Sequence[int],
    ) -> Floats64:
        """Log-odds of the place, and what some concepts add to them, ``[N, 1 + s]``."""
        evidence, rows = self._engine.attribution, []
        for number in range(len(images)):
            image = images.rows(slice(number, number + 1))
            here, rest_here = evidence.shares(image, place)
            there, rest_there = evidence.shares(image, reference)
            shares = (here - there)[0]
            rows.append([shares.sum() + (rest_here - rest_there)[0], *shares[numbers]])
        return np.array(rows)


def _statements(engine: Engine) -> ConceptProbability | None:
    """None for a model that has no bank of concepts, and for one whose bank states none."""
    model = engine.model
    return (
        ConceptProbability.of(model.aligner, engine.gallery)
        if isinstance(model, GeoModel)
        else None
    )


def _halves(contest: Contest) -> tuple[Ints, Floats64]:
    """Gallery points of the answer and of its rivals, with weights: either side half of them."""
    sides = [contest.answer, contest.elsewhere]
    heaviest = [np.argsort(-weights)[:MOST_PLACES] for _, weights in sides]
    rows = [side[0][some] for side, some in zip(sides, heaviest, strict=True)]
    weights = [side[1][some] for side, some in zip(sides, heaviest, strict=True)]
    halves = [part / (2 * part.sum()) for part in weights if len(part)]
    return np.concatenate(rows), np.concatenate(halves)


def _usual_changes(explanation: Explanation) -> tuple[str, ...]:
    changes = [f"-{concept.name}" for concept in explanation.speaking_for(TRIED_CONCEPTS)]
    sums = explanation.by_category
    best = max(sums, key=lambda name: sums[name], default="")
    return tuple(changes + ([f"-{best}"] if best and sums[best] > 0 else []))


def _degrees(against: object) -> tuple[float, float]:
    if isinstance(against, Sequence) and not isinstance(against, str) and len(against) == 2:
        return float(against[0]), float(against[1])
    raise ConfigError(
        f"against {against!r}: give elsewhere, average, runner-up, or degrees, latitude first, "
        "such as (48.9, 2.4)"
    )
