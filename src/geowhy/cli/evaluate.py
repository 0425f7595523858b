"""``geowhy evaluate``: how good a model is, and how true its explanations are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geowhy.cli.options import OneJson, flag, option, say
from geowhy.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from geowhy.evaluation.accuracy import EvaluationReport
    from geowhy.evaluation.fidelity.report import FidelityReport

__all__ = ["VERBS"]


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


VERBS = (_evaluate,)
