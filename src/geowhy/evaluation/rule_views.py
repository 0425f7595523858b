"""The views that rules of whole places are read off: a sample, and what a model makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geowhy.evaluation.protocol import open_views, training_config
from geowhy.geo.cells import ten_degree_cell
from geowhy.model.geomodel import GeoModel
from geowhy.model.store import ModelFolder
from geowhy.registry import require, resolve_model

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig
    from geowhy.training.features import FeatureStore
    from geowhy.training.views import ViewManifest

__all__ = ["RuleViews", "SomeViews"]

FITTED_VIEWS = 20_000  # training views, at most
NEAR_VIEWS = 6_000  # views of the training's own cells to be tested on, at most
NEAR_SHARE = 0.2  # of the training views, where no other view of their cells is left
READ_AT_ONCE = 2048  # features are 17 kB a view

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Rows = NDArray[np.intp]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class SomeViews:
    """Views, as classifiers read them.

    Attributes:
        centres: degrees ``[N, 2]``.
        whitened: what the model's own head reads of the backbone's features, ``[N, w]``.
        embedding: ``x_img``, ``[N, d]``.
        concepts: ``z_img``, ``[N, k]``.
    """

    centres: Points
    whitened: Floats
    embedding: Floats
    concepts: Floats

    def only(self, chosen: NDArray[np.bool_]) -> SomeViews:
        """Some of the views."""
        return SomeViews(*(getattr(self, name)[chosen] for name in self.__slots__))

    @property
    def blocks(self) -> NDArray[np.int64]:
        """The 10-degree block of each, ``[N]``."""
        return ten_degree_cell(self.centres)


@dataclass(frozen=True, slots=True, eq=False)
class RuleViews:
    """A seeded sample of the views of a model's own configuration.

    Attributes:
        model: whose they are.
        config: of its training.
        seed: of the sample.
        manifest: the sampled views alone, with their splits.
        fitted: rows of the training views that rules are fitted on.
        near: rows of views in the cells of the training that rules aren't fitted on.
        near_words: what these are.
        store: features of all rows.
    """

    model: GeoModel
    config: TrainingConfig
    seed: int
    manifest: ViewManifest
    fitted: Rows
    near: Rows
    near_words: str
    store: FeatureStore

    @classmethod
    def open(cls, name: str, seed: int, report: Report) -> RuleViews:
        """Samples the views and embeds those that have no features on disk yet.

        ``report`` is told of each stage. Breaking off loses one shard of 4,096 views at most.

        Raises:
            ModelNotFoundError: if the model or the Blue Marble isn't installed.
            ConfigError: if the model was trained on photographs.
            MissingExtraError: without the extra ``train``.
        """
        config = training_config(name)
        from geowhy.training.features import embed_views

        model = GeoModel.load(ModelFolder.open(resolve_model(name)))
        report("dividing views")
        pool, world = open_views(config)
        fitted, near, words = _sampled(pool, seed)
        rows = np.sort(np.concatenate([fitted, near, pool.rows("test")]))
        manifest = replace(pool, centres=pool.centres[rows], split=pool.split[rows])

        def tell(done: int, total: int) -> None:
            report(f"embedding views: {done:,} of {total:,}")

        cache = require("blue-marble").parent / "features"  # where training keeps them
        store = embed_views(manifest, world, model.backbone, cache, tell)
        places = (np.searchsorted(rows, fitted), np.searchsorted(rows, near))
        return cls(model, config, seed, manifest, *places, words, store)

    @property
    def test(self) -> Rows:
        """Rows of the test views."""
        return self.manifest.rows("test")

    def read(self, rows: Rows) -> SomeViews:
        """What the model makes of some of the views."""
        aligner, parts = self.model.aligner, []
        for start in range(0, len(rows), READ_AT_ONCE):
            told = self.model.told(self.store.read(rows[start : start + READ_AT_ONCE]))
            parts.append((aligner.whitened(told), *aligner.outputs(told)))
        whitened, embedding, concepts = map(np.concatenate, zip(*parts, strict=True))
        return SomeViews(self.manifest.centres[rows], whitened, embedding, concepts)


def _sampled(pool: ViewManifest, seed: int) -> tuple[Rows, Rows, str]:
    """Training views to fit on, others of the same cells, and what the latter are in words."""
    rng = np.random.default_rng(seed)
    training, margin = rng.permutation(pool.rows("train")), rng.permutation(pool.rows("margin"))
    if len(margin):
        words = (
            "views in the cells of the training, close to held-out ones, and so left out of it; "
            "the model never saw them, but their neighbours"
        )
        return training[:FITTED_VIEWS], margin[:NEAR_VIEWS], words
    count = min(NEAR_VIEWS, int(NEAR_SHARE * len(training)))
    words = "training views that no rule was fitted on; the model was trained on them"
    return training[count:][:FITTED_VIEWS], training[:count], words
