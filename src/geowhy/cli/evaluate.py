"""``geowhy evaluate``: how good a model is, with its protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from geowhy.cli.options import flag, option, say
from geowhy.errors import ConfigError, DataError, MissingExtraError

if TYPE_CHECKING:
    from geowhy.evaluation.accuracy import EvaluationReport
    from geowhy.evaluation.fidelity.report import FidelityReport

__all__ = ["HELP", "EvaluateOptions", "run"]

HELP = (
    "Measure a model on held-out views; prints the table with its protocol. With --faithfulness, "
    "how true its explanations are to the model and to the Earth."
)


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What ``geowhy evaluate`` takes."""

    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A model's name or folder.", show_default=False),
    ] = None
    split: Annotated[
        Literal["test", "validation"] | None,
        option(help="Which held-out views to score (default: test)."),
    ] = None
    predictions: Annotated[
        Path | None,
        option(help="Also write what it says of every image, as parquet.", metavar="FILE"),
    ] = None
    table: Annotated[
        Path | None,
        option(
            "--from", help="Measure what --predictions wrote, without the model.", metavar="FILE"
        ),
    ] = None
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
    if given.table is not None:
        return _measure_again(given.table, given)
    if given.model is None:
        raise ConfigError("what to measure? give a model, or --from a file of predictions")
    if given.faithfulness:
        return _run_faithfulness(given.model, given)
    if given.seed is not None:
        raise ConfigError("--seed draws the views of --faithfulness: give that too, or neither")
    from geowhy.evaluation.accuracy import predictions_of

    file = given.predictions
    if file is not None and not file.parent.is_dir():  # before minutes of work
        raise DataError(f"{file}: there is no folder {file.parent}: make it or choose another")
    table = predictions_of(given.model, given.split or "test")
    if file is not None:
        table.save(file)
    _tell(table.report(), given)
    return 0


def _measure_again(table: Path, given: EvaluateOptions) -> int:
    if given.model or given.split or given.faithfulness or given.predictions or given.seed:
        raise ConfigError(f"--from {table}: measures that file: give --json beside it alone")
    from geowhy.evaluation.accuracy import PredictionTable

    _tell(PredictionTable.load(table).report(), given)
    return 0


def _tell(report: EvaluationReport | FidelityReport, given: EvaluateOptions) -> None:
    print(report.to_json() if given.json else report.table())


def _run_faithfulness(model: str, given: EvaluateOptions) -> int:
    if given.split not in (None, "test") or given.predictions:
        raise ConfigError(
            "--faithfulness is measured on test views: leave --split and --predictions out"
        )
    try:
        from geowhy.evaluation.fidelity.report import measure_fidelity
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    found = measure_fidelity(model, 1 if given.seed is None else given.seed, say)
    _tell(found, given)
    return 0
