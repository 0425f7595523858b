"""Accuracy on the fixed test, for the configuration of views and for what it is compared with.

Trains every variant with every split seed (or takes the model that an earlier call left in the
output folder), measures it on the test views of that seed, and prints one table. For validation
views nothing is refitted.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from geowhy.evaluation.accuracy import predictions_of
from geowhy.training.config import TrainingConfig
from geowhy.training.run import train

COORDINATES: dict[str, dict[str, Any]] = {  # GeoCLIP's location encoder, at its best here
    "location": {
        "surroundings": 0,
        "sigmas": (0.5, 2.0, 8.0),
        "hidden": 256,
        "depth": 2,
        "dropout": 0.0,
    },
    "alignment": {"negatives": "land", "target_sigma_km": 500.0, "symmetries": False},
    "optimiser": {"steps": 200, "validate_every": 25, "batch": 512, "queue": 2048},
}
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "as-configured": {},
    "coordinates": COORDINATES,
    "both": {"location": {"sigmas": (0.5, 2.0), "hidden": 256, "depth": 2}},
    "no-refit": {"split": {"refit": False}},
    "objective-geoclip": {"alignment": {"objective": "geoclip"}},
    "space-embedding": {"alignment": {"space": "embedding"}},
    "space-both": {"alignment": {"space": "both"}},
    "divergence-literal": {"alignment": {"divergence": "literal"}},
    "no-divergence": {"alignment": {"divergence_weight": 0.0}},
    "no-grounding": {"alignment": {"grounding_weight": 0.0}},
    "no-symmetries": {"alignment": {"symmetries": False}},
    "no-summary-dropout": {"alignment": {"summary_dropout": 0.0}},
    "sharp-targets": {"alignment": {"target_sigma_km": 0.0}},
    "no-margin": {"split": {"margin": "none"}},
}
COLUMNS = ("within 750 km", "within 2,500 km", "median km", "radius 50 %", "radius 90 %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/views.toml"))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["as-configured"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--output", type=Path, default=Path("runs/accuracy"))
    given = parser.parse_args()
    base = TrainingConfig.load(given.config)
    print(f"{given.split} views, config {given.config}, split seeds {given.seeds}")
    print(f"{'variant':<20} {'seed':>4} " + " ".join(f"{name:>15}" for name in COLUMNS))
    for variant in given.variants:
        reports = [_report(base, variant, seed, given.output, given.split) for seed in given.seeds]
        _print_group(variant, given.seeds, [report["metrics"] for report in reports])
        if all(report["unseen"] for report in reports):
            print("of these, the views that share no pixel with any training view:")
            _print_group(variant, given.seeds, [report["unseen"] for report in reports])


def _report(
    base: TrainingConfig, variant: str, seed: int, output: Path, split: str
) -> dict[str, Any]:
    """Trains and measures one variant with one split seed, unless that was done before."""
    changed = _changed(base, variant, seed, split)
    folder = output / f"{base.name}-{variant}-{seed}" / ("refit" if changed.split.refit else "fit")
    measured = folder / f"{split}.json"
    if not measured.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.json"
        path.write_text(changed.model_dump_json())
        model = folder / "model"
        if not model.exists():
            train(path, folder, "cpu", resume=True)
        measured.write_text(predictions_of(str(model), split).report().to_json())
    report: dict[str, Any] = json.loads(measured.read_text())
    return report


def _print_group(variant: str, seeds: list[int], metrics: list[dict[str, Any]]) -> None:
    rows = [_row(m) for m in metrics]
    for seed, row in zip(seeds, rows, strict=True):
        _print(variant, str(seed), row)
    _print(variant, "mean", [statistics.mean(column) for column in zip(*rows, strict=True)])


def _row(m: dict[str, Any]) -> list[float]:
    recall, radii = m["distances"]["recall"], m["radii"]
    shares = (recall["750"], recall["2500"], radii["coverage_50"], radii["coverage_90"])
    near, far, half, most = (100 * share["value"] for share in shares)
    return [near, far, m["distances"]["median_km"]["value"], half, most]


def _changed(base: TrainingConfig, variant: str, seed: int, split: str) -> TrainingConfig:
    content = base.model_dump()
    for section, changes in VARIANTS[variant].items():
        content[section] |= changes
    if VARIANTS[variant] or seed != base.split.seed:  # else it is the configured model itself
        content["name"] = f"{base.name}-{variant}-{seed}"
    content["split"]["seed"] = seed
    content["split"]["refit"] &= split == "test"
    return TrainingConfig(**content)


def _print(variant: str, seed: str, row: list[float]) -> None:
    near, far, median_km, half, most = row
    print(
        f"{variant:<20} {seed:>4} {near:14.1f}% {far:14.1f}% {median_km:15,.0f} "
        f"{half:14.1f}% {most:14.1f}%",
        flush=True,
    )


if __name__ == "__main__":
    main()
