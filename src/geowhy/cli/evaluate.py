"""``geowhy evaluate``: how good a model is, with its protocol."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

__all__ = ["HELP", "add_arguments", "run"]

HELP = "Measure a model on held-out views; prints the table with its protocol."
SPLITS = ("test", "validation")


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    parser.add_argument("model", metavar="MODEL", help="a model's name or folder")
    views = "which held-out views to score (default: test)"
    parser.add_argument("--split", choices=SPLITS, default="test", help=views)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(given: Namespace) -> int:
    """Measure, and print the result."""
    from geowhy.evaluation.report import evaluate

    scores = evaluate(given.model, given.split)
    print(scores.to_json() if given.json else scores.table())
    return 0
