"""A world map as SVG: where the model thinks that an image was taken, and how sure it is.

Equal Earth, so that equal areas look equal. The density is drawn in classes of fixed limits: two
maps can be compared at a glance. Colours are in order of lightness, so they can be told apart with
any colour vision and in grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats
from geowhy.render.outlines import (
    HEIGHT,
    WIDTH,
    cell_outlines,
    circle_lines,
    closed_path,
    coastlines,
    on_map,
    open_path,
)
from geowhy.types import LatLon

__all__ = [
    "CLASS_LIMITS",
    "CellProbabilities",
    "MapContent",
    "class_names",
    "map_figure",
    "map_shapes",
    "map_style",
    "view_of_answer",
    "world_map",
]


CLASS_LIMITS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # probability of a cell
ON_LIGHT = ("#fde9b0", "#fdcb83", "#fba460", "#f1784f", "#d84f55", "#ae2f63", "#7a1b66", "#420f52")
ON_DARK = ("#3d1a5c", "#6a2374", "#97317a", "#c44570", "#e8645a", "#f98e4f", "#fdbf64", "#fdf0b0")
HALF_EARTH_KM = 20015.0
LEGEND_HEIGHT = 58.0
MARGIN = 3.0
SMALLEST_ISLAND = 1.0  # square units of the map: a third of a degree across
TOLERANCE = 0.25  # units of the map
SMALLEST_REACH, ROOM = 25.0, 1.15  # around the answer: 850 km, and some space beyond its circle
REACH_OF_A_GUESS = 100.0  # half a continent

# Marks around (0, 0). The truth is a shape of its own, so that nobody needs its colour.
DOT = '<circle class="answer" r="7"/>'
CROSS = "".join(
    f'<path class="{kind}" d="M-8-8l16 16m0-16l-16 16"/>' for kind in ("truth under", "truth")
)
RIVAL = '<path class="rival" d="M0-10l10 10-10 10-10-10z"/>'


class CellProbabilities(Protocol):
    """A density over H3 cells, such as a locator gives."""

    @property
    def cells(self) -> NDArray[np.uint64]:
        """H3 cells, ``[M]``."""

    @property
    def probability(self) -> AnyFloats:
        """Probability of each cell, ``[M]``."""


@dataclass(frozen=True, slots=True, eq=False)
class MapContent:
    """What is drawn on the world.

    Attributes:
        answer: the place that the model names.
        radius_50_km: radius of the inner circle around it.
        radius_90_km: radius of the outer circle.
        density: probability of H3 cells; None to draw none.
        truth: where the image was taken; None if unknown.
        title: name of the map for those who can't see it.
        description: what it shows, in words, for the same.
        others: further places that the model holds possible, numbered from 2 on.
        rival: the place that the answer is held against; None if it is no single one.
    """

    answer: LatLon
    radius_50_km: float
    radius_90_km: float
    density: CellProbabilities | None
    truth: LatLon | None
    title: str
    description: str
    others: tuple[LatLon, ...] = ()
    rival: LatLon | None = None


def world_map(content: MapContent) -> str:
    """The map as a file of its own: SVG with its styles and a legend."""
    style = map_style(":root") + "svg{background:var(--page)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="world" role="img" '
        f'aria-labelledby="title description" viewBox="{_view_box(LEGEND_HEIGHT)}">'
        f'<title id="title">{escape(content.title)}</title>'
        f'<desc id="description">{escape(content.description)}</desc>'
        f"<style>{style}</style>{map_shapes()}{_drawn(content)}{_legend(content)}</svg>"
    )


def map_figure(content: MapContent) -> str:
    """The map within a page that holds ``map_shapes`` and ``map_style`` once."""
    label = escape(f"{content.title}. {content.description}", quote=True)
    return (
        f'<svg class="world" role="img" aria-label="{label}" viewBox="{_view_box()}">'
        f"{_drawn(content)}</svg>"
    )


def view_of_answer(content: MapContent) -> tuple[float, float, float]:
    """What shows the answer and its outer circle: the middle (x, y) and the width, on the map."""
    x, y = _point(content.answer)
    reach = REACH_OF_A_GUESS
    if 0.0 < content.radius_90_km < HALF_EARTH_KM:
        lines = circle_lines(content.answer, content.radius_90_km)
        away = np.abs(on_map(np.vstack(lines)) - [x, y])
        # What lies beyond the map's edge goes on at the other side of it: that isn't shown.
        near = away[away[:, 0] < WIDTH / 2]
        across, down = near.max(axis=0).tolist() if len(near) else (WIDTH / 2, 0.0)
        reach = max(SMALLEST_REACH, across, down * WIDTH / HEIGHT)
    return x, y, min(WIDTH, 2 * ROOM * reach)


def class_names() -> tuple[str, ...]:
    """The classes of the density in words, least probable first."""
    limits = [f"{limit * 100:g}" for limit in CLASS_LIMITS]
    between = [f"{low}–{high} %" for low, high in pairwise(limits)]
    return (*between, f"over {limits[-1]} %")


def map_style(root: str) -> str:
    """CSS of the maps; its colours, light and dark, are variables of ``root``."""
    return (
        f"{root}{{{_colours(ON_LIGHT)}--sea:#eef3f6;--land:#d5d9d3;--coast:#8e979c;--grid:#d3dde3;"
        f"--ink:#16202a;--page:#fff;--halo:#fff;--answer:#0b63c4;--rival:#9a3f00}}"
        f"@media screen and (prefers-color-scheme:dark){{{root}{{{_colours(ON_DARK)}--sea:#0a1117;"
        f"--land:#2c363c;--coast:#6d7b84;--grid:#1b262f;--ink:#e8edf1;--page:#0b1015;--halo:#0b1015;"
        f"--answer:#6cb6ff;--rival:#ffb071}}}}{_SHAPES}"
    )


# Lines keep their width on screen at any zoom, and so do marks: a page that zooms sets --zoom.
_SHAPES = (
    ".world .sea{fill:var(--sea)}.world .land{fill:var(--land);fill-rule:evenodd}"
    "#world-land,#world-grid,.world .circle,.world .under{vector-effect:non-scaling-stroke}"
    ".world .shore{fill:none;stroke:var(--coast);stroke-width:.6}"
    ".world .grid{fill:none;stroke:var(--grid);stroke-width:.6}"
    ".world .circle,.world .under{fill:none;stroke:var(--halo);stroke-width:3.6;opacity:.75}"
    ".world .circle{stroke:var(--answer);stroke-width:1.6;opacity:1}"
    ".world .nine{stroke-dasharray:6 4}"
    ".world .pin>*{transform:scale(calc(var(--zoom,1)*var(--mark,1)))}"
    ".world .answer{fill:var(--answer);stroke:var(--halo);stroke-width:2.5}"
    ".world .mode{fill:var(--page);stroke:var(--answer);stroke-width:2.5}"
    ".world .pin text{font-weight:700;text-anchor:middle}.world .pin .on-answer{fill:var(--halo)}"
    ".world .truth{fill:none;stroke:var(--ink);stroke-width:3.6}"
    ".world .truth.under{stroke:var(--halo);stroke-width:8;opacity:1;vector-effect:none}"
    ".world .rival{fill:var(--rival);stroke:var(--halo);stroke-width:2.5}"
    ".world text{fill:var(--ink);font:14px system-ui,sans-serif}"
    + "".join(f".d{i}{{fill:var(--d{i});background:var(--d{i})}}" for i in range(len(CLASS_LIMITS)))
)


@lru_cache(maxsize=1)
def map_shapes() -> str:
    """Sea, graticule and land, about 40 kB: defined once, used by every map of a page."""
    return (
        f'<defs><path id="world-sea" d="{_outline()}"/><path id="world-grid" d="{_graticule()}"/>'
        f'<path id="world-land" d="{_land()}"/></defs>'
    )


def _drawn(content: MapContent) -> str:
    """All layers, the lowest first; the coasts once more above the density."""
    return (
        '<use class="sea" href="#world-sea"/><use class="grid" href="#world-grid"/>'
        '<use class="land" href="#world-land"/>'
        + "".join(_density(content.density) if content.density is not None else ())
        + '<use class="shore" href="#world-land"/>'
        + _markers(content)
    )


def _markers(content: MapContent) -> str:
    """Circles and marks, what matters most on top."""
    parts = _circle(content.answer, content.radius_90_km, "nine")
    parts += _circle(content.answer, content.radius_50_km, "half")
    if content.rival is not None:
        parts.append(_pin(content.rival, RIVAL))
    numbered = list(enumerate(content.others, start=2))
    parts += [_pin(place, _number("mode", number)) for number, place in reversed(numbered)]
    if content.truth is not None:
        parts.append(_pin(content.truth, CROSS))
    parts.append(_pin(content.answer, _number("answer", 1) if numbered else DOT))
    return "".join(parts)


def _density(density: CellProbabilities) -> Iterator[str]:
    """One path for each class; cells below the lowest limit are left out."""
    probability = np.asarray(density.probability, np.float64)
    number = np.searchsorted(CLASS_LIMITS, probability, side="right") - 1
    for each in range(len(CLASS_LIMITS)):
        cells = np.asarray(density.cells, np.uint64)[number == each].tolist()
        outlines = (part for cell in cells for part in cell_outlines(cell))
        path = "".join(closed_path(on_map(outline)) for outline in outlines)
        if path:
            yield f'<path class="d{each}" d="{path}"/>'


def _circle(centre: LatLon, radius_km: float, kind: str) -> list[str]:
    if not 0.0 < radius_km < HALF_EARTH_KM:  # a circle around everything is no line
        return []
    lines = circle_lines(centre, radius_km)
    path = "".join(open_path(on_map(line)) for line in lines)
    return [f'<path class="{name}" d="{path}"/>' for name in ("under", f"circle {kind}")]


def _pin(place: LatLon, mark: str) -> str:
    return _at(*_point(place), mark)


def _at(x: float, y: float, mark: str) -> str:
    """A mark around (0, 0), put at a point of the map."""
    return f'<g class="pin" transform="translate({x:.1f} {y:.1f})">{mark}</g>'


def _number(kind: str, number: int) -> str:
    on = ' class="on-answer"' if kind == "answer" else ""
    return f'<circle class="{kind}" r="10.5"/><text{on} y="5">{number}</text>'


def _point(position: LatLon) -> tuple[float, float]:
    x, y = on_map(np.array([position.lat, position.lon])).tolist()
    return x, y


def _view_box(below: float = 0.0) -> str:
    width, height = WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN + below
    return f"{-MARGIN:g} {-MARGIN:g} {width:g} {height:.1f}"


def _outline() -> str:
    """The edge of the map: both sides of the antimeridian."""
    lat = np.linspace(-90.0, 90.0, 61)
    east = np.stack([lat, np.full(61, 180.0)], axis=-1)
    return closed_path(on_map(np.vstack([east, (east * [1.0, -1.0])[::-1]])))


def _graticule() -> str:
    """Every thirtieth meridian and parallel."""
    lat = np.linspace(-90.0, 90.0, 37)
    meridians = (np.stack([lat, np.full(37, lon)], axis=-1) for lon in range(-150, 180, 30))
    parallels = (np.array([[lat, -180.0], [lat, 180.0]]) for lat in range(-60, 90, 30))
    return "".join(open_path(on_map(line)) for line in (*meridians, *parallels))


def _land() -> str:
    paths = []
    for curve in coastlines():
        points = on_map(np.vstack([curve, curve[:1]]))
        if shapely.Polygon(points).area >= SMALLEST_ISLAND:
            kept = shapely.simplify(shapely.LineString(points), TOLERANCE, preserve_topology=False)
            paths.append(closed_path(shapely.get_coordinates(kept)[:-1]))
    return "".join(paths)


def _legend(content: MapContent) -> str:
    """Markers, circles and classes, below the map."""
    top = HEIGHT + 22.0
    parts = [_at(16, top - 5, DOT), _text(30, top, "answer")]
    if content.truth is not None:
        parts += [_at(112, top - 5, CROSS), _text(128, top, "truth")]
    for x, kind, words in (
        (190, "half", "half of such answers are this near"),
        (500, "nine", "nine in ten are this near"),
    ):
        parts.append(f'<path class="circle {kind}" d="M{x} {top - 5:.1f}h36"/>')
        parts.append(_text(x + 44, top, words))
    parts.append(_text(0, top + 28, "Probability of a cell"))
    for i, name in enumerate(class_names()):
        x = 158 + i * 106
        parts.append(f'<rect class="d{i}" x="{x}" y="{top + 15:.1f}" width="16" height="16"/>')
        parts.append(_text(x + 21, top + 28, name))
    return "".join(parts)


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:g}" y="{y:.1f}">{escape(words)}</text>'


def _colours(palette: tuple[str, ...]) -> str:
    return "".join(f"--d{i}:{colour};" for i, colour in enumerate(palette))
