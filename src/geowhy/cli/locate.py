"""``geowhy locate`` and ``geowhy explain``: where images were taken, and why."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from geowhy.cli.options import (
    JsonLines,
    ModelName,
    flag,
    option,
    progress,
    say,
    share,
    to_file,
    with_progress,
)
from geowhy.errors import ConfigError, CoordinateError, ImageError
from geowhy.render.wording import as_text, explained_text, plainly
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["SHOWN_CONCEPTS", "VERBS"]

SHOWN_CONCEPTS = 5  # on either side
ALL_CONCEPTS = 10**6
NAMED_REFERENCES = ("elsewhere", "average", "runner-up")

# What needs numpy is imported when a verb runs, so that --help doesn't wait for it.

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE",
        help="Image files, folders of images, or - for an image on standard input.",
        show_default=False,
    ),
]
TopK = Annotated[int, option(help="How many places to name (default: 5).", min=1)]
GalleryFile = Annotated[
    Path | None,
    option(
        help="CSV file with columns lat, latitude or y, and lon, lng, long, longitude or x: "
        "choose among these places.",
        metavar="FILE",
    ),
]
RegionName = Annotated[
    str | None,
    option(
        help="Only places there: countries, UN regions, continents or states with commas "
        "between, a box S,W,N,E or a .geojson file."
    ),
]
Outside = Annotated[
    float | None,
    option(
        help="With --region: how much places elsewhere count, 0 to 1 (default: 0, not at all).",
        metavar="WEIGHT",
        parser=share,
    ),
]
Guess = Annotated[
    bool, flag("--guess", "After 'no answer', give the place that the model would guess.")
]


def _reference(word: str) -> str | LatLon:
    if word in NAMED_REFERENCES:
        return word
    try:
        lat, lon = (float(part) for part in word.split(","))
        return LatLon(lat, lon)
    except (ValueError, CoordinateError) as error:
        names = ", ".join(NAMED_REFERENCES)
        raise typer.BadParameter(
            f"{word!r} is neither {names} nor LAT,LON in degrees, such as 48.9,2.4"
        ) from error


Reference = Annotated[
    Any,
    option(
        help="Hold the place against: elsewhere (all other places by their probability; the "
        "default), average, runner-up, or LAT,LON.",
        metavar="WHAT",
        parser=_reference,
    ),
]


def _locate(
    images: Images,
    model: ModelName = "embedded",
    top_k: TopK = 5,
    gallery: GalleryFile = None,
    region: RegionName = None,
    outside: Outside = None,
    explain: Annotated[bool, flag("--explain", "Show the reasons.")] = False,
    guess: Guess = False,
    json: JsonLines = False,
    **of_model: object,
) -> int:
    """Say where images were taken, and why.

    With --json one object a line, which lists the strongest concepts, or all of them with
    --explain. The exit status is 1 if an image couldn't be read.
    """
    from geowhy.cli.pictures import answers, pictures_in
    from geowhy.records import as_json

    locator = _load(model, gallery, region, outside, of_model)
    pictures, failed = list(pictures_in(images)), False
    for answer in with_progress(answers(locator, pictures, top_k), len(pictures)):
        if isinstance(answer, ImageError):
            failed = True
            _print_error(answer, json)
        elif json:
            count = ALL_CONCEPTS if explain else SHOWN_CONCEPTS
            print(as_json(answer, count, guess=guess), flush=True)
        else:
            said = as_text(answer, SHOWN_CONCEPTS if explain else None, guess=guess)
            print(said, end="\n\n" if len(pictures) > 1 else "\n", flush=True)
    return int(failed)


def _explain(
    images: Images,
    model: ModelName = "embedded",
    top_k: TopK = 5,
    gallery: GalleryFile = None,
    region: RegionName = None,
    outside: Outside = None,
    output: Annotated[Path | None, to_file("A page with maps, such as why.html.")] = None,
    against: Reference = "elsewhere",
    what_if: Annotated[
        list[str] | None,
        option(
            help="What if the picture showed less or more, such as '-desert +coast'; can be "
            "repeated.",
            metavar="CHANGES",
        ),
    ] = None,
    sparse: Annotated[
        float,
        option(
            help="The fewest concepts that reproduce so much of the score (default: 0.9).",
            metavar="SHARE",
            parser=share,
        ),
    ] = 0.9,
    regions: Annotated[
        Literal["occlusion", "patches", "none"] | None,
        option(
            help="Where in the picture: by hiding parts of it, by the backbone's patches, or not "
            "at all (default: occlusion with -o)."
        ),
    ] = None,
    guess: Guess = False,
    json: JsonLines = False,
    **of_model: object,
) -> int:
    """Say why images are where the model says.

    Against another place, what if the picture showed something else, and where in it the evidence
    lies. Prints it, and writes a page with -o. The exit status is 1 if an image couldn't be read.
    """
    from geowhy.cli.pictures import pictures_in
    from geowhy.explain.explainer import Question
    from geowhy.records import explanation_json

    locator = _load(model, gallery, region, outside, of_model)
    chosen = regions or ("occlusion" if output else "none")
    question = Question(
        against=against,
        what_if=None if what_if is None else tuple(what_if),
        sparse=sparse or None,
        regions=None if chosen == "none" else chosen,
    )
    pictures, explained, failed = list(pictures_in(images)), [], False
    for picture in pictures:
        try:
            if picture.problem:
                raise ImageError(picture.name, picture.problem)
            with progress(f"{plainly(picture.name)}: parts hidden") as show:
                found = locator.examine(picture.source, question, top_k, show)
        except ImageError as error:
            failed = True
            _print_error(ImageError(picture.name, error.reason), json)
            continue
        answer = replace(found.prediction, image=picture.name)
        if json:
            print(explanation_json(answer, guess=guess), flush=True)
        else:
            said = explained_text(answer, SHOWN_CONCEPTS, guess=guess)
            print(said, end="\n\n" if len(pictures) > 1 else "\n", flush=True)
        if output:
            explained.append(replace(found, prediction=answer))
    if output and explained:
        from geowhy.cli.pages import provenance_of, write_whole
        from geowhy.render.report import ReportEntry, html_report

        entries = [ReportEntry(each.prediction, each.pixels, each.density) for each in explained]
        write_whole(output, html_report(entries, provenance=provenance_of(locator, model)))
        print(f"All of it, with maps: {output}", file=sys.stderr)
    return int(failed)


def _load(
    model: str,
    gallery: Path | None,
    region: str | None,
    outside: float | None,
    of_model: Mapping[str, object],
) -> Locator:
    """The locator that the options ask for; ``of_model`` are those that it alone has."""
    from geowhy.geo.regions import Region
    from geowhy.heads.gallery_file import read_gallery
    from geowhy.locator import Locator

    if outside is not None and region is None:
        raise ConfigError("--outside weighs places outside a region: give --region too")
    locator = Locator.from_pretrained(
        model,
        gallery=read_gallery(gallery, say) if gallery else None,
        on_progress=say,
        **{name: value for name, value in of_model.items() if value is not None},
    )
    if not region:
        return locator
    area = Region.parse(region)
    if area.holds:
        say(f"{area.name} ({area.holds})")
    return locator.within(area, outside or 0.0)


def _print_error(error: ImageError, as_json: bool) -> None:
    from geowhy.records import as_json as record

    if as_json:
        print(record(error, SHOWN_CONCEPTS), flush=True)
    else:
        print(f"geowhy: {plainly(str(error))}", file=sys.stderr)


VERBS = (_locate, _explain)
