"""What a model has to beat on the fixed test: prints a table for each split seed and margin.

Nearest neighbour: the place of the training view whose features are most alike. Nearest view: the
training view nearest to the truth, which no retrieval of training places can beat. Best constant:
one and the same answer for every view.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.export.backbone_export import LAYOUT_GRID
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.training.aligner import fit_whitening
from geowhy.training.config import TrainingConfig
from geowhy.training.features import FeatureStore, embed_views
from geowhy.training.sources import TrainingSources
from geowhy.training.views import ViewManifest, sample_views, split_views

CHUNK = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/views.toml"))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    config = TrainingConfig.load(given.config)
    sources = TrainingSources.open(config)
    pool = sample_views(config.views, Atlas.load())
    backbone = sources.open_backbone()
    store = embed_views(pool, sources.world, backbone, sources.cache, lambda done, total: None)
    columns = ("750 km", "2,500 km", "median km")
    print(f"{'margin':<14} {'seed':>4} {'baseline':<18}" + "".join(f"{c:>11}" for c in columns))
    for margin in ("shared_pixels", "none"):
        for seed in given.seeds:
            split = config.split.model_copy(update={"seed": seed, "margin": margin})
            manifest = split_views(pool, split, sources.world, final=True)
            for name, errors in _errors(manifest, store, config.alignment.whitened).items():
                near, far = (100 * (errors <= km).mean() for km in (750, 2500))
                print(
                    f"{margin:<14} {seed:>4} {name:<18}{near:10.1f}%{far:10.1f}%"
                    f"{np.median(errors):11,.0f}",
                    flush=True,
                )


def _errors(manifest: ViewManifest, store: FeatureStore, size: int) -> dict[str, Floats64]:
    """Great-circle errors, km, of each baseline on the test views."""
    train, test = manifest.rows("train"), manifest.rows("test")
    places, truth = manifest.centres[train], manifest.centres[test]
    raw = store.read(train)
    whitening = fit_whitening(raw, size, LAYOUT_GRID)
    known, asked = _unit(whitening(raw)), _unit(whitening(store.read(test)))
    alike, nearest = [], []
    for start in range(0, len(test), CHUNK):
        rows = slice(start, start + CHUNK)
        alike.append((asked[rows] @ known.T).argmax(axis=1))
        nearest.append(distance_matrix_km(truth[rows], places).min(axis=1).astype(np.float64))
    guesses = places[:: max(1, len(places) // 1000)]
    constant = np.median(distance_matrix_km(guesses, truth[::10]), axis=1).argmin()
    return {
        "nearest neighbour": distance_km(places[np.concatenate(alike)], truth),
        "nearest view": np.concatenate(nearest),
        "best constant": distance_km(guesses[constant], truth),
    }


def _unit(x: Floats32) -> Floats32:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), np.float32)


if __name__ == "__main__":
    main()
