"""Everything that can be said about why: references, sparse forms, counterfactuals, evidence maps.

`Locator.locate` gives the plain explanation of an answer; this is the long form of it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geowhy.arrays import Floats32, Floats64, Ints, Pixels
from geowhy.engine import Decoded, Engine
from geowhy.errors import ConfigError
from geowhy.explain.concept_probability import probability_of
from geowhy.explain.regions import occlusion_maps, patch_maps
from geowhy.explanation import (
    ANSWER,
    AVERAGE,
    EVIDENCE_CATEGORY,
    ChangeKind,
    ConceptChange,
    Counterfactual,
    EvidenceMap,
    Explanation,
    Reference,
    SparseForm,
)
from geowhy.geo.places import Gazetteer
from geowhy.geo.sphere import distance_km
from geowhy.model.attribution import LinearAttribution
from geowhy.model.terms import Encoded
from geowhy.types import LatLon

__all__ = ["Against", "Explainer", "Question", "Regions", "changed", "parse_changes", "sparse_form"]

Against = Literal["elsewhere", "average", "runner-up"] | LatLon | tuple[float, float]
Regions = Literal["occlusion", "patches"]

MOST_PLACES = 1000  # on either side, heaviest first, that a sparse form has to tell apart
MAPPED_CONCEPTS = 3  # strongest for the place, each with an evidence map
TRIED_CONCEPTS = 3  # of the usual counterfactuals
# Most that a concept weighs in a sparse form: it may stand for others that say the same, but not
# for any that happens to differ between the few places that a sure answer leaves.
MOST_WEIGHT = 2.0
SWEEPS = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about an answer.

    The reference ``against`` are all other places by their probability, the average place of the
    gallery, the runner-up, or degrees. Without ``what_if`` the usual counterfactuals are given:
    without each of the strongest concepts, and without the strongest category.
    """

    against: Against = "elsewhere"
    what_if: tuple[str, ...] | None = None  # changes such as "-desert +coast", one answer each
    sparse: float | None = 0.9  # see `sparse_form`; None for no sparse form
    regions: Regions | None = None  # how evidence maps are made; None for none


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One thing that a picture shall show less or more of."""

    asked: ConceptChange  # what is no concept, or a category, is doubled
    columns: Ints  # which of the n contributors it is


class Explainer:
    """Answers questions about the answers of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = probability_of(engine.model, engine.gallery)
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
        engine, evidence = self._engine, self._engine.attribution
        reference, against = self._reference(decoded, question.against)
        plain = evidence.explain(decoded.side, decoded.place, reference, against)
        if self._statements:
            concepts = self._statements.with_probabilities(plain.contributions, decoded.side)
            plain = replace(plain, contributions=concepts)
        sparse = None
        if question.sparse is not None:
            rows, weights = engine.contest(decoded).halves(MOST_PLACES)
            places = engine.gallery.side.rows(rows)
            sparse = sparse_form(evidence, decoded.side, places, weights, plain, question.sparse)
        changes = question.what_if
        if changes is None:
            changes = tuple(f"-{concept.name}" for concept in plain.speaking_for(TRIED_CONCEPTS))
            # Categories come strongest first, by size.
            best = next((name for name, total in plain.by_category.items() if total > 0), "")
            changes += (f"-{best}",) if best else ()
        what_if = tuple(self._what_if(decoded, change) for change in changes)
        maps: tuple[EvidenceMap, ...] = ()
        if question.regions:
            maps = self._maps(decoded, reference, plain, pixels, question.regions, on_progress)
        return replace(plain, sparse=sparse, what_if=what_if, evidence=maps)

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
            return side, Reference("runner-up", mode.position, name)
        if not isinstance(against, LatLon):
            if isinstance(against, str) or not isinstance(against, Sequence) or len(against) != 2:
                raise ConfigError(
                    f"against {against!r}: give elsewhere, average, runner-up, or degrees, "
                    "latitude first, such as (48.9, 2.4)"
                )
            against = LatLon(float(against[0]), float(against[1]))
        side = self._engine.encode_places([[against.lat, against.lon]])
        name = self._gazetteer.describe((against.lat, against.lon))
        return side, Reference("place", against, name)

    def _what_if(self, decoded: Decoded, change: str) -> Counterfactual:
        evidence, before = self._engine.attribution, decoded.estimate
        changes = parse_changes(change, evidence)
        after = self._engine.estimate(changed(evidence, decoded.side, changes))
        return Counterfactual(
            change=change,
            changes=tuple(each.asked for each in changes),
            position=after.modes[0].position,
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
        plain: Explanation,
        pixels: Pixels,
        method: Regions,
        on_progress: Callable[[int, int], None] | None,
    ) -> tuple[EvidenceMap, ...]:
        """Of the answer and of the strongest concepts for it."""
        engine, evidence = self._engine, self._engine.attribution
        speaking = plain.speaking_for(len(plain.contributions))
        names = [c.name for c in speaking if c.category != EVIDENCE_CATEGORY][:MAPPED_CONCEPTS]
        numbers = [evidence.names.index(name) for name in names]

        def scores(images: Encoded) -> Floats64:
            """Log-odds of the place, and what the concepts add to them, ``[N, 1 + s]``."""
            rows = []
            for number in range(len(images)):
                image = images.rows(slice(number, number + 1))
                here, rest_here = evidence.shares(image, decoded.place)
                there, rest_there = evidence.shares(image, reference)
                shares = (here - there)[0]
                rows.append([shares.sum() + (rest_here - rest_there)[0], *shares[numbers]])
            return np.array(rows)

        if method == "patches":
            found = patch_maps(
                engine.model, pixels, lambda rows: scores(engine.encode_images(rows))
            )
        else:
            found = occlusion_maps(pixels, lambda some: scores(engine.sides(some)), on_progress)
        return tuple(
            EvidenceMap(name, found[:, :, number].astype(np.float32), method)
            for number, name in enumerate([ANSWER, *names])
        )


def parse_changes(text: str, attribution: LinearAttribution) -> tuple[Change, ...]:
    """Reads "-desert +coast": names of concepts, other parts or categories, with signs.

    A word that is no name stands for all concepts with this word in their names.

    Raises:
        ConfigError: if a name is unknown, or has no sign; the message lists the nearest names.
    """
    words = re.split(r"(?:^|[\s,]+)(?=[+\-−])", text.strip())
    words = [word.strip(" ,") for word in words if word.strip(" ,")]
    if not words:
        raise ConfigError(f"what if {text!r}: give changes such as '-desert +coast'")
    names = [name.lower() for name in attribution.names]
    categories = [name.lower() for name in attribution.categories]
    changes = []
    for word in words:
        sign, name = word[0], " ".join(word[1:].lower().replace("_", " ").split())
        if sign not in "+-−" or not name:
            raise ConfigError(
                f"what if {text!r}: put + or - before each name, as in '-desert +coast'"
            )
        asked, doubles = name, False
        if name in names:
            columns = [i for i, each in enumerate(names) if each == name]
            asked, doubles = attribution.names[columns[0]], columns[0] >= attribution.concepts
        elif name in categories:
            columns = [i for i, each in enumerate(categories) if each == name]
            asked, doubles = attribution.categories[columns[0]], True
        else:
            has_word = re.compile(rf"\b{re.escape(name)}\b").search
            columns = [i for i in range(attribution.concepts) if has_word(names[i])]
        if not columns:
            known = {each.lower(): each for each in (*attribution.names, *attribution.categories)}
            near = [known[each] for each in difflib.get_close_matches(name, known, 4, 0.5)]
            near += [each for key, each in known.items() if name in key and each not in near][:6]
            hint = f"did you mean {', '.join(near)}?" if near else "see: geowhy concepts list"
            no = f"the model has no concept, part or category {name!r}"
            raise ConfigError(f"what if {text!r}: {no}: {hint}")
        kind: ChangeKind = "without"
        if sign == "+":
            kind = "twice" if doubles else "with"
        changes.append(Change(ConceptChange(asked, kind), np.array(columns, np.intp)))
    return tuple(changes)


def changed(attribution: LinearAttribution, image: Encoded, changes: Sequence[Change]) -> Encoded:
    """One image after all changes at once.

    What is taken away counts nothing. A concept that is strengthened counts as much as the
    strongest concept of the image does; another part or a category, twice. What is left isn't
    brought back to its former length: a model from which evidence is taken grows less sure, rather
    than surer of the rest.
    """

    def edit(columns: Ints, values: Floats32) -> Floats32:
        edited = values.copy()
        strongest = values.max(axis=1, keepdims=True)
        for change in changes:
            own = np.isin(columns, change.columns)
            if change.asked.kind == "without":
                edited[:, own] = 0.0
            elif change.asked.kind == "twice":
                edited[:, own] = 2.0 * values[:, own]
            else:
                edited[:, own] = np.maximum(values[:, own], strongest)
        return edited

    return attribution.edited(image, edit)


def sparse_form(
    attribution: LinearAttribution,
    image: Encoded,
    places: Encoded,
    importance: Floats64,
    explanation: Explanation,
    share: float,
) -> SparseForm:
    """The fewest concepts that tell M places apart nearly as all concepts together do.

    A model's log-odds over places are a sum of one column a concept. The sparse form writes them as
    a sum of few of these columns, with weights that are neither negative nor above 2: orthogonal
    matching pursuit within bounds. SpLiCE (arXiv 2402.10376) does the like for embeddings of
    images; here it is for the scores that count. ``share`` is that of the variance of the log-odds
    over the places, by their ``importance`` ``[M]``, which adds up to 1, to be reproduced. If all
    concepts together can't, because much is unexplained, the form is the best there is.

    Raises:
        ConfigError: if ``share`` isn't in (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"a share of {share:g} of the score: give a number above 0, up to 1")
    columns, rest = attribution.shares(image, places)
    # Sums of squares of these are variances and covariances over the places.
    columns = (columns - importance @ columns) * np.sqrt(importance)[:, None]
    target = columns.sum(axis=1) + (rest - importance @ rest) * np.sqrt(importance)
    weights = _pursued(columns, target, share)
    said = columns @ weights
    left, energy = target - said, target @ target
    weight_of = dict(zip(attribution.names, weights.tolist(), strict=True))
    concepts = [
        replace(c, contribution=weight_of[c.name] * c.contribution, probability=None)
        for c in explanation.contributions
        if weight_of[c.name] > 0
    ]
    concepts.sort(key=lambda c: abs(c.contribution), reverse=True)
    return SparseForm(
        concepts=tuple(concepts),
        asked=share,
        reproduced=1.0 - float(left @ left / max(energy, np.finfo(float).tiny)),
        cosine=float(said @ target / max(np.sqrt(said @ said) * np.sqrt(energy), 1e-300)),
        score=sum(c.contribution for c in concepts),
    )


def _pursued(columns: Floats64, target: Floats64, share: float) -> Floats64:
    """Weights ``[k]``, most of them 0: one more column at a time, all weights fitted anew."""
    gram, along = columns.T @ columns, columns.T @ target
    lengths = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    weights, total = np.zeros(len(gram)), float(target @ target)
    for _ in range(len(gram)):
        left = total - 2 * weights @ along + weights @ gram @ weights
        if left <= (1.0 - share) * total:
            break
        slope = (along - gram @ weights) / lengths
        slope[weights > 0] = -np.inf
        best = int(slope.argmax())
        if slope[best] <= 1e-9 * np.sqrt(total):  # nothing that isn't said already
            break
        active = [*np.flatnonzero(weights), best]
        # Least squares within a box, one weight after the other: that finds the best of all.
        for _ in range(SWEEPS):
            before = weights.copy()
            for column in active:
                step = (along[column] - gram[column] @ weights) / max(gram[column, column], 1e-300)
                weights[column] = min(max(weights[column] + step, 0.0), MOST_WEIGHT)
            if np.abs(weights - before).max() < 1e-6:
                break
    return weights
