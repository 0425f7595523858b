"""An explanation as a figure of matplotlib, in one call: bars, and the evidence over the picture.

Blue speaks for the place and orange against it, as on the page: told apart with any colour vision.
"""

from __future__ import annotations

import textwrap

import numpy as np

from geowhy.arrays import Pixels
from geowhy.errors import MissingExtraError
from geowhy.explanation import Explanation
from geowhy.render.evidence import AGAINST, FOR, STRONGEST, scale_end, tinted
from geowhy.render.wording import concept_words, log_odds, reference_words, rest_of

try:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "plots", "drawing an explanation") from error

__all__ = ["plot_explanation"]

SHOWN_CONCEPTS = 6  # on either side
WIDTH, PICTURE_WIDTH, BAR_HEIGHT, REST_HEIGHT = 6.6, 4.2, 0.3, 1.4  # inches
LETTERS, TITLE_LETTERS = 34, 74
INK, FAINT, GREY = "#16202a", "#56626c", 160


def plot_explanation(explanation: Explanation, pixels: Pixels | None = None) -> Figure:
    """Bars that add up to the score; beside them the picture, under its evidence map if it has one.

    Args:
        explanation: of one answer.
        pixels: the picture, uint8 ``[H, W, 3]``; None for bars alone.

    Raises:
        MissingExtraError: on import, if matplotlib isn't installed.
    """
    shown, rest = explanation.shown(SHOWN_CONCEPTS), rest_of(explanation, SHOWN_CONCEPTS)
    height = max(REST_HEIGHT + BAR_HEIGHT * (len(shown) + len(rest)), 3.0)
    widths = [WIDTH] if pixels is None else [WIDTH, PICTURE_WIDTH]
    figure = Figure(figsize=(sum(widths), height), facecolor="white", layout="constrained")
    axes = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    _draw_bars(axes[0], [(concept_words(each), each.contribution) for each in shown], rest)
    if pixels is not None:
        _draw_picture(figure, axes[1], pixels, explanation)
    title = f"Log-odds {log_odds(explanation.score)} against {reference_words(explanation.against)}"
    figure.suptitle(textwrap.fill(title, TITLE_LETTERS), color=INK, weight="bold", parse_math=False)
    return figure


def _draw_bars(axes: Axes, shown: list[tuple[str, float]], rest: dict[str, float]) -> None:
    """The strongest concepts, all others in one, and what no concept carries: the whole score."""
    bars = [*shown, *rest.items()]
    axes.set_xlabel("log-odds that it adds", color=FAINT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, colors=INK)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    # Names may hold a dollar sign, which starts mathematics.
    names = [textwrap.shorten(words, LETTERS, placeholder=" …") for words, _ in bars]
    axes.set_yticks(range(len(bars)), names, parse_math=False)
    axes.invert_yaxis()
    # From the longest bar on the left to that on the right, with room for their numbers beyond.
    values = [0.0, *(value for _, value in bars)]
    low, high = min(values), max(values)
    room = 0.18 * (high - low) or 1.0
    axes.set_xlim(low - room * (low < 0.0), high + room * (high > 0.0 or low == 0.0))
    for row, (_, value) in enumerate(bars):
        red, green, blue = FOR if value > 0 else AGAINST
        colour = f"#{red:02x}{green:02x}{blue:02x}"
        axes.barh(row, value, color=colour, alpha=1.0 if row < len(shown) else 0.6)
        axes.annotate(
            log_odds(value),
            (value, row),
            xytext=(4 if value > 0 else -4, 0),
            textcoords="offset points",
            va="center",
            ha="left" if value > 0 else "right",
            color=INK,
        )


def _draw_picture(figure: Figure, axes: Axes, pixels: Pixels, explanation: Explanation) -> None:
    """The picture; under its first map, which is that of the answer, if it has one."""
    axes.set_axis_off()
    if not explanation.evidence:
        axes.imshow(pixels)
        return
    first = explanation.evidence[0]
    axes.imshow(tinted(pixels, first.evidence))
    axes.set_title(f"Evidence for {first.of}", color=INK, size="medium", parse_math=False)
    hues = np.array([AGAINST, (GREY, GREY, GREY), FOR])  # as they look over a grey
    seen = (STRONGEST * hues + (1 - STRONGEST) * GREY) / 255
    end = scale_end(first.evidence) or 1.0
    colours = LinearSegmentedColormap.from_list("evidence", seen)
    scale = ScalarMappable(Normalize(-end, end), colours)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.9)
    bar.set_label("log-odds", color=FAINT)
