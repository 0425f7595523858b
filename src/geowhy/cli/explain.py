"""``geowhy explain``: why a place, why not another, and what if the picture showed less."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from geowhy.cli import locate
from geowhy.cli.hints import Heading, HintWidth
from geowhy.cli.options import JsonLines, ModelName, option, progress, say, share, to_file
from geowhy.errors import CoordinateError, ImageError
from geowhy.hints import Hints
from geowhy.render.wording import explained_text, plainly
from geowhy.types import LatLon

__all__ = ["VERBS"]


def _reference(word: str) -> str | LatLon:
    if word in ("elsewhere", "average", "runner-up"):
        return word
    try:
        lat, lon = (float(part) for part in word.split(","))
        return LatLon(lat, lon)
    except (ValueError, CoordinateError) as error:
        raise typer.BadParameter(
            f"{word!r} is neither elsewhere, average, runner-up nor LAT,LON in degrees, such as "
            "48.9,2.4"
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


def _explain(
    images: locate.Images,
    model: ModelName = "embedded",
    top_k: locate.TopK = 5,
    gallery: locate.GalleryFile = None,
    region: locate.RegionName = None,
    outside: locate.Outside = None,
    hint_width: HintWidth = None,
    heading: Heading = None,
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
    guess: locate.Guess = False,
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

    if output:
        from geowhy.cli.pages import check_output

        check_output(output)
    locator = locate.load(model, gallery, region, outside, Hints(hint_width, heading), of_model)
    chosen = regions or ("occlusion" if output else "none")
    question = Question(
        against=against,
        what_if=None if what_if is None else tuple(what_if),
        sparse=sparse or None,
        regions=None if chosen == "none" else chosen,
    )
    given, explained, failed = pictures_in(images), [], False
    pictures = given.pictures
    for picture in pictures:
        try:
            if picture.problem:
                raise ImageError(picture.name, picture.problem)
            with progress(f"{plainly(picture.name)}: parts hidden") as show:
                found = locator.examine(picture.source, question, top_k, show)
        except ImageError as error:
            failed = True
            locate.print_error(ImageError(picture.name, error.reason), json)
            continue
        answer = replace(found.prediction, image=picture.name)
        if json:
            print(explanation_json(answer, guess=guess), flush=True)
        else:
            said = explained_text(answer, locate.SHOWN_CONCEPTS, guess=guess)
            print(said, end="\n\n" if len(pictures) > 1 else "\n", flush=True)
        if output:
            explained.append(replace(found, prediction=answer))
    if output and explained:
        from geowhy.cli.pages import write_explained

        write_explained(output, explained, locator, model)
        print(f"All of it, with maps: {output}", file=sys.stderr)
    if left_out := given.left_out.sentence():
        say(plainly(left_out))
    return int(failed)


VERBS = (_explain,)
