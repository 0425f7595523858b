"""Options that choose a model and its places, and the locator that they ask for."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from geowhy.errors import ConfigError
from geowhy.pretrained.catalogue import entries
from geowhy.pretrained.entry import choices
from geowhy.render.wording import plainly

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["add_images", "add_model", "add_model_options", "add_top_k", "add_where", "load"]


def add_images(parser: ArgumentParser) -> None:
    """What is looked at."""
    images = "image files, folders of images, or - for an image on standard input"
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=images)


def add_model(parser: ArgumentParser) -> None:
    """The option that every verb with a model has."""
    name = "a model's name or folder (default: embedded)"
    parser.add_argument("--model", default="embedded", metavar="NAME_OR_DIR", help=name)


def add_model_options(parser: ArgumentParser) -> None:
    """What only some models let one choose."""
    for entry in entries():
        metadata = {each.name: each.metadata for each in fields(entry.options)}  # type: ignore[arg-type]
        for name, allowed in choices(entry.options).items():
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=type(allowed[0]),
                choices=sorted(allowed, key=str),
                help=f"{entry.name}: {metadata[name]['help']}",
            )


def add_top_k(parser: ArgumentParser) -> None:
    """How many places an answer has."""
    places = "how many places to name (default: 5)"
    parser.add_argument("--top-k", type=_count, default=5, metavar="K", help=places)


def add_where(parser: ArgumentParser) -> None:
    """Which places count."""
    gallery = (
        "choose among the places of a CSV file with columns lat, latitude or y, and lon, lng, "
        "long, longitude or x, degrees"
    )
    parser.add_argument("--gallery", type=Path, metavar="FILE", help=gallery)
    region = (
        "only places there: countries, UN regions, continents or states with commas between, "
        "a box S,W,N,E or a .geojson file"
    )
    parser.add_argument("--region", metavar="REGION", help=region)
    outside = "with --region: how much places elsewhere count, 0 to 1 (default: 0, not at all)"
    parser.add_argument("--outside", type=share, metavar="WEIGHT", help=outside)


def load(given: Namespace) -> Locator:
    """The locator that the options ask for.

    Raises:
        ConfigError: if options contradict each other; and whatever loading raises.
    """
    from geowhy.geo.regions import Region
    from geowhy.heads.gallery_file import read_gallery
    from geowhy.locator import Locator

    if given.outside is not None and given.region is None:
        raise ConfigError("--outside weighs places outside a region: give --region too")
    locator = Locator.from_pretrained(
        given.model,
        gallery=read_gallery(given.gallery, _say) if given.gallery else None,
        on_progress=_say,
        **_options(given),
    )
    if not given.region:
        return locator
    region = Region.parse(given.region)
    if region.holds:
        _say(f"{region.name} ({region.holds})")
    return locator.within(region, given.outside or 0.0)


def _options(given: Namespace) -> dict[str, object]:
    """Options of models that were given."""
    names = {name for entry in entries() for name in choices(entry.options)}
    return {name: vars(given)[name] for name in names if vars(given).get(name) is not None}


def share(word: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ArgumentTypeError(f"{word!r} is no number from 0 to 1")
    return number


def _say(step: str) -> None:
    print(plainly(step), file=sys.stderr, flush=True)


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise ArgumentTypeError(f"{word!r} is no number from 1 on")
    return int(word)
