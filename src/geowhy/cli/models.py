"""``geowhy models``, ``geowhy train`` and ``geowhy evaluate``: to get models, make and measure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geowhy.cli.options import OneJson, flag, option, say
from geowhy.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from geowhy.evaluation.accuracy import EvaluationReport
    from geowhy.evaluation.fidelity.report import FidelityReport

__all__ = ["HELP", "TRAINING_VERBS", "VERBS"]

HELP = "List models and data, and get them; nothing is downloaded unless this command is asked to."


def _list() -> None:
    """Sizes, licences and sources, and what is here."""
    from geowhy.registry import ASSETS, EMBEDDED, is_installed, resolve_model

    size_mb = sum(file.stat().st_size for file in resolve_model(EMBEDDED).iterdir()) / 1e6
    print(f"{EMBEDDED}: the default, for views from above; see MODEL_CARD.md")
    print(f"  {size_mb:,.0f} MB, MIT, part of geowhy; here")
    for asset in ASSETS:
        get = "here" if is_installed(asset.name) else f"geowhy models get {asset.name}"
        print(f"{asset.name}: {asset.description}")
        print(f"  {asset.size_mb:,.0f} MB, {asset.licence}, from {asset.source}; {get}")


def _get(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of the models that the list names.")
    ],
    source: Annotated[
        Path | None,
        option(
            "--from",
            help="A file or folder that you already have, instead of a download.",
            metavar="PATH",
        ),
    ] = None,
) -> None:
    """Download a model, check its SHA-256 and convert it."""
    from geowhy.registry import install

    print(f"{name} is in {install(name, source, say)}")


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
        from geowhy.training.run import train
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("geowhy"):
            raise
        raise MissingExtraError(error.name, "train", "training") from error
    try:
        folder = train(config, output, device, resume)
    except KeyboardInterrupt:
        print("geowhy: stopped; the same command with --resume goes on", file=sys.stderr)
        raise
    print(f"The model is in {folder}: geowhy locate IMAGE --model {folder}")


def _evaluate(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A model's name or folder.", show_default=False),
    ] = None,
    split: Annotated[
        Literal["test", "validation"] | None,
        option(help="Which held-out views to score (default: test)."),
    ] = None,
    predictions: Annotated[
        Path | None,
        option(help="Also write what it says of every image, as parquet.", metavar="FILE"),
    ] = None,
    table: Annotated[
        Path | None,
        option(
            "--from", help="Measure what --predictions wrote, without the model.", metavar="FILE"
        ),
    ] = None,
    faithfulness: Annotated[
        bool,
        flag(
            "--faithfulness",
            "Measure its explanations on test views, which takes some ten minutes.",
        ),
    ] = False,
    seed: Annotated[
        int | None,
        option(help="With --faithfulness: of the views that are drawn (default: 1).", metavar="N"),
    ] = None,
    json: OneJson = False,
) -> None:
    """Measure a model on held-out views.

    Prints the table with its protocol. With --faithfulness, how true its explanations are to the
    model and to the Earth.
    """
    from geowhy.cli.pages import check_output
    from geowhy.evaluation.accuracy import PredictionTable, predictions_of

    report: EvaluationReport | FidelityReport
    if table is not None:
        if model or split or faithfulness or predictions or seed:
            raise ConfigError(f"--from {table}: measures that file: give --json beside it alone")
        report = PredictionTable.load(table).report()
    elif model is None:
        raise ConfigError("what to measure? give a model, or --from a file of predictions")
    elif faithfulness:
        if split == "validation" or predictions:
            raise ConfigError(
                "--faithfulness is measured on test views: leave --split and --predictions out"
            )
        try:
            from geowhy.evaluation.fidelity.report import measure_fidelity
        except ModuleNotFoundError as error:
            raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
        report = measure_fidelity(model, 1 if seed is None else seed, say)
    elif seed is not None:
        raise ConfigError("--seed draws the views of --faithfulness: give that too, or neither")
    else:
        if predictions:
            check_output(predictions)
        found = predictions_of(model, split or "test")
        if predictions:
            found.save(predictions)
        report = found.report()
    print(report.to_json() if json else report.table())


VERBS = (_list, _get)
TRAINING_VERBS = (_train, _evaluate)
