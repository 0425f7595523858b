"""``geowhy explain``: why a place, why not another, and what if the picture showed less."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from geowhy.cli.locate import GUESS, SHOWN_CONCEPTS
from geowhy.cli.options import ImageOptions, flag, load, option, share
from geowhy.cli.progress import progress
from geowhy.errors import CoordinateError, ImageError
from geowhy.render.wording import plainly
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.cli.pictures import Picture
    from geowhy.explain.explainer import Against, Question
    from geowhy.locator import Examined, Locator

__all__ = ["HELP", "ExplainOptions", "run"]

HELP = (
    "Say why images are where the model says; against another place, what if the picture showed "
    "something else, and where in it the evidence lies. Prints it, and writes a page with -o."
)
NAMED_REFERENCES = ("elsewhere", "average", "runner-up")


def _reference(word: str) -> Against:
    if word in NAMED_REFERENCES:
        return word  # type: ignore[return-value]  # one of the literals
    try:
        lat, lon = (float(part) for part in word.split(","))
        return LatLon(lat, lon)
    except (ValueError, CoordinateError) as error:
        names = ", ".join(NAMED_REFERENCES)
        raise typer.BadParameter(
            f"{word!r} is neither {names} nor LAT,LON in degrees, such as 48.9,2.4"
        ) from error


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(ImageOptions):
    """What ``geowhy explain`` takes."""

    output: Annotated[
        Path | None,
        option("-o", "--output", help="A page with maps, such as why.html.", metavar="FILE"),
    ] = None
    against: Annotated[
        Any,
        option(
            help="Hold the place against: elsewhere (all other places by their probability; the "
            "default), average, runner-up, or LAT,LON.",
            metavar="WHAT",
            parser=_reference,
        ),
    ] = "elsewhere"
    what_if: Annotated[
        list[str] | None,
        option(
            help="What if the picture showed less or more, such as '-desert +coast'; can be "
            "repeated.",
            metavar="CHANGES",
        ),
    ] = None
    sparse: Annotated[
        float,
        option(
            help="The fewest concepts that reproduce so much of the score (default: 0.9).",
            metavar="SHARE",
            parser=share,
        ),
    ] = 0.9
    regions: Annotated[
        Literal["occlusion", "patches", "none"] | None,
        option(
            help="Where in the picture: by hiding parts of it, by the backbone's patches, or not "
            "at all (default: occlusion with -o).",
        ),
    ] = None
    guess: Annotated[bool, flag("--guess", GUESS)] = False
    json: Annotated[bool, flag("--json", "One JSON object a line.")] = False


def run(given: ExplainOptions) -> int:
    """Explain all images; 1 if one of them couldn't be read."""
    from geowhy.cli.pictures import pictures_in

    locator, question = load(given), _question(given)
    pictures, found, failed = list(pictures_in(given.images)), [], False
    for examined in _examined(locator, pictures, question, given.top_k):
        if isinstance(examined, ImageError):
            failed = True
            _print_error(examined, as_json=given.json)
            continue
        _print(examined, given, is_one_of_many=len(pictures) > 1)
        if given.output:
            found.append(examined)
    if given.output and found:
        _write(given.output, locator, given.model, found)
    return int(failed)


def _question(given: ExplainOptions) -> Question:
    from geowhy.explain.explainer import Question

    regions = given.regions or ("occlusion" if given.output else "none")
    return Question(
        against=given.against,
        what_if=None if given.what_if is None else tuple(given.what_if),
        sparse=given.sparse or None,
        regions=None if regions == "none" else regions,
    )


def _examined(
    locator: Locator, pictures: list[Picture], question: Question, top_k: int
) -> Iterator[Examined | ImageError]:
    """Each image in order and under the name that the user gave it."""
    for picture in pictures:
        if picture.source is None:
            yield ImageError(picture.name, "this folder holds no images")
            continue
        try:
            with progress(f"{plainly(picture.name)}: parts hidden") as show:
                found = locator.examine(picture.source, question, top_k, show)
        except ImageError as error:
            yield ImageError(picture.name, error.reason)
        else:
            yield replace(found, prediction=replace(found.prediction, image=picture.name))


def _print(examined: Examined, given: ExplainOptions, *, is_one_of_many: bool) -> None:
    from geowhy.records import explanation_json
    from geowhy.render.wording import explained_text

    if given.json:
        print(explanation_json(examined.prediction, guess=given.guess), flush=True)
        return
    space = "\n" if is_one_of_many else ""
    words = explained_text(examined.prediction, SHOWN_CONCEPTS, guess=given.guess)
    print(words, end=f"\n{space}", flush=True)


def _print_error(error: ImageError, *, as_json: bool) -> None:
    from geowhy.records import as_json as record

    if as_json:
        print(record(error, SHOWN_CONCEPTS), flush=True)
    else:
        print(f"geowhy: {plainly(str(error))}", file=sys.stderr)


def _write(path: Path, locator: Locator, model: str, found: list[Examined]) -> None:
    from geowhy.cli.pages import provenance_of, write_whole
    from geowhy.render.report import ReportEntry, html_report

    entries = [
        ReportEntry(each.prediction, each.pixels, each.density, truth=None, caption="")
        for each in found
    ]
    write_whole(path, html_report(entries, provenance=provenance_of(locator, model)))
    print(f"All of it, with maps: {path}", file=sys.stderr)
