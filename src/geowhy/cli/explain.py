"""``geowhy explain``: why a place, why not another, and what if the picture showed less."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from geowhy.cli.loading import (
    add_images,
    add_model,
    add_model_options,
    add_top_k,
    add_where,
    load,
    share,
)
from geowhy.cli.locate import GUESS, SHOWN_CONCEPTS
from geowhy.errors import CoordinateError, ImageError
from geowhy.render.wording import plainly
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.cli.pictures import Picture
    from geowhy.explain.explainer import Against, Examined, Question, Regions
    from geowhy.locator import Locator

__all__ = ["HELP", "add_arguments", "run"]

HELP = (
    "Say why images are where the model says; against another place, what if the picture showed "
    "something else, and where in it the evidence lies. Prints it, and writes a page with -o."
)
NAMED_REFERENCES = ("elsewhere", "average", "runner-up")
CLEAR_LINE = "\r\x1b[K"


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    add_images(parser)
    page = "a page with maps, such as why.html"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=page)
    against = (
        "hold the place against: elsewhere (all other places by their probability; the default), "
        "average, runner-up, or LAT,LON"
    )
    parser.add_argument("--against", type=_reference, default="elsewhere", help=against)
    what_if = "what if the picture showed less or more, such as '-desert +coast'; can be repeated"
    parser.add_argument("--what-if", action="append", metavar="CHANGES", help=what_if)
    sparse = "the fewest concepts that reproduce so much of the score (default: 0.9)"
    parser.add_argument("--sparse", type=share, default=0.9, metavar="SHARE", help=sparse)
    regions = (
        "where in the picture: by hiding parts of it, by the backbone's patches, or not at all "
        "(default: occlusion with -o)"
    )
    parser.add_argument("--regions", choices=("occlusion", "patches", "none"), help=regions)
    add_model(parser)
    add_model_options(parser)
    add_top_k(parser)
    add_where(parser)
    parser.add_argument("--guess", action="store_true", help=GUESS)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(given: Namespace) -> int:
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


def _question(given: Namespace) -> Question:
    from geowhy.explain.explainer import Question

    regions = given.regions or ("occlusion" if given.output else "none")
    return Question(
        against=given.against,
        what_if=None if given.what_if is None else tuple(given.what_if),
        sparse=given.sparse or None,
        regions=cast("Regions | None", None if regions == "none" else regions),
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
            found = locator.examine(picture.source, question, top_k, _Progress(picture.name))
        except ImageError as error:
            yield ImageError(picture.name, error.reason)
        else:
            yield replace(found, prediction=replace(found.prediction, image=picture.name))


class _Progress:
    """How far the evidence map of one picture is, on a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            line = "" if done == total else f"{plainly(self._name)}: {done} of {total} parts hidden"
            sys.stderr.write(f"{CLEAR_LINE}{line}")
            sys.stderr.flush()


def _print(examined: Examined, given: Namespace, *, is_one_of_many: bool) -> None:
    from geowhy.cli.answers import explained_text
    from geowhy.records import explanation_json

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
    from geowhy.cli.pages import write_page
    from geowhy.cli.provenance import provenance_of
    from geowhy.render.report import ReportEntry, html_report

    entries = [
        ReportEntry(each.prediction, each.pixels, each.density, truth=None, caption="")
        for each in found
    ]
    write_page(path, html_report(entries, provenance=provenance_of(locator, model)))
    print(f"All of it, with maps: {path}", file=sys.stderr)


def _reference(word: str) -> Against:
    if word in NAMED_REFERENCES:
        return word  # type: ignore[return-value]  # one of the literals
    try:
        lat, lon = (float(part) for part in word.split(","))
        return LatLon(lat, lon)
    except (ValueError, CoordinateError) as error:
        names = ", ".join(NAMED_REFERENCES)
        raise ArgumentTypeError(
            f"{word!r} is neither {names} nor LAT,LON in degrees, such as 48.9,2.4"
        ) from error
