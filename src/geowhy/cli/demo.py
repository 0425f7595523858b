"""``geowhy demo``: pictures that come with geowhy, located, and a page that shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from geowhy.cli.locate import SHOWN_CONCEPTS
from geowhy.cli.options import ModelName, option
from geowhy.errors import DataError
from geowhy.render.wording import as_text, coordinates, kilometres
from geowhy.types import LatLon

__all__ = ["VERBS", "DemoPicture", "demo_pictures"]

PICTURES = Path(__file__).parent.parent / "data" / "demo"


@dataclass(frozen=True, slots=True)
class DemoPicture:
    """A picture that comes with geowhy, with what is known of where it lies."""

    path: Path
    caption: str
    truth: LatLon | None  # its centre
    width_km: float | None
    heading_deg: float | None
    credit: str
    licence: str


def demo_pictures(folder: Path = PICTURES) -> list[DemoPicture]:
    """The pictures that ``demo.json`` in a folder lists.

    Raises:
        DataError: if the list can't be read.
    """
    try:
        return [
            DemoPicture(
                path=folder / entry["file"],
                caption=entry["caption"],
                truth=None if entry["lat"] is None else LatLon(entry["lat"], entry["lon"]),
                width_km=entry["width_km"],
                heading_deg=entry["heading_deg"],
                credit=entry["credit"],
                licence=entry["licence"],
            )
            for entry in json.loads((folder / "demo.json").read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: the list of demo pictures can't be read ({error}); install geowhy again "
            "or run python scripts/build_demo.py"
        ) from error


def _demo(
    model: ModelName = "embedded",
    output: Annotated[Path, option(help="The page (default: demo.html).", metavar="FILE")] = Path(
        "demo.html"
    ),
) -> None:
    """Locate the pictures that come with geowhy.

    Cut from an image of the Earth, taken from orbit, of the Moon, and of a cat: the last two are
    to be refused. Writes a page that shows where, and why.
    """
    from geowhy.cli.pages import write_whole
    from geowhy.images.reading import read_image
    from geowhy.locator import Locator
    from geowhy.render.report import ReportEntry, html_report

    locator = Locator.from_pretrained(model)
    entries = []
    for picture in demo_pictures():
        name = picture.path.name
        entry = ReportEntry(
            prediction=replace(locator.locate(picture.path), image=name),
            pixels=read_image(picture.path, name=name).pixels,
            density=locator.density(picture.path),
            truth=picture.truth,
            caption=picture.caption,
            credit=f"{name}: {picture.credit}. {picture.licence}.",
        )
        entries.append(entry)
        print(as_text(entry.prediction, SHOWN_CONCEPTS))
        away = "" if entry.miss_km is None else f"; {kilometres(entry.miss_km)} away"
        print(f"  Truth: {_known_of(picture)}{away}\n")
    write_whole(output, html_report(entries))
    print(f"All of it, with maps: {output}")


def _known_of(picture: DemoPicture) -> str:
    if picture.truth is None:
        return "nowhere to be seen from orbit"
    known = [coordinates(picture.truth)]
    if picture.width_km is not None:
        known.append(f"{picture.width_km:,.0f} km wide")
    if picture.heading_deg is not None:
        known.append(f"heading {picture.heading_deg:.0f}°")
    return ", ".join(known)


VERBS = (_demo,)
