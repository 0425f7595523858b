"""``geowhy evaluate``: how good a model is, and how true its explanations are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from geowhy.cli import measuring
from geowhy.cli.options import OneJson, flag, option

__all__ = ["VERBS"]

Model = Annotated[
    str | None,
    typer.Argument(metavar="MODEL", help="A model's name or folder.", show_default=False),
]
Split = Annotated[
    Literal["test", "validation"] | None,
    option(help="Which held-out views to score (default: test)."),
]
Predictions = Annotated[
    Path | None,
    option(
        help="Also write what it says of every image: as parquet, or with --world as a line of "
        "JSON each, behind which the same command goes on.",
        metavar="FILE",
    ),
]
Table = Annotated[
    Path | None,
    option("--from", help="Measure what --predictions wrote, without the model.", metavar="FILE"),
]
Against = Annotated[
    Path | None,
    option(help="With --from: compare that table with this one, image by image.", metavar="FILE"),
]
MissingImages = Annotated[
    measuring.Missing | None,
    option(
        "--missing",
        help="What images that couldn't be read count as (default: wrong).",
    ),
]
Photos = Annotated[
    Path | None,
    option(
        help="Measure it on the photographs of this folder, whose places a list says, or their "
        "metadata.",
        metavar="DIR",
    ),
]
BenchmarkName = Annotated[
    str | None,
    option(
        help="With --photos: of which benchmark they are: im2gps, im2gps3k, yfcc4k, yfcc26k, "
        "gws15k, osv5m (default: own).",
        metavar="NAME",
    ),
]
PhotosList = Annotated[
    Path | None,
    option(
        "--list",
        help="With --photos: the benchmark's official list, or a CSV file with columns path, lat "
        "and lon.",
        metavar="FILE",
    ),
]
Faithfulness = Annotated[
    bool,
    flag("--faithfulness", "Measure its explanations, on new pictures; takes some ten minutes."),
]
WorldName = Annotated[
    str | None,
    option(help="Measure it on pictures cut from this image of the Earth.", metavar="NAME"),
]
Negatives = Annotated[
    str | None,
    option(
        help="Measure how often it names a place for pictures that show none: mirrored ones of "
        "this image of the Earth, open sea, noise.",
        metavar="NAME",
    ),
]
Hard = Annotated[bool, flag("--hard", "With --world: in another look, with haze and clouds.")]
Widths = Annotated[
    Any,  # a pair, which typer would want as two words
    option(
        help="With --world: of pictures this wide alone, km (default: four ranges).",
        metavar="LOW-HIGH",
        parser=measuring.widths,
    ),
]
Steep = Annotated[bool, flag("--steep", "With --world: of pictures tilted by up to 45° alone.")]
Queries = Annotated[
    int | None,
    option(
        help="With --world or --negatives: pictures of each range or kind (default: 2000).",
        metavar="N",
        min=1,
    ),
]
Pictures = Annotated[
    Path | None,
    option(
        help="Measure it on real pictures: of a folder whose manifest.csv says where they lie.",
        metavar="DIR",
    ),
]
Seed = Annotated[
    int | None,
    option(
        help="Of what is drawn: views with --faithfulness (default: 1), places and looks with "
        "--world or --negatives (default: 0).",
        metavar="N",
        min=0,
    ),
]


def _evaluate(
    model: Model = None,
    split: Split = None,
    predictions: Predictions = None,
    table: Table = None,
    against: Against = None,
    missing: MissingImages = None,
    photos: Photos = None,
    benchmark: BenchmarkName = None,
    listed: PhotosList = None,
    faithfulness: Faithfulness = False,
    world: WorldName = None,
    hard: Hard = False,
    widths: Widths = None,
    steep: Steep = False,
    queries: Queries = None,
    negatives: Negatives = None,
    pictures: Pictures = None,
    seed: Seed = None,
    json: OneJson = False,
    **of_model: object,
) -> None:
    """Measure a model on what it has not seen.

    Prints the table of its held-out views with its protocol; with --photos, of photographs of a
    benchmark or of your own. With --from and --against, which of two tables is better, on the same
    images. With --faithfulness, how true its explanations are to the model and to the Earth. With
    --world, --negatives or --pictures, how well a model of pictures from above tells where they
    lie.
    """
    wanted = measuring.Wanted(
        model=model,
        table=table,
        against=against,
        missing=missing,
        photos=photos,
        benchmark=benchmark,
        listed=listed,
        of_model={name: value for name, value in of_model.items() if value is not None},
        faithfulness=faithfulness,
        world=world,
        negatives=negatives,
        pictures=pictures,
        split=split,
        predictions=predictions,
        hard=hard,
        widths=widths,
        steep=steep,
        queries=queries,
        seed=seed,
    )
    report = wanted.measure()
    print(report.to_json() if json else report.table())


VERBS = (_evaluate,)
