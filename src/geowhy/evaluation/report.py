"""``geowhy evaluate``: rebuilds the split that a model was trained on, and measures it there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import ConfigError, MissingExtraError
from geowhy.evaluation.metrics import Answers, Estimate, Metrics, measure
from geowhy.inference.locator import Locator
from geowhy.model.registry import resolve_model
from geowhy.model.store import ModelFolder

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig

__all__ = ["EvaluationReport", "answer_views", "evaluate", "training_config"]

VIEWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Metrics with the protocol that they belong to.

    Attributes:
        metrics: on all views of the split.
        unseen: on those that share no pixel with any training view; None if that is all of them.
    """

    model: str
    split: str
    protocol: str
    gallery: str
    expected: int
    metrics: Metrics
    unseen: Metrics | None

    def to_json(self) -> str:
        """Everything, as one JSON object."""
        return json.dumps(asdict(self))

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        m = self.metrics
        parts = [
            f"model     {self.model}",
            f"split     {self.split}: {self.protocol}",
            f"gallery   {self.gallery}",
            f"scored    {m.scored:,} of {self.expected:,} views in {m.blocks} blocks of 10°",
            "interval  95 %, bootstrap over blocks",
            "",
            *_rows(m),
        ]
        if self.unseen is not None:
            count, blocks = self.unseen.scored, self.unseen.blocks
            parts += [
                "",
                "Of these, the views that share no pixel with any training view: "
                f"{count:,} in {blocks} blocks",
                *_rows(self.unseen),
            ]
        return "\n".join(parts)


def evaluate(model: str, split: str = "test") -> EvaluationReport:
    """Measures a model on the test or validation views of its own training configuration.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        MissingExtraError: without the extra ``train``, which reads manifests.
        ConfigError: if the split is neither ``test`` nor ``validation``, or if the model was
            trained on it.
    """
    if split not in ("test", "validation"):
        raise ConfigError(f"split {split!r}: choose test or validation")
    config = training_config(model)
    if split == "validation" and config.split.refit:
        raise ConfigError(
            f"{model}: was refitted on its validation views, so they tell nothing of it: choose "
            "test, or train a model with split.refit = false"
        )
    locator = Locator.from_pretrained(model)
    answers, is_unseen = answer_views(locator, config, split)
    strict = config.split.margin == "shared_pixels"
    return EvaluationReport(
        model=locator.name,
        split=split,
        protocol=_protocol(config),
        gallery=f"{len(locator.gallery.lat_lon):,} points uniform on the land of the whole Earth",
        expected=config.split.test_views if split == "test" else config.split.validation_views,
        metrics=measure(answers),
        unseen=None if strict or not is_unseen.any() else measure(answers.only(is_unseen)),
    )


def answer_views(
    locator: Locator, config: TrainingConfig, split: str
) -> tuple[Answers, NDArray[np.bool_]]:
    """Locates every view of a split, cut anew; also tells which share no pixel with training."""
    from geowhy.geo.atlas import Atlas
    from geowhy.images.overhead import cut_views
    from geowhy.training.sources import open_world
    from geowhy.training.views import final_views, sample_views, unseen

    world = open_world()
    manifest = final_views(sample_views(config.views, Atlas.load()), config.split, world)
    centres = manifest.centres[manifest.rows(split)]
    decoded = []
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        chunk = centres[start : start + VIEWS_AT_ONCE]
        views = cut_views(world, chunk, manifest.km_per_pixel, manifest.size)
        decoded += locator.decode(list(views), top_k=1)
    answers = Answers(
        truth=centres,
        answer=np.array([d.posterior.lat_lon for d in decoded]),
        radius_50_km=np.array([d.radius_50_km for d in decoded]),
        radius_90_km=np.array([d.radius_90_km for d in decoded]),
        abstained=np.array([bool(d.reason) for d in decoded]),
    )
    return answers, unseen(manifest, split, world)


def training_config(model: str) -> TrainingConfig:
    """The configuration that a model was trained with.

    Raises:
        ModelNotFoundError: if there is no such model.
        MissingExtraError: without the extra ``train``.
    """
    try:
        from geowhy.training.config import TrainingConfig
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    return TrainingConfig(**ModelFolder.open(resolve_model(model)).section("training"))


def _protocol(config: TrainingConfig) -> str:
    margin = {
        "shared_pixels": "no training view shares a pixel with a held-out view",
        "none": "no margin: training views at the rims of held-out cells overlap views in them",
    }
    return (
        f"{config.views.size} px at {config.views.km_per_pixel:g} km per pixel, held-out 10° "
        f"cells, split seed {config.split.seed}; {margin[config.split.margin]}"
    )


def _rows(m: Metrics) -> list[str]:
    rows = [(f"within {km:,} km", _percent(estimate)) for km, estimate in sorted(m.recall.items())]
    rows += [
        ("median error", _kilometres(m.median_km)),
        ("radius 50 % holds", _percent(m.coverage_50)),
        ("radius 90 % holds", _percent(m.coverage_90)),
        ("abstained", f"{m.abstained:6.1%}"),
        ("within 750 km if answered", f"{m.answered_recall_750:6.1%}"),
    ]
    return [f"{name:<26}{text}" for name, text in rows]


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:6.1%}  [{estimate.low:.1%}, {estimate.high:.1%}]"


def _kilometres(estimate: Estimate) -> str:
    return f"{estimate.value:,.0f} km  [{estimate.low:,.0f}, {estimate.high:,.0f}]"
