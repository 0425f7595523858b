"""``geowhy locate``: where images were taken, and why."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

from geowhy.answer import Prediction
from geowhy.cli.options import ImageOptions, flag, load
from geowhy.errors import ImageError
from geowhy.render.wording import as_text, plainly

__all__ = ["GUESS", "HELP", "SHOWN_CONCEPTS", "LocateOptions", "run"]

HELP = (
    "Say where images were taken, and why; with --json one object a line, which lists the "
    "strongest concepts, or all of them with --explain."
)
GUESS = "After 'no answer', give the place that the model would guess."
SHOWN_CONCEPTS = 5  # on either side
ALL_CONCEPTS = 10**6


@dataclass(frozen=True, kw_only=True)
class LocateOptions(ImageOptions):
    """What ``geowhy locate`` takes."""

    explain: Annotated[bool, flag("--explain", "Show the reasons.")] = False
    guess: Annotated[bool, flag("--guess", GUESS)] = False
    json: Annotated[bool, flag("--json", "One JSON object a line.")] = False


def run(given: LocateOptions) -> int:
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


def _print_json(answer: Prediction | ImageError, given: LocateOptions) -> None:
    from geowhy.records import as_json

    count = ALL_CONCEPTS if given.explain else SHOWN_CONCEPTS
    print(as_json(answer, count, guess=given.guess), flush=True)


def _print_text(
    answer: Prediction | ImageError, given: LocateOptions, is_one_of_many: bool
) -> None:
    if isinstance(answer, ImageError):
        print(f"geowhy: {plainly(str(answer))}", file=sys.stderr)
        return
    space = "\n" if is_one_of_many else ""
    count = SHOWN_CONCEPTS if given.explain else None
    print(as_text(answer, count, guess=given.guess), end=f"\n{space}", flush=True)
