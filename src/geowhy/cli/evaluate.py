"""``geowhy evaluate``: how good a model is, with its protocol."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from geowhy.errors import ConfigError, MissingExtraError

__all__ = ["HELP", "add_arguments", "run"]

HELP = (
    "Measure a model on held-out views; prints the table with its protocol. With --faithfulness, "
    "how true its explanations are to the model and to the Earth."
)
SPLITS = ("test", "validation")


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    parser.add_argument("model", metavar="MODEL", help="a model's name or folder")
    views = "which held-out views to score (default: test)"
    parser.add_argument("--split", choices=SPLITS, default="test", help=views)
    faithful = "measure its explanations on test views, which takes some ten minutes"
    parser.add_argument("--faithfulness", action="store_true", help=faithful)
    seed = "with --faithfulness: of the views that are drawn (default: 1)"
    parser.add_argument("--seed", type=int, metavar="N", help=seed)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(given: Namespace) -> int:
    """Measure, and print the result."""
    if given.faithfulness:
        return _run_faithfulness(given)
    if given.seed is not None:
        raise ConfigError("--seed draws the views of --faithfulness: give that too, or neither")
    from geowhy.evaluation.report import evaluate

    scores = evaluate(given.model, given.split)
    print(scores.to_json() if given.json else scores.table())
    return 0


def _run_faithfulness(given: Namespace) -> int:
    if given.split != "test":
        raise ConfigError("--faithfulness is measured on test views: leave --split out")
    try:
        from geowhy.evaluation.fidelity.report import measure_fidelity
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    found = measure_fidelity(given.model, 1 if given.seed is None else given.seed, _say)
    print(found.to_json() if given.json else found.table())
    return 0


def _say(step: str) -> None:
    print(step, file=sys.stderr, flush=True)
