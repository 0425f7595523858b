"""``--hint-width`` and ``--heading``: what a user knows of how a picture lies."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from geowhy.cli.options import option
from geowhy.errors import ConfigError
from geowhy.hints import HeadingRange, WidthRange

__all__ = ["Heading", "HintWidth", "heading_range", "width_range"]

ABOUT = 1.25  # a single width holds up to this factor, either way
TOLERANCE_DEG = 15.0
NUMBER = r"(\d+(?:\.\d+)?)"
WIDTH = re.compile(rf"{NUMBER}(?:\s*[-–]\s*{NUMBER})?(?:\s*km)?")
HEADING = re.compile(rf"(-?{NUMBER})°?(?:\s*(?:±|\+-|\+/-)\s*{NUMBER}°?)?")


def width_range(word: str) -> WidthRange:
    """A width or a range of them: "400", "300-600", in km."""
    found = WIDTH.fullmatch(word.strip())
    if found is None:
        raise typer.BadParameter(f"{word!r} is no width in km, such as 400 or 300-600")
    low, high = found.groups()
    try:
        if high is None:
            return WidthRange(float(low) / ABOUT, float(low) * ABOUT)
        return WidthRange(float(low), float(high))
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error


def heading_range(word: str) -> HeadingRange:
    """A heading, with or without a tolerance: "30", "30±10", "30+-10"."""
    found = HEADING.fullmatch(word.strip())
    if found is None:
        raise typer.BadParameter(f"{word!r} is no heading in degrees, such as 30 or 30±10")
    middle, _, tolerance = found.groups()
    try:
        return HeadingRange(float(middle), float(tolerance or TOLERANCE_DEG))
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error


HintWidth = Annotated[
    WidthRange | None,
    option(
        "--hint-width",
        help="About how wide the picture is on the ground, or from where to where: 400 or 300-600.",
        metavar="KM[-KM]",
        parser=width_range,
    ),
]
Heading = Annotated[
    HeadingRange | None,
    option(
        "--heading",
        help="Where the picture's top points, degrees clockwise from north: 30 or 30±10 "
        "(default tolerance: 15).",
        metavar="DEG[±DEG]",
        parser=heading_range,
    ),
]
