"""``geowhy demo``: pictures that come with geowhy, located, and a page that shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from geowhy.cli.locate import SHOWN_CONCEPTS
from geowhy.cli.options import ModelOption, option
from geowhy.errors import DataError
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.locator import Locator
    from geowhy.render.report import ReportEntry

__all__ = ["HELP", "DemoOptions", "DemoPicture", "demo_pictures", "run"]

HELP = (
    "Locate the pictures that come with geowhy; six views from above, of parts of the Earth kept "
    "out of the training, and a photograph. Writes a page that shows where, and why."
)
PICTURES = Path(__file__).parent.parent / "data" / "demo"
DEFAULT_PAGE = Path("demo.html")


@dataclass(frozen=True, slots=True)
class DemoPicture:
    """A picture that comes with geowhy.

    Attributes:
        path: the file.
        caption: what it is, in words.
        truth: its centre, where known.
        credit: whose it is.
        licence: its terms.
    """

    path: Path
    caption: str
    truth: LatLon | None
    credit: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class DemoOptions(ModelOption):
    """What ``geowhy demo`` takes."""

    output: Annotated[Path, option(help=f"The page (default: {DEFAULT_PAGE}).", metavar="FILE")] = (
        DEFAULT_PAGE
    )


def run(given: DemoOptions) -> int:
    """Locate the pictures, print the answers and write the page."""
    from geowhy.cli.pages import write_whole
    from geowhy.locator import Locator
    from geowhy.render.report import html_report

    locator = Locator.from_pretrained(given.model)
    entries = []
    for picture in demo_pictures():
        entries.append(_entry(locator, picture))
        _print(entries[-1])
    write_whole(given.output, html_report(entries))
    print(f"All of it, with maps: {given.output}")
    return 0


def demo_pictures(folder: Path = PICTURES) -> tuple[DemoPicture, ...]:
    """The pictures that ``demo.json`` in a folder lists.

    Raises:
        DataError: if the list can't be read.
    """
    try:
        listed = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
        return tuple(_picture(folder, entry) for entry in listed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: the list of demo pictures can't be read ({error}); install geowhy again "
            "or run python scripts/build_demo.py"
        ) from error


def _picture(folder: Path, entry: dict[str, str | float | None]) -> DemoPicture:
    lat, lon = entry["lat"], entry["lon"]
    return DemoPicture(
        path=folder / str(entry["file"]),
        caption=str(entry["caption"]),
        truth=None if lat is None or lon is None else LatLon(float(lat), float(lon)),
        credit=str(entry["credit"]),
        licence=str(entry["licence"]),
    )


def _entry(locator: Locator, picture: DemoPicture) -> ReportEntry:
    from geowhy.images.reading import read_image
    from geowhy.render.report import ReportEntry

    name = picture.path.name
    return ReportEntry(
        prediction=replace(locator.locate(picture.path), image=name),
        pixels=read_image(picture.path, name=name).pixels,
        density=locator.density(picture.path),
        truth=picture.truth,
        caption=picture.caption,
        credit=f"{name}: {picture.credit}. {picture.licence}.",
    )


def _print(entry: ReportEntry) -> None:
    """The answer and, if there is one, how far off it is."""
    from geowhy.render.wording import as_text, coordinates, kilometres

    print(as_text(entry.prediction, SHOWN_CONCEPTS))
    if entry.truth is None:
        print("  Truth: not known\n")
    else:
        away = "" if entry.miss_km is None else f", {kilometres(entry.miss_km)} away"
        print(f"  Truth: {coordinates(entry.truth)}{away}\n")
