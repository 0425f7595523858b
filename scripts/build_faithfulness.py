"""Measures the embedded model's explanations, and keeps the figures that its pages show.

What ``geowhy evaluate embedded --faithfulness`` prints, this prints too. The figures name the model
that they are of by its digest; pages of any other model don't show them.
"""

from __future__ import annotations

import json
import sys

from geowhy.assets.files import sha256_of
from geowhy.cli.pages import FIGURES
from geowhy.evaluation.estimates import Estimate
from geowhy.evaluation.fidelity.deletion import OURS, RANDOM
from geowhy.evaluation.fidelity.of_poses import PoseFidelityReport, measure_pose_fidelity
from geowhy.locator import Locator
from geowhy.registry import EMBEDDED, resolve_model

SEED = 1


def main() -> None:
    """Measures, prints and writes."""
    locator = Locator.from_pretrained(EMBEDDED)
    found = measure_pose_fidelity(locator, SEED, lambda step: print(step, file=sys.stderr))
    print(found.table())
    kept = {
        "config_sha256": sha256_of(resolve_model(EMBEDDED) / "config.json"),
        "command": f"geowhy evaluate {EMBEDDED} --faithfulness --seed {SEED}",
        "figures": figures(found),
    }
    FIGURES.mkdir(exist_ok=True)
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    (FIGURES / f"{EMBEDDED}.json").write_text(f"{text}\n", encoding="utf-8")


def figures(found: PoseFidelityReport) -> list[tuple[str, str]]:
    """The figures of a page, in words."""
    deletion, truth = found.deletion, found.truth
    return [
        (
            "Area left when evidence is taken away in the stated order; in a random order",
            f"{deletion.area(OURS).value:.2f}; {deletion.area(RANDOM).value:.2f}",
        ),
        ("Stated concepts, first five, that hold in the true footprint", _percent(truth.stated)),
        ("The same of the five most frequent concepts", _percent(truth.most_frequent)),
        (
            "Rank correlation with a model of shuffled weights",
            f"{found.sanity.shuffled_weights.value:z.2f}",
        ),
        (
            "Rank correlation after a crop to 90 %",
            f"{found.stability.same_claim['middle 90 %'].value:.2f}",
        ),
    ]


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.0%}".replace("%", " %")


if __name__ == "__main__":
    main()
