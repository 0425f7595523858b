"""``geowhy train``: a model from a configuration file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from geowhy.errors import MissingExtraError

__all__ = ["HELP", "add_arguments", "run"]

HELP = "Train a model; Ctrl-C saves a checkpoint, and --resume goes on from it."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="what to train, and how")
    folder = "folder of the run (default: as CONFIG.toml says)"
    parser.add_argument("--output", type=Path, metavar="DIR", help=folder)
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: cpu)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")


def run(given: Namespace) -> int:
    """Train.

    Raises:
        MissingExtraError: if what training needs isn't installed.
    """
    try:
        from geowhy.training.run import train
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("geowhy"):
            raise
        raise MissingExtraError(error.name, "train", "training") from error
    try:
        folder = train(given.config, given.output, given.device, given.resume)
    except KeyboardInterrupt:
        print("geowhy: stopped; the same command with --resume goes on", file=sys.stderr)
        raise
    print(f"The model is in {folder}: geowhy locate IMAGE --model {folder}")
    return 0
