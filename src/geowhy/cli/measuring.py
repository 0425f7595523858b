"""What ``geowhy evaluate`` can measure, and which options go with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import typer

from geowhy.cli.options import progress, say
from geowhy.errors import ConfigError, DataError, MissingExtraError

__all__ = ["Report", "Wanted", "widths"]

Look = Literal["plain", "hard"]
Missing = Literal["wrong", "left-out"]
AskedPhotos = tuple[Path, str, Path | None, Mapping[str, object]]
Asked = tuple[str, Look, tuple[float, float] | None, bool, int, int]  # the fields of a `WorldPlan`

MANY = 2_000  # pictures
MOST_WIDTH_KM = 5_000.0
VIEWS = "held-out views"  # what is measured if nothing else is asked for
OPTIONS = {  # and where `Wanted` has them
    "--from": "table",
    "--against": "against",
    "--missing": "missing",
    "--photos": "photos",
    "--benchmark": "benchmark",
    "--list": "listed",
    "--faithfulness": "faithfulness",
    "--world": "world",
    "--negatives": "negatives",
    "--pictures": "pictures",
    "--split": "split",
    "--predictions": "predictions",
    "--hard": "hard",
    "--widths": "widths",
    "--steep": "steep",
    "--queries": "queries",
    "--seed": "seed",
}
TAKES: dict[str, tuple[str, ...]] = {  # what can be measured, and which options go with it
    "--from": ("--against", "--missing"),
    "--photos": ("--benchmark", "--list", "--predictions", "--missing"),
    "--faithfulness": ("--seed",),
    "--world": ("--hard", "--widths", "--steep", "--queries", "--seed", "--predictions"),
    "--negatives": ("--queries", "--seed"),
    "--pictures": (),
    VIEWS: ("--split", "--predictions", "--missing"),
}


class Report(Protocol):
    """What every measurement gives."""

    def table(self) -> str:
        """For people."""

    def to_json(self) -> str:
        """As one JSON object."""


def widths(word: str) -> tuple[float, float]:
    """A range of widths in km, such as 300-600."""
    try:
        low, high = map(float, word.split("-"))
    except ValueError:
        low = high = 0.0
    if not 0 < low < high <= MOST_WIDTH_KM:
        raise typer.BadParameter(
            f"{word!r} is no range of widths in km up to {MOST_WIDTH_KM:,.0f}, such as 300-600"
        )
    return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was given to ``geowhy evaluate``; None or False for what wasn't."""

    model: str | None
    table: Path | None
    against: Path | None
    missing: Missing | None
    photos: Path | None
    benchmark: str | None
    listed: Path | None
    of_model: Mapping[str, object]  # what the model alone lets one choose, with --photos
    faithfulness: bool
    world: str | None
    negatives: str | None
    pictures: Path | None
    split: Literal["test", "validation"] | None
    predictions: Path | None
    hard: bool
    widths: tuple[float, float] | None
    steep: bool
    queries: int | None
    seed: int | None

    def measure(self) -> Report:
        """Does it.

        Raises:
            ConfigError: if options don't go together, or nothing is to be measured.
            DataError: if ``predictions`` can't be written.
        """
        from geowhy.cli.pages import check_output

        self._check()
        if self.predictions:
            check_output(self.predictions)
        model, queries, seed = self.model, self.queries or MANY, self.seed or 0
        if self.table is not None:
            return again(self.table, self.against, self.missing)
        if model is None:
            raise ConfigError("what to measure? give a model, or --from a file of predictions")
        if self.photos is not None:
            asked = (self.photos, self.benchmark or "own", self.listed, self.of_model)
            return on_photos(model, asked, self.predictions, self.missing or "wrong")
        if self.faithfulness:
            return faithfulness(model, 1 if self.seed is None else self.seed)
        if self.world is not None:
            look: Look = "hard" if self.hard else "plain"
            plan = (self.world, look, self.widths, self.steep, queries, seed)
            return on_world(model, plan, self.predictions)
        if self.negatives is not None:
            return on_negatives(model, self.negatives, queries, seed)
        if self.pictures is not None:
            return on_pictures(model, self.pictures)
        return on_views(model, self.split or "test", self.predictions, self.missing or "wrong")

    def _check(self) -> None:
        """Refuses options that don't go together."""
        given = [
            name
            for name, attribute in OPTIONS.items()
            if getattr(self, attribute) is not None and getattr(self, attribute) is not False
        ]
        what = [name for name in given if name in TAKES]
        if len(what) > 1:
            raise ConfigError(f"{' and '.join(what)} measure different things: give one of them")
        chosen = what[0] if what else VIEWS
        beside = [name for name in given if name not in TAKES]
        if chosen == "--from" and (self.model or not {*beside} <= {*TAKES[chosen]}):
            raise ConfigError(
                f"--from {self.table}: measures that file: give only --against, --missing or "
                "--json beside it"
            )
        if chosen != "--photos" and self.of_model:
            raise ConfigError(
                f"--{next(iter(self.of_model))} goes with --photos, and what is measured is "
                f"{chosen}: leave it out"
            )
        for name in beside:
            if name not in TAKES[chosen]:
                owners = [owner for owner, takes in TAKES.items() if name in takes]
                raise ConfigError(
                    f"{name} goes with {' or '.join(owners)}, and what is measured is "
                    f"{chosen}: leave {name} out"
                )


def again(path: Path, against: Path | None = None, missing: Missing | None = None) -> Report:
    """Measures what ``--predictions`` wrote, or compares it with another such table.

    Raises:
        DataError: if a file is missing, or isn't such a file, or the tables are of other images.
        ConfigError: if options were given that aren't for answers to a world.
    """
    if _is_json(path):
        if against or missing:
            raise ConfigError(
                f"{path}: has answers to a world, and --against and --missing are for tables of "
                "predictions: leave them out"
            )
        from geowhy.evaluation.orbit.log import AnswerLog
        from geowhy.evaluation.orbit.worlds import report_of

        return report_of(AnswerLog.load(path))
    from geowhy.evaluation.published import read_table

    found = read_table(path)
    if against is None:
        return found.report(missing or "wrong")
    from geowhy.evaluation.comparison import compare

    return compare(found, read_table(against), missing or "wrong")


def _is_json(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise DataError(f"{path}: isn't a table of predictions ({error}): give one") from error


def faithfulness(model: str, seed: int) -> Report:
    """How true explanations are.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    try:
        from geowhy.evaluation.fidelity.report import measure_fidelity
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "geowhy evaluate") from error
    return measure_fidelity(model, seed, say)


def on_views(model: str, split: str, predictions: Path | None, missing: Missing) -> Report:
    """How good a model is on held-out views."""
    from geowhy.evaluation.accuracy import predictions_of

    found = predictions_of(model, split)
    if predictions:
        found.save(predictions)
    return found.report(missing)


def on_photos(model: str, asked: AskedPhotos, predictions: Path | None, missing: Missing) -> Report:
    """How good a model is on the photographs of a folder."""
    from geowhy.evaluation.photo_protocol import predictions_of_photos

    folder, benchmark, listed, of_model = asked
    with progress("photos") as show:
        found = predictions_of_photos(model, folder, benchmark, listed, of_model, show)
    if predictions:
        found.save(predictions)
    return found.report(missing)


def on_world(model: str, asked: Asked, predictions: Path | None) -> Report:
    """How well a model tells where pictures of a world lie."""
    from geowhy.evaluation.orbit.worlds import WorldPlan, measure_world

    plan = WorldPlan(*asked)
    with progress(f"{plan.world}, {plan.look}") as show:
        try:
            return measure_world(model, plan, predictions, show)
        except KeyboardInterrupt:
            if predictions:
                say(f"geowhy: stopped; the same command goes on behind what {predictions} has")
            raise


def on_negatives(model: str, world: str, queries: int, seed: int) -> Report:
    """How often a model names a place for pictures that show none."""
    from geowhy.evaluation.orbit.negatives import measure_negatives

    with progress("pictures of no place") as show:
        return measure_negatives(model, world, queries, seed, show)


def on_pictures(model: str, folder: Path) -> Report:
    """What a model says of real pictures."""
    from geowhy.evaluation.orbit.pictures import measure_pictures

    with progress("pictures") as show:
        return measure_pictures(model, folder, show)
