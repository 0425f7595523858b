"""Two maps beside each other: where a model sees a concept, and where it holds.

Equal Earth, so that equal areas look equal. Viridis is in order of lightness to any colour vision
and in print, and holds no grey, which stands for land without data.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geowhy.arrays import AnyFloats, Floats64
from geowhy.assets.files import appearing_whole
from geowhy.errors import DataError, MissingExtraError
from geowhy.evaluation.concept_comparison import ConceptComparison
from geowhy.geo.sphere import equal_earth
from geowhy.render.outlines import coastlines
from geowhy.render.raster import X_MOST, Y_MOST, rasterised

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

__all__ = ["FORMATS", "check_output", "draw_comparison", "save_figure"]

FORMATS = (".png", ".svg", ".pdf")
DOTS_PER_INCH = 200

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
ENDS = (2.0, 98.0)  # percentiles between which colours tell values apart


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """One of the two maps.

    Attributes:
        title: above it.
        values: a raster of the world, NaN where unknown.
        limits: values of the first and last colour.
        label: of the legend, with the unit.
        is_class: whether values are from 0, "doesn't hold", to 1, "holds".
    """

    title: str
    values: Floats64
    limits: Normalize
    label: str
    is_class: bool = False


def draw_comparison(comparison: ConceptComparison, agreement: str) -> Figure:
    """The figure: name, definition, model and ``agreement``, then the two maps with legends."""
    definition = _wrapped(comparison.definition)
    told = _wrapped(f"Model {comparison.model}. {agreement}")
    panels = _panels(comparison)
    label_lines = max(panel.label.count("\n") + 1 for panel in panels)
    top = MARGIN + HEADING + LINE * (len(definition) + len(told)) + PADDING
    height = top + PANEL_TITLE + PANEL_HEIGHT + LEGEND + LINE * label_lines + MARGIN
    page = _Page(Figure(figsize=(WIDTH, height), facecolor="white"), height)
    name = textwrap.shorten(comparison.name, NAME_LETTERS, placeholder=" …")
    page.text(MARGIN, MARGIN, name, size=NAME_SIZE, weight="bold")
    page.text(MARGIN, MARGIN + HEADING, "\n".join(definition))
    page.text(MARGIN, MARGIN + HEADING + LINE * len(definition), "\n".join(told), color=FAINT)
    for number, panel in enumerate(panels):
        page.draw(panel, MARGIN + number * (PANEL_WIDTH + GAP), top)
    return page.figure


def _panels(comparison: ConceptComparison) -> tuple[_Panel, _Panel]:
    """What the model says, and the truth."""
    is_class = comparison.is_class
    score, truth = (rasterised(comparison.lat_lon, v) for v in (comparison.score, comparison.truth))
    return (
        _Panel(
            "Score of the model",
            score,
            _between_ends(comparison.score),
            "standard deviations over the land",
        ),
        _Panel(
            "Truth: where it holds" if is_class else "Truth: how much of it there is",
            truth,
            Normalize(0, 1) if is_class else _between_ends(comparison.truth),
            _label(comparison.truth_words),
            is_class,
        ),
    )


class _Page:
    """A figure on which places are told in inches from the left and from the top."""

    def __init__(self, figure: Figure, height: float) -> None:
        self.figure, self._height = figure, height

    def text(self, left: float, top: float, text: str, **style: Any) -> None:  # noqa: ANN401
        """Text whose upper left corner is at a place; ``style`` is as matplotlib has it."""
        given: dict[str, Any] = {"size": TEXT_SIZE, "color": INK, "linespacing": LINE_SPACING}
        given |= style
        self.figure.text(
            left / WIDTH, 1 - top / self._height, text, va="top", parse_math=False, **given
        )

    def draw(self, panel: _Panel, left: float, top: float) -> None:
        """One map with its title above and its legend below."""
        self.text(left, top, panel.title, size=TITLE_SIZE)
        axes = self._axes(left, top + PANEL_TITLE, PANEL_WIDTH, PANEL_HEIGHT)
        image = _draw_map(axes, panel.values, panel.limits)
        below = top + PANEL_TITLE + PANEL_HEIGHT + PADDING
        self._colour_bar(image, panel, left + BAR_LEFT, below)
        self._key_of_grey(left + BAR_LEFT + BAR_WIDTH + 0.4, below)

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self._height - top - height
        return self.figure.add_axes(
            (left / WIDTH, bottom / self._height, width / WIDTH, height / self._height)
        )

    def _colour_bar(self, image: AxesImage, panel: _Panel, left: float, top: float) -> None:
        axes = self._axes(left, top, BAR_WIDTH, BAR_HEIGHT)
        extend = "neither" if panel.is_class else "both"
        bar = self.figure.colorbar(image, cax=axes, orientation="horizontal", extend=extend)
        bar.outline.set_linewidth(THIN)
        axes.tick_params(labelsize=TEXT_SIZE, width=THIN, color=INK, labelcolor=INK)
        axes.set_xlabel(panel.label, size=TEXT_SIZE, color=INK, parse_math=False)
        if panel.is_class:
            bar.set_ticks([0, 1], labels=["doesn't hold", "holds"])

    def _key_of_grey(self, left: float, top: float) -> None:
        patch = self._axes(left, top, 2 * BAR_HEIGHT, BAR_HEIGHT)
        patch.set(facecolor=NO_DATA, xticks=[], yticks=[])
        patch.spines[:].set_linewidth(THIN)
        self.text(left + 0.36, top - 0.05, "no data")


def _draw_map(axes: Axes, values: Floats64, limits: Normalize) -> AxesImage:
    """Land in grey, values on it in colours, coasts above; the sea stays blank."""
    axes.set(xlim=(-X_MOST, X_MOST), ylim=(-Y_MOST, Y_MOST))
    axes.set_axis_off()
    axes.add_collection(LineCollection(_graticule(), colors=LINES, linewidths=THIN, zorder=0))
    land = _land()
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


def _land() -> Outline:
    """All coasts as one outline; lakes run the other way round, which leaves them out."""
    curves = [equal_earth(np.vstack([curve, curve[:1]])) for curve in coastlines()]
    codes = [np.full(len(curve), Outline.LINETO, Outline.code_type) for curve in curves]
    for code in codes:
        code[0], code[-1] = Outline.MOVETO, Outline.CLOSEPOLY
    return Outline(np.concatenate(curves), np.concatenate(codes))


def _graticule() -> list[Floats64]:
    """The map's edge, and every thirtieth meridian and parallel."""
    lat, lon = np.linspace(-90.0, 90.0, 91), np.linspace(-180.0, 180.0, 91)
    meridians = [np.stack([lat, np.full(91, each)], -1) for each in range(-180, 181, 30)]
    parallels = [np.stack([np.full(91, each), lon], -1) for each in range(-90, 91, 30)]
    return [equal_earth(line) for line in (*meridians, *parallels)]


def _between_ends(values: AnyFloats) -> Normalize:
    """Colours for all but the few lowest and highest of values."""
    low, high = np.nanpercentile(values, ENDS)
    return Normalize(float(low), float(high)) if high > low else Normalize()


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_LETTERS)


def _label(words: str) -> str:
    """At most two lines."""
    return textwrap.fill(
        words, LABEL_LETTERS, max_lines=LABEL_LINES, placeholder=" …", break_long_words=True
    )


def check_output(path: Path) -> None:
    """Refuses a file that can't become a figure, before any work is done.

    Raises:
        DataError: if its suffix isn't of a known format, or there is no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"{path}: no such kind of figure: end the name in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}: make it or choose another")


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure in the format of the file's suffix.

    Raises:
        DataError: if it can't be written.
    """
    check_output(path)
    kind = path.suffix.lower().removeprefix(".")
    # No date, and names that don't change: the same figure gives the same bytes.
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    made = io.BytesIO()
    with rc_context({"pdf.fonttype": 42, "svg.hashsalt": "geowhy"}):  # 42: fonts journals take
        figure.savefig(made, format=kind, dpi=DOTS_PER_INCH, metadata=dates.get(kind))
    try:
        with appearing_whole(path) as partial:
            partial.write_bytes(made.getvalue())
    except OSError as error:
        raise DataError(
            f"{path}: the map can't be written ({error.strerror}); choose another --output"
        ) from error
