"""An explanation as a figure of matplotlib, in one call: bars, and the evidence over the picture.

Blue speaks for the place and orange against it, as on the page: told apart with any colour vision.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Pixels
from geowhy.errors import MissingExtraError
from geowhy.explanation import EvidenceMap, Explanation
from geowhy.render.evidence_picture import AGAINST, FOR, STRONGEST, scale_end, tinted
from geowhy.render.wording import concept_words, log_odds, reference_words

try:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "plots", "drawing an explanation") from error

__all__ = ["plot_explanation"]


SHOWN_CONCEPTS = 6  # on either side
SHOWS = 0.005  # a part of the score from which on two digits show it
WIDTH, PICTURE_WIDTH, BAR_HEIGHT, REST_HEIGHT = 6.6, 4.2, 0.3, 1.4  # inches
LETTERS, TITLE_LETTERS = 34, 74
INK, FAINT, GREY = "#16202a", "#56626c", 160
ROOM = 0.18  # of all bars, beyond the longest of them, for its number


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row: what it is, its log-odds, and whether it sums up what isn't shown."""

    words: str
    value: float
    is_rest: bool = False


def plot_explanation(explanation: Explanation, pixels: Pixels | None = None) -> Figure:
    """Bars that add up to the score; beside them the picture, under its evidence map if it has one.

    Args:
        explanation: of one answer.
        pixels: the picture, uint8 ``[H, W, 3]``; None for bars alone.

    Raises:
        MissingExtraError: on import, if matplotlib isn't installed.
    """
    bars = _bars(explanation)
    height = max(REST_HEIGHT + BAR_HEIGHT * len(bars), 3.0)
    beside = pixels is not None
    width = WIDTH + PICTURE_WIDTH * beside
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    axes = figure.subplots(
        1, 1 + beside, squeeze=False, width_ratios=[WIDTH, PICTURE_WIDTH][: 1 + beside]
    )[0]
    _draw_bars(axes[0], bars)
    if pixels is not None:
        _draw_picture(axes[1], pixels, explanation.evidence)
    title = f"Log-odds {log_odds(explanation.score)} against {reference_words(explanation.against)}"
    figure.suptitle(textwrap.fill(title, TITLE_LETTERS), color=INK, weight="bold", parse_math=False)
    return figure


def _bars(explanation: Explanation) -> list[_Bar]:
    """The strongest concepts, all others in one, and what no concept carries: the whole score."""
    shown = explanation.shown(SHOWN_CONCEPTS)
    bars = [_Bar(concept_words(each), each.contribution) for each in shown]
    others = len(explanation.contributions) - len(shown)
    if others > 0:
        total = sum(concept.contribution for concept in explanation.contributions)
        rest = total - sum(concept.contribution for concept in shown)
        bars.append(_Bar(f"{others} other concept{'s' * (others > 1)}", rest, is_rest=True))
    if abs(explanation.unexplained) >= SHOWS:
        bars.append(_Bar("what no concept carries", explanation.unexplained, is_rest=True))
    return bars


def _draw_bars(axes: Axes, bars: list[_Bar]) -> None:
    axes.set_xlabel("log-odds that it adds", color=FAINT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, colors=INK)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    rows = range(len(bars))
    # Names may hold a dollar sign, which starts mathematics.
    names = [textwrap.shorten(bar.words, LETTERS, placeholder=" …") for bar in bars]
    axes.set_yticks(rows, names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(*_limits([bar.value for bar in bars]))
    for row, bar in zip(rows, bars, strict=True):
        colour = _of_one(FOR if bar.value > 0 else AGAINST)
        axes.barh(row, bar.value, color=colour, alpha=0.6 if bar.is_rest else 1.0)
        side = 1 if bar.value > 0 else -1
        axes.annotate(
            log_odds(bar.value),
            (bar.value, row),
            xytext=(4 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0 else "right",
            color=INK,
        )


def _limits(values: list[float]) -> tuple[float, float]:
    """From the longest bar on the left to that on the right, with room for their numbers."""
    low, high = min([0.0, *values]), max([0.0, *values])
    room = ROOM * (high - low) or 1.0
    return low - room * (low < 0.0), high + room * (high > 0.0 or low == 0.0)


def _draw_picture(axes: Axes, pixels: Pixels, evidence: tuple[EvidenceMap, ...]) -> None:
    """The picture; under its first map, which is that of the answer, if it has one."""
    axes.set_axis_off()
    if not evidence:
        axes.imshow(pixels)
        return
    axes.imshow(tinted(pixels, evidence[0].evidence))
    axes.set_title(f"Evidence for {evidence[0].of}", color=INK, size="medium", parse_math=False)
    end = scale_end(evidence[0].evidence) or 1.0
    scale = ScalarMappable(Normalize(-end, end), _colours())
    figure = axes.get_figure()
    assert figure is not None
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.9)
    bar.set_label("log-odds", color=FAINT)


def _colours() -> LinearSegmentedColormap:
    """The colours of an evidence map, as they look over a grey."""
    grey = np.full(3, GREY)
    ends = (STRONGEST * np.array(hue) + (1 - STRONGEST) * grey for hue in (AGAINST, FOR))
    against, supporting = (_of_one(tuple(end.tolist())) for end in ends)
    middle = _of_one(tuple(grey.tolist()))
    return LinearSegmentedColormap.from_list("evidence", [against, middle, supporting])


def _of_one(colour: tuple[float, ...]) -> tuple[float, float, float]:
    """Parts of 255 as matplotlib wants them, of 1."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
