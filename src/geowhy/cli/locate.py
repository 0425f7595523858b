"""``geowhy locate``: where images were taken, and why."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from geowhy.cli.answers import as_text
from geowhy.errors import ConfigError, ImageError
from geowhy.explain.wording import plainly
from geowhy.types import Prediction

if TYPE_CHECKING:
    from geowhy.inference.locator import Locator

__all__ = ["HELP", "SHOWN_CONCEPTS", "add_arguments", "add_model", "run"]

HELP = (
    "Say where images were taken, and why; with --json one object a line, which lists the "
    "strongest concepts, or all of them with --explain."
)
SHOWN_CONCEPTS = 5  # on either side
ALL_CONCEPTS = 10**6


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    images = "image files, folders of images, or - for an image on standard input"
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=images)
    add_model(parser)
    add_options_of_geoclip(parser)
    places = "how many places to name (default: 5)"
    parser.add_argument("--top-k", type=_count, default=5, metavar="K", help=places)
    add_where(parser)
    parser.add_argument("--explain", action="store_true", help="show the reasons")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def add_model(parser: ArgumentParser) -> None:
    """The option that every verb with a model has."""
    name = "a model's name or folder (default: embedded)"
    parser.add_argument("--model", default="embedded", metavar="NAME_OR_DIR", help=name)


def add_options_of_geoclip(parser: ArgumentParser) -> None:
    """What only the released model for photographs has."""
    crops = "geoclip: mean score of ten crops (default: 1, the centre)"
    parser.add_argument("--crops", type=int, choices=(1, 10), default=1, help=crops)
    precision = "geoclip: int8 is faster and nearly the same (default: fp32)"
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32", help=precision)
    concepts = "geoclip: explain by groundings or by texts (default: grounded)"
    choices = ("grounded", "text")
    parser.add_argument("--concepts", choices=choices, default="grounded", help=concepts)


def add_where(parser: ArgumentParser) -> None:
    """Which places count."""
    gallery = "CSV file with columns lat and lon: choose among these places"
    parser.add_argument("--gallery", type=Path, metavar="FILE", help=gallery)
    region = "only places there: a country, UN region, state, box S,W,N,E or .geojson file"
    parser.add_argument("--region", metavar="REGION", help=region)
    outside = "with --region: how much places elsewhere count, 0 to 1 (default: 0, not at all)"
    parser.add_argument("--outside", type=_share, metavar="WEIGHT", help=outside)


def run(given: Namespace) -> int:
    """Locate all images; 1 if one of them couldn't be read."""
    # What needs numpy is imported when it runs, so that --help doesn't wait for it.
    from geowhy.cli.pictures import answers, pictures_in
    from geowhy.cli.progress import with_progress

    locator = _locator(given)
    pictures = list(pictures_in(given.images))
    failed = False
    for answer in with_progress(answers(locator, pictures, given.top_k), len(pictures)):
        failed |= isinstance(answer, ImageError)
        if given.json:
            _print_json(answer, given.explain)
        else:
            _print_text(answer, given.explain, is_one_of_many=len(pictures) > 1)
    return int(failed)


def _locator(given: Namespace) -> Locator:
    from geowhy.inference.gallery_file import read_gallery
    from geowhy.inference.locator import Locator

    if given.outside is not None and given.region is None:
        raise ConfigError("--outside weighs places outside a region: give --region too")
    locator = Locator.from_pretrained(
        given.model,
        gallery=read_gallery(given.gallery) if given.gallery else None,
        crops=given.crops,
        precision=given.precision,
        concepts=given.concepts,
        on_progress=_say,
    )
    return locator.within(given.region, given.outside or 0.0) if given.region else locator


def _say(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


def _print_json(answer: Prediction | ImageError, explain: bool) -> None:
    from geowhy.cli.records import as_json

    print(as_json(answer, ALL_CONCEPTS if explain else SHOWN_CONCEPTS), flush=True)


def _print_text(answer: Prediction | ImageError, explain: bool, is_one_of_many: bool) -> None:
    if isinstance(answer, ImageError):
        print(f"geowhy: {plainly(str(answer))}", file=sys.stderr)
        return
    space = "\n" if is_one_of_many else ""
    print(as_text(answer, SHOWN_CONCEPTS if explain else None), end=f"\n{space}", flush=True)


def _share(word: str) -> float:
    try:
        share = float(word)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ArgumentTypeError(f"{word!r} is no number from 0 to 1")
    return share


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise ArgumentTypeError(f"{word!r} is no number from 1 on")
    return int(word)
