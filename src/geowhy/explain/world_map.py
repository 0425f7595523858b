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
from numpy.typing import NDArray

from geowhy.explain.coastline import coastlines
from geowhy.explain.outlines import (
    HEIGHT,
    WIDTH,
    cell_outlines,
    circle_lines,
    closed_path,
    on_map,
    open_path,
    simplified,
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
    "world_map",
]

Floats = NDArray[np.float64]

CLASS_LIMITS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # probability of a cell
ON_LIGHT = ("#fde9b0", "#fdcb83", "#fba460", "#f1784f", "#d84f55", "#ae2f63", "#7a1b66", "#420f52")
ON_DARK = ("#3d1a5c", "#6a2374", "#97317a", "#c44570", "#e8645a", "#f98e4f", "#fdbf64", "#fdf0b0")
HALF_EARTH_KM = 20015.0
LEGEND_HEIGHT = 58.0
MARGIN = 3.0
SMALLEST_ISLAND = 1.0  # square units of the map: a third of a degree across
TOLERANCE = 0.25  # units of the map


class CellProbabilities(Protocol):
    """A density over H3 cells, such as a locator gives."""

    @property
    def cells(self) -> NDArray[np.uint64]:
        """H3 cells, ``[M]``."""

    @property
    def probability(self) -> NDArray[np.floating]:
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
    """

    answer: LatLon
    radius_50_km: float
    radius_90_km: float
    density: CellProbabilities | None
    truth: LatLon | None
    title: str
    description: str


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


def class_names() -> tuple[str, ...]:
    """The classes of the density in words, least probable first."""
    limits = [f"{limit * 100:g}" for limit in CLASS_LIMITS]
    between = [f"{low}–{high} %" for low, high in pairwise(limits)]
    return (*between, f"over {limits[-1]} %")


def map_style(root: str) -> str:
    """CSS of the maps; its colours, light and dark, are variables of ``root``."""
    return (
        f"{root}{{{_colours(ON_LIGHT)}--sea:#eef3f6;--land:#d5d9d3;--coast:#8e979c;--grid:#d3dde3;"
        f"--ink:#16202a;--page:#fff;--halo:#fff;--answer:#0b63c4}}"
        f"@media screen and (prefers-color-scheme:dark){{{root}{{{_colours(ON_DARK)}--sea:#0a1117;"
        f"--land:#2c363c;--coast:#6d7b84;--grid:#1b262f;--ink:#e8edf1;--page:#0b1015;--halo:#0b1015;"
        f"--answer:#6cb6ff}}}}{_SHAPES}"
    )


_SHAPES = (
    ".world .sea{fill:var(--sea)}.world .land{fill:var(--land);fill-rule:evenodd}"
    ".world .shore{fill:none;stroke:var(--coast);stroke-width:.7}"
    ".world .grid{fill:none;stroke:var(--grid);stroke-width:.7}"
    ".world .circle,.world .under{fill:none;stroke:var(--halo);stroke-width:4;opacity:.75}"
    ".world .circle{stroke:var(--answer);stroke-width:1.8;opacity:1}"
    ".world .nine{stroke-dasharray:7 5}"
    ".world .answer{fill:var(--answer);stroke:var(--halo);stroke-width:2.5}"
    ".world .truth{fill:none;stroke:var(--ink);stroke-width:3.6}"
    ".world .truth.under{stroke:var(--halo);stroke-width:8;opacity:1}"
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
    parts = _circle(content.answer, content.radius_90_km, "nine")
    parts += _circle(content.answer, content.radius_50_km, "half")
    if content.truth is not None:
        parts.append(_cross(*_point(content.truth)))
    parts.append(_dot(*_point(content.answer)))
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


def _cross(x: float, y: float) -> str:
    """The truth: a shape of its own, so that nobody needs its colour."""
    path = f"M{x - 8:.1f} {y - 8:.1f}l16 16m0-16l-16 16"
    return f'<path class="truth under" d="{path}"/><path class="truth" d="{path}"/>'


def _dot(x: float, y: float) -> str:
    return f'<circle class="answer" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'


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
        if _area(points) >= SMALLEST_ISLAND:
            paths.append(closed_path(simplified(points, TOLERANCE)[:-1]))
    return "".join(paths)


def _area(points: Floats) -> float:
    """Area within a closed curve ``[n, 2]`` whose last point is its first."""
    x, y = (points - points[0]).T
    return float(abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2)


def _legend(content: MapContent) -> str:
    """Markers, circles and classes, below the map."""
    top = HEIGHT + 22.0
    parts = [_dot(16, top - 5), _text(30, top, "answer")]
    if content.truth is not None:
        parts += [_cross(112, top - 5), _text(128, top, "truth")]
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
