"""``geowhy locate``: where images were taken, and why."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from geowhy.answer import Prediction
from geowhy.cli.answers import as_text
from geowhy.cli.loading import (
    add_images,
    add_model,
    add_model_options,
    add_top_k,
    add_where,
    load,
)
from geowhy.errors import ImageError
from geowhy.render.wording import plainly

__all__ = ["GUESS", "HELP", "SHOWN_CONCEPTS", "add_arguments", "run"]

HELP = (
    "Say where images were taken, and why; with --json one object a line, which lists the "
    "strongest concepts, or all of them with --explain."
)
GUESS = "after 'no answer', give the place that the model would guess"
SHOWN_CONCEPTS = 5  # on either side
ALL_CONCEPTS = 10**6


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    add_images(parser)
    add_model(parser)
    add_model_options(parser)
    add_top_k(parser)
    add_where(parser)
    parser.add_argument("--explain", action="store_true", help="show the reasons")
    parser.add_argument("--guess", action="store_true", help=GUESS)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(given: Namespace) -> int:
    """Locate all images; 1 if one of them couldn't be read."""
    # What needs numpy is imported when it runs, so that --help doesn't wait for it.
    from geowhy.cli.pictures import answers, pictures_in
    from geowhy.cli.progress import with_progress

    locator = load(given)
    pictures = list(pictures_in(given.images))
    failed = False
    for answer in with_progress(answers(locator, pictures, given.top_k), len(pictures)):
        failed |= isinstance(answer, ImageError)
        if given.json:
            _print_json(answer, given)
        else:
            _print_text(answer, given, is_one_of_many=len(pictures) > 1)
    return int(failed)


def _print_json(answer: Prediction | ImageError, given: Namespace) -> None:
    from geowhy.records import as_json

    count = ALL_CONCEPTS if given.explain else SHOWN_CONCEPTS
    print(as_json(answer, count, guess=given.guess), flush=True)


def _print_text(answer: Prediction | ImageError, given: Namespace, is_one_of_many: bool) -> None:
    if isinstance(answer, ImageError):
        print(f"geowhy: {plainly(str(answer))}", file=sys.stderr)
        return
    space = "\n" if is_one_of_many else ""
    count = SHOWN_CONCEPTS if given.explain else None
    print(as_text(answer, count, guess=given.guess), end=f"\n{space}", flush=True)
