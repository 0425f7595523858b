"""``geowhy evaluate``: how good a model is, with its protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from geowhy.cli.options import flag, option, say
from geowhy.errors import ConfigError, MissingExtraError

__all__ = ["HELP", "EvaluateOptions", "run"]

HELP = (
    "Measure a model on held-out views; prints the table with its protocol. With --faithfulness, "
    "how true its explanations are to the model and to the Earth."
)


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What ``geowhy evaluate`` takes."""

    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or folder.")]
    split: Annotated[
        Literal["test", "validation"],
        option(help="Which held-out views to score (default: test)."),
    ] = "test"
    faithfulness: Annotated[
        bool,
        flag(
            "--faithfulness",
            "Measure its explanations on test views, which takes some ten minutes.",
        ),
    ] = False
    seed: Annotated[
        int | None,
        option(help="With --faithfulness: of the views that are drawn (default: 1).", metavar="N"),
    ] = None
    json: Annotated[bool, flag("--json", "One JSON object.")] = False


def run(given: EvaluateOptions) -> int:
    """Measure, and print the result."""
    if given.faithfulness:
        return _run_faithfulness(given)
    if given.seed is not None:
        raise ConfigError("--seed draws the views of --faithfulness: give that too, or neither")
    from geowhy.evaluation.report import evaluate

    scores = evaluate(given.model, given.split)
    print(scores.to_json() if given.json else scores.table())
    return 0


def _run_faithfulness(given: EvaluateOptions) -> int:
    if given.split != "test":
        raise ConfigError("--faithfulness is measured on test views: leave --split out")
    try:
        from geowhy.evaluation.fidelity.report import measure_fidelity
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    found = measure_fidelity(given.model, 1 if given.seed is None else given.seed, say)
    print(found.to_json() if given.json else found.table())
    return 0
