"""Lookups a second of every layer of the atlas: prints a table. Run by hand on a quiet machine."""

from __future__ import annotations

import argparse
import time

import numpy as np

from geowhy.geo.atlas import Atlas, Layer
from geowhy.geo.sphere import uniform_on_sphere

RUNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layers", nargs="*", help="names of layers; all by default")
    parser.add_argument("--count", type=int, default=1_000_000, help="of coordinates")
    given = parser.parse_args()
    names = given.layers
    atlas = Atlas.load()
    points = uniform_on_sphere(given.count, np.random.default_rng(0))
    print(f"best of {RUNS} runs of {given.count:,} random coordinates, one thread")
    rates = [_print_rate(atlas.layer(name), points) for name in names or atlas.names]
    print(f"{'slowest':<24}{min(rates) / 1e6:8.1f} million/s")


def _print_rate(layer: Layer, points: np.ndarray) -> float:
    seconds = min(_seconds(layer, points) for _ in range(RUNS))
    print(f"{layer.info.name:<24}{len(points) / seconds / 1e6:8.1f} million/s", flush=True)
    return len(points) / seconds


def _seconds(layer: Layer, points: np.ndarray) -> float:
    start = time.perf_counter()
    layer.at(points)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
