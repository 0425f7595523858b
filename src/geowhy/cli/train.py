"""``geowhy train``: a model from a configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from geowhy.cli.options import flag, option
from geowhy.errors import MissingExtraError

__all__ = ["VERBS"]


def _train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to train, and how.")],
    output: Annotated[
        Path | None, option(help="Folder of the run (default: as CONFIG.toml says).", metavar="DIR")
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda"], option(help="Where to train (default: cpu).")
    ] = "cpu",
    resume: Annotated[bool, flag("--resume", "Go on from the checkpoint.")] = False,
) -> None:
    """Train a model.

    Ctrl-C saves a checkpoint, and --resume goes on from it.
    """
    try:
        from geowhy.training.kinds import train
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("geowhy"):
            raise
        raise MissingExtraError(error.name, "train", "training") from error
    try:
        folder = train(config, output, device, resume)
    except KeyboardInterrupt:
        print("geowhy: stopped; the same command with --resume goes on", file=sys.stderr)
        raise
    if os.environ.get("RANK", "0") == "0":  # of several processes one tells
        print(f"The model is in {folder}: geowhy locate IMAGE --model {folder}")


VERBS = (_train,)
