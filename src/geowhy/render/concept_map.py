"""Two maps beside each other: where a model sees a concept, and where it holds.

Equal Earth, so that equal areas look equal. Viridis is in order of lightness to any colour vision
and in print, and holds no grey, which stands for land without data.
"""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np

from geowhy.arrays import AnyFloats, Floats64, Points
from geowhy.errors import MissingExtraError
from geowhy.evaluation.concept_comparison import ConceptComparison
from geowhy.geo.sphere import equal_earth
from geowhy.render.world_map import X_MOST, Y_MOST, coastlines

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "plots", "drawing the map of a concept") from error

__all__ = ["FORMATS", "draw_comparison", "figure_bytes", "rasterised"]

FORMATS = (".png", ".svg", ".pdf")

# Inches. At 12 inches wide and 1,200 pixels, a size of 12 points is 17 pixels high.
WIDTH, MARGIN, GAP = 12.0, 0.15, 0.2
PANEL_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
PANEL_HEIGHT = PANEL_WIDTH * Y_MOST / X_MOST
HEADING, LINE, PANEL_TITLE, LEGEND = 0.42, 0.24, 0.34, 0.52
BAR_LEFT, BAR_WIDTH, BAR_HEIGHT, PADDING = 0.7, 3.6, 0.14, 0.08

NAME_SIZE, TITLE_SIZE, TEXT_SIZE, LINE_SPACING = 19, 14, 12.5, 1.25
THIN = 0.5
NAME_LETTERS, LINE_LETTERS, LABEL_LETTERS, LABEL_LINES = 72, 120, 58, 2
INK, FAINT, NO_DATA = "#16202a", "#56626c", "#c9ccce"
COAST, LINES = "#3a4349", "#d3dbe0"
COLOURS = "viridis"

FEWEST_COLUMNS, MOST_COLUMNS = 90, 1440


def draw_comparison(comparison: ConceptComparison, agreement: str) -> Figure:
    """The figure: name, definition, model and ``agreement``, then the two maps with legends."""
    definition = textwrap.wrap(comparison.definition, LINE_LETTERS)
    told = textwrap.wrap(f"Model {comparison.model}. {agreement}", LINE_LETTERS)
    label = textwrap.fill(
        comparison.truth_words,
        LABEL_LETTERS,
        max_lines=LABEL_LINES,
        placeholder=" …",
        break_long_words=True,
    )
    top = MARGIN + HEADING + LINE * (len(definition) + len(told)) + PADDING
    below = PANEL_TITLE + PANEL_HEIGHT + LEGEND + LINE * (label.count("\n") + 1) + MARGIN
    page = _Page(top + below)
    name = textwrap.shorten(comparison.name, NAME_LETTERS, placeholder=" …")
    page.text(MARGIN, MARGIN, name, size=NAME_SIZE, weight="bold")
    page.text(MARGIN, MARGIN + HEADING, "\n".join(definition))
    page.text(MARGIN, MARGIN + HEADING + LINE * len(definition), "\n".join(told), color=FAINT)

    page.text(MARGIN, top, "Score of the model", size=TITLE_SIZE)
    score = rasterised(comparison.lat_lon, comparison.score)
    limits = _between_ends(comparison.score)
    page.world(MARGIN, top + PANEL_TITLE, score, limits, "standard deviations over the land")

    left, is_class = MARGIN + PANEL_WIDTH + GAP, comparison.is_class
    title = "Truth: where it holds" if is_class else "Truth: how much of it there is"
    page.text(left, top, title, size=TITLE_SIZE)
    truth = rasterised(comparison.lat_lon, comparison.truth)
    limits = Normalize(0, 1) if is_class else _between_ends(comparison.truth)
    page.world(left, top + PANEL_TITLE, truth, limits, label, is_class=is_class)
    return page.figure


class _Page:
    """A figure on which places are told in inches from the left and from the top."""

    def __init__(self, height: float) -> None:
        self.figure = Figure(figsize=(WIDTH, height), facecolor="white")
        self._height = height

    def text(self, left: float, top: float, text: str, **style: Any) -> None:  # noqa: ANN401
        """Text whose upper left corner is at a place; ``style`` is as matplotlib has it."""
        given: dict[str, Any] = {"size": TEXT_SIZE, "color": INK, "linespacing": LINE_SPACING}
        x, y = left / WIDTH, 1 - top / self._height
        self.figure.text(x, y, text, va="top", parse_math=False, **given | style)

    def world(
        self,
        left: float,
        top: float,
        values: Floats64,
        limits: Normalize,
        label: str,
        *,
        is_class: bool = False,
    ) -> None:
        """A raster of the world ``[H, W]``, and what its colours and the grey below it say."""
        image = _draw_map(self._axes(left, top, PANEL_WIDTH, PANEL_HEIGHT), values, limits)
        left, top = left + BAR_LEFT, top + PANEL_HEIGHT + PADDING
        axes = self._axes(left, top, BAR_WIDTH, BAR_HEIGHT)
        extend = "neither" if is_class else "both"
        bar = self.figure.colorbar(image, cax=axes, orientation="horizontal", extend=extend)
        bar.outline.set_linewidth(THIN)
        axes.tick_params(labelsize=TEXT_SIZE, width=THIN, color=INK, labelcolor=INK)
        axes.set_xlabel(label, size=TEXT_SIZE, color=INK, parse_math=False)
        if is_class:
            bar.set_ticks([0, 1], labels=["doesn't hold", "holds"])
        left += BAR_WIDTH + 0.4
        patch = self._axes(left, top, 2 * BAR_HEIGHT, BAR_HEIGHT)
        patch.set(facecolor=NO_DATA, xticks=[], yticks=[])
        patch.spines[:].set_linewidth(THIN)
        self.text(left + 0.36, top - 0.05, "no data")

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self._height - top - height
        return self.figure.add_axes(
            (left / WIDTH, bottom / self._height, width / WIDTH, height / self._height)
        )


def _draw_map(axes: Axes, values: Floats64, limits: Normalize) -> AxesImage:
    """Land in grey, values on it in colours, coasts above; the sea stays blank."""
    axes.set(xlim=(-X_MOST, X_MOST), ylim=(-Y_MOST, Y_MOST))
    axes.set_axis_off()
    lat, lon = np.linspace(-90.0, 90.0, 91), np.linspace(-180.0, 180.0, 91)
    meridians = [np.stack([lat, np.full(91, each)], -1) for each in range(-180, 181, 30)]
    parallels = [np.stack([np.full(91, each), lon], -1) for each in range(-90, 91, 30)]
    lines = [equal_earth(line) for line in (*meridians, *parallels)]
    axes.add_collection(LineCollection(lines, colors=LINES, linewidths=THIN, zorder=0))
    # All coasts as one outline; lakes run the other way round, which leaves them out.
    curves = [equal_earth(np.vstack([curve, curve[:1]])) for curve in coastlines()]
    land = Outline.make_compound_path(*(Outline(curve, closed=True) for curve in curves))
    axes.add_patch(PathPatch(land, facecolor=NO_DATA, edgecolor="none", zorder=1))
    image = axes.imshow(
        np.ma.masked_invalid(values),
        cmap=COLOURS,
        norm=limits,
        extent=(-X_MOST, X_MOST, -Y_MOST, Y_MOST),
        interpolation="nearest",
        aspect="auto",
        zorder=2,
    )
    image.set_clip_path(land, axes.transData)
    axes.add_patch(PathPatch(land, facecolor="none", edgecolor=COAST, linewidth=0.35, zorder=3))
    return image


def _between_ends(values: AnyFloats) -> Normalize:
    """Colours for all but the 2 % lowest and highest of values."""
    low, high = np.nanpercentile(values, (2, 98))
    return Normalize(float(low), float(high)) if high > low else Normalize()


def rasterised(lat_lon: Points, values: AnyFloats) -> Floats64:
    """Values ``[M]`` at degrees ``[M, 2]`` as a grid ``[H, W]`` of the map, rows from north.

    A pixel, some three to a place on land, is the mean of the known values of its places. One
    without a place is as the nearest one that has some, if that is within three pixels; NaN where
    that is unknown, or far.
    """
    # Three places a pixel of land, which is 23 % of the rectangle without Antarctica.
    pixels = len(lat_lon) / 3.0 / 0.23
    width = round(np.clip(np.sqrt(pixels * X_MOST / Y_MOST), FEWEST_COLUMNS, MOST_COLUMNS))
    height = round(width * Y_MOST / X_MOST)
    x, y = equal_earth(lat_lon).T
    column = np.clip(((x / X_MOST + 1) * width / 2).astype(np.intp), 0, width - 1)
    row = np.clip(((1 - y / Y_MOST) * height / 2).astype(np.intp), 0, height - 1)
    pixel, known = row * width + column, ~np.isnan(values)
    taken = np.bincount(pixel, minlength=height * width) > 0
    number = np.bincount(pixel[known], minlength=height * width)
    total = np.bincount(pixel[known], values[known], minlength=height * width)
    means = np.where(number > 0, total / np.maximum(number, 1), np.nan).reshape(height, width)
    taken = taken.reshape(height, width)
    # Pixels that aren't taken become like their nearest neighbours, step by step.
    straight = [(1, 2), (1, 0), (2, 1), (0, 1)]  # down and right; (1, 1) is the pixel itself
    diagonal = [(2, 2), (2, 0), (0, 2), (0, 0)]
    for _ in range(3):
        before, had = np.pad(means, 1), np.pad(taken, 1)
        for down, right in straight + diagonal:
            window = np.s_[down : down + height, right : right + width]
            fills = ~taken & had[window]
            means = np.where(fills, before[window], means)
            taken = taken | fills
    return np.where(taken, means, np.nan)


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """A figure as a file of one of ``FORMATS``; the same figure gives the same bytes."""
    # No date, and names that don't change.
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    made = io.BytesIO()
    with rc_context({"pdf.fonttype": 42, "svg.hashsalt": "geowhy"}):  # 42: fonts journals take
        figure.savefig(made, format=kind[1:], dpi=200, metadata=dates.get(kind))
    return made.getvalue()
