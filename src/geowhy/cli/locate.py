"""``geowhy locate``: where images were taken; and what all verbs that take images share."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geowhy.cli.hints import Heading, HintWidth
from geowhy.cli.options import JsonLines, ModelName, flag, option, say, share, with_progress
from geowhy.errors import ConfigError, ImageError
from geowhy.hints import NO_HINTS, Hints
from geowhy.render.wording import as_text, plainly

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["SHOWN_CONCEPTS", "VERBS"]

SHOWN_CONCEPTS = 5  # on either side
ALL_CONCEPTS = 10**6

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
Overlay = Annotated[
    Path | None,
    option(
        help="Lay the picture over the map: a page (.html), a GeoTIFF (.tif), a .kmz for globes, "
        "or a .png or .jpg with a world file.",
        metavar="FILE",
    ),
]


def _locate(
    images: Images,
    model: ModelName = "embedded",
    top_k: TopK = 5,
    gallery: GalleryFile = None,
    region: RegionName = None,
    outside: Outside = None,
    hint_width: HintWidth = None,
    heading: Heading = None,
    explain: Annotated[bool, flag("--explain", "Show the reasons.")] = False,
    guess: Guess = False,
    overlay: Overlay = None,
    json: JsonLines = False,
    **of_model: object,
) -> int:
    """Say where images were taken, and why.

    With --json one object a line, which lists the strongest concepts, or all of them with
    --explain. The exit status is 1 if an image couldn't be read.
    """
    from geowhy.cli.pictures import answers, pictures_in
    from geowhy.records import as_json

    found, failed = pictures_in(images), False
    pictures = found.pictures
    if overlay:
        from geowhy.cli.overlay import check_overlay, write_overlay

        check_overlay(overlay, pictures)
    locator = load(model, gallery, region, outside, Hints(hint_width, heading), of_model)
    for answer in with_progress(answers(locator, pictures, top_k), len(pictures)):
        if isinstance(answer, ImageError):
            failed = True
            print_error(answer, json)
        elif json:
            count = ALL_CONCEPTS if explain else SHOWN_CONCEPTS
            print(as_json(answer, count, guess=guess), flush=True)
        else:
            said = as_text(answer, SHOWN_CONCEPTS if explain else None, guess=guess)
            print(said, end="\n\n" if len(pictures) > 1 else "\n", flush=True)
        if overlay and not isinstance(answer, ImageError):
            write_overlay(answer, pictures[0], overlay)
            say(f"Laid over the map: {overlay}")
    if left_out := found.left_out.sentence():
        say(plainly(left_out))
    return int(failed)


def load(
    model: str,
    gallery: Path | None,
    region: str | None,
    outside: float | None,
    hints: Hints,
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
    if hints != NO_HINTS:
        locator = locator.with_hints(hints.width, hints.heading)
    if not region:
        return locator
    area = Region.parse(region)
    if area.holds:
        say(f"{area.name} ({area.holds})")
    return locator.within(area, outside or 0.0)


def print_error(error: ImageError, as_json: bool) -> None:
    from geowhy.records import as_json as record

    if as_json:
        print(record(error, SHOWN_CONCEPTS), flush=True)
    else:
        print(f"geowhy: {plainly(str(error))}", file=sys.stderr)


VERBS = (_locate,)
