"""Accuracy on the test views of a model by how far the nearest training view is: prints a table.

Shows how far a model reaches beyond what it has seen. Without a margin, views at the rim of a
held-out cell overlap training views, and are easy.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np

from geowhy.evaluation.accuracy import predictions_of
from geowhy.evaluation.protocol import open_views, training_config
from geowhy.geo.sphere import distance_km, distance_matrix_km

EDGES_KM = (0, 50, 100, 200, 330, 460, 600, 800, 20_016)
CHUNK = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="folder of a model of views")
    model = parser.parse_args().model
    config = training_config(model)
    manifest, _ = open_views(config)
    answers = predictions_of(model, "test")
    errors = distance_km(answers.truth, answers.answer)
    training = manifest.centres[manifest.rows("train")]
    nearest = np.concatenate(
        [
            distance_matrix_km(answers.truth[i : i + CHUNK], training).min(axis=1)
            for i in range(0, len(errors), CHUNK)
        ]
    )
    print(f"model {model}, margin {config.split.margin}, split seed {config.split.seed}")
    columns = f"{'views':>7}{'750 km':>9}{'2,500 km':>10}{'median km':>11}"
    print(f"{'nearest training view':<24}{columns}")
    for low, high in pairwise(EDGES_KM):
        own = errors[(nearest >= low) & (nearest < high)]
        if len(own):
            near, far = (100 * (own <= km).mean() for km in (750, 2500))
            name = f"{low:,} to {high:,} km"
            print(f"{name:<24}{len(own):>7}{near:8.1f}%{far:9.1f}%{np.median(own):11,.0f}")


if __name__ == "__main__":
    main()
