"""A Sankey diagram as SVG: what tells two places apart, from categories over concepts to places.

The width of a band is what a concept adds to the log-odds of a place against the other one, on the
mean of that place's own views. What a place has less of than the average view speaks too, and is
pale. The file holds its styles, and needs no network and no script.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from geowhy.errors import DataError
from geowhy.evaluation.contrast import ConceptPull, Contrast

__all__ = ["Band", "Bar", "bands_of", "sankey"]

SHOWN_CONCEPTS = 16
OTHERS = "other concepts"

WIDTH, TOP, BELOW = 1000.0, 84.0, 66.0
FLOW_HEIGHT = 420.0  # of all bands on top of each other
BAR, ROW, GAP = 12.0, 22.0, 7.0  # width of a bar, least height of a row and space between two
COLUMNS = (196.0, 492.0, 812.0)  # left edges of the bars
THINNEST = 0.4  # of a band that is drawn
LETTERS, LINE = 19, 19.0  # of a place's name in a line, and the height of one
DESCRIBED = 6  # concepts on either side, for those who can't see

STYLE = (
    ":root{--ink:#16202a;--faint:#56626c;--page:#fff;--from:#c3cbd0;--bar:#56626c;"
    "--first:#0b63c4;--second:#9a3f00}"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e8edf1;--faint:#a9b4bc;"
    "--page:#0b1015;--from:#39444c;--bar:#a9b4bc;--first:#6cb6ff;--second:#ffb071}}"
    "svg{background:var(--page)}text{fill:var(--ink);font:14px system-ui,sans-serif}"
    ".heading{font-size:21px;font-weight:700}.small{fill:var(--faint)}.place{font-weight:700;"
    "font-size:16px}.end{text-anchor:end}.over{paint-order:stroke;stroke:var(--page);"
    "stroke-width:4px;stroke-linejoin:round}.bar{fill:var(--bar)}.from{fill:var(--from)}"
    ".first{fill:var(--first)}.second{fill:var(--second)}.band{opacity:.75}"
    ".band.less{opacity:.3}"
)


@dataclass(frozen=True, slots=True)
class Band:
    """What flows from one bar to another.

    Attributes:
        start, end: names of the bars.
        width: log-odds.
        kind: how it is drawn: "from", "first", "second", and "less" for what a place lacks.
    """

    start: str
    end: str
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar at which bands end and begin: where it stands, in units of the drawing."""

    x: float
    y: float
    height: float


def sankey(contrast: Contrast, note: str = "") -> str:
    """The diagram as a file of its own, with a ``note`` on where its numbers come from.

    Raises:
        DataError: if no concept speaks for either place.
    """
    left, right = bands_of(contrast)
    total = sum(band.width for band in right)
    if not total > 0:
        raise DataError(
            f"no concept tells {contrast.first} from {contrast.second}: choose other places"
        )
    scale = FLOW_HEIGHT / total
    names = list(dict.fromkeys(band.end for band in left))
    categories = list(dict.fromkeys(band.start for band in left))
    rows = max(ROW * len(names), FLOW_HEIGHT) + GAP * (len(names) + 1)
    places = [contrast.first, contrast.second]
    columns = [
        _column(COLUMNS[0], categories, _sums(left, "start"), scale, rows),
        _column(COLUMNS[1], names, _sums(left, "end"), scale, rows),
        _column(COLUMNS[2], places, _sums(right, "end"), scale, rows),
    ]
    height = max(bar.y + bar.height for column in columns for bar in column.values()) + BELOW
    body = [*_ribbons(left, columns[0], columns[1], scale)]
    body += [*_ribbons(right, columns[1], columns[2], scale)]
    body += [*_bars(columns, contrast)]
    return _file(contrast, note, height, "".join(body))


def bands_of(contrast: Contrast) -> tuple[list[Band], list[Band]]:
    """Bands from categories to concepts, and on to places; both add up to the same.

    The widest concepts have a bar each, all others one together.
    """
    shown = [pull for pull in contrast.pulls[:SHOWN_CONCEPTS] if pull.width > 0]
    others = [pull for pull in contrast.pulls[len(shown) :] if pull.width > 0]
    weight = defaultdict[str, float](float)
    for pull in (*shown, *others):
        weight[pull.category] += pull.width
    shown.sort(key=lambda pull: (-weight[pull.category], pull.category, -pull.width))
    together = f"{len(others)} {OTHERS}"
    left = [Band(pull.category, pull.name, pull.width, "from") for pull in shown]
    for category in sorted(weight, key=lambda each: -weight[each]):
        rest = sum(pull.width for pull in others if pull.category == category)
        left += [Band(category, together, rest, "from")] if rest > 0 else []
    right = [band for pull in shown for band in _to_places(pull.name, [pull], contrast)]
    return left, [*right, *_to_places(together, others, contrast)]


def _to_places(name: str, pulls: Sequence[ConceptPull], contrast: Contrast) -> list[Band]:
    """Bands of one bar, apart by place and by whether the place has the concept."""
    widths = defaultdict[tuple[str, str], float](float)
    for pull in pulls:
        has = (pull.first_has, pull.second_has)
        sides = zip((contrast.first, contrast.second), ("first", "second"), strict=True)
        for (place, kind), width, more in zip(sides, pull.shown, has, strict=True):
            widths[place, kind if more else f"{kind} less"] += width
    return [Band(name, place, width, kind) for (place, kind), width in widths.items() if width > 0]


def _sums(bands: Iterable[Band], end: str) -> dict[str, float]:
    sums = defaultdict[str, float](float)
    for band in bands:
        sums[getattr(band, end)] += band.width
    return sums


def _column(
    x: float, names: Sequence[str], sums: Mapping[str, float], scale: float, room: float
) -> dict[str, Bar]:
    """Bars below each other, each in a row high enough for its name, spread over the room."""
    heights = [sums.get(name, 0.0) * scale for name in names]
    rows = [max(height, ROW) for height in heights]
    gap = max(GAP, (room - sum(rows)) / (len(rows) + 1))
    bars, y = {}, TOP + gap
    for name, height, row in zip(names, heights, rows, strict=True):
        bars[name] = Bar(x, y + (row - height) / 2, height)
        y += row + gap
    return bars


def _ribbons(
    bands: Iterable[Band], starts: Mapping[str, Bar], ends: Mapping[str, Bar], scale: float
) -> Iterable[str]:
    """Bands as curved shapes, stacked at both of their bars in the order given."""
    left, right = defaultdict[str, float](float), defaultdict[str, float](float)
    for band in bands:
        start, end, height = starts[band.start], ends[band.end], band.width * scale
        from_y, to_y = start.y + left[band.start], end.y + right[band.end]
        left[band.start] += height
        right[band.end] += height
        x, to_x = start.x + BAR, end.x
        middle, drawn = (x + to_x) / 2, max(height, THINNEST)
        less = "less " if "less" in band.kind else ""
        words = f"{band.start} to {less}{band.end}"
        if band.kind != "from":
            words = f"{less}{band.start}, for {band.end}"
        yield (
            f'<path class="band {band.kind}" d="M{x:.1f} {from_y:.1f}C{middle:.1f} {from_y:.1f} '
            f"{middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}v{drawn:.1f}C{middle:.1f} "
            f"{to_y + drawn:.1f} {middle:.1f} {from_y + drawn:.1f} {x:.1f} {from_y + drawn:.1f}z"
            f'"><title>{escape(words)}: {band.width:+.2f}</title></path>'
        )


def _bars(columns: Sequence[Mapping[str, Bar]], contrast: Contrast) -> Iterable[str]:
    """All bars with their names."""
    categories, concepts, places = columns
    for name, bar in categories.items():
        yield _bar(bar, "bar") + _text(bar.x - 8, _middle(bar), name, "end")
    for name, bar in concepts.items():
        yield _bar(bar, "bar") + _text(bar.x + BAR + 6, _middle(bar), name, "over")
    for kind, name in (("first", contrast.first), ("second", contrast.second)):
        bar, lines = places[name], textwrap.wrap(name, LETTERS)
        top = _middle(bar) - LINE / 2 * (len(lines) - 1)
        yield _bar(bar, kind)
        for number, line in enumerate(lines):
            yield _text(bar.x + BAR + 8, top + LINE * number, line, "place")


def _bar(bar: Bar, kind: str) -> str:
    height = max(bar.height, THINNEST)
    return (
        f'<rect class="{kind}" x="{bar.x:g}" y="{bar.y:.1f}" width="{BAR:g}" '
        f'height="{height:.1f}"/>'
    )


def _file(contrast: Contrast, note: str, height: float, body: str) -> str:
    title = f"What tells {contrast.first} from {contrast.second}"
    legend = "Full colour: its views have more of the concept than the average view. Pale: less."
    texts = (
        _text(16, 32, title, "heading")
        + _text(16, 58, note, "small")
        + _text(COLUMNS[0] + BAR, TOP, "categories", "small end")
        + _text(COLUMNS[1], TOP, "concepts", "small")
        + _text(COLUMNS[2], TOP, "places", "small")
        + _text(16, height - 36, "Width: what a concept adds on average, log-odds.", "small")
        + _text(16, height - 14, legend, "small")
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-labelledby="title description" viewBox="0 0 {WIDTH:g} {height:.1f}">'
        f'<title id="title">{escape(title)}</title>'
        f'<desc id="description">{escape(_description(contrast))}</desc>'
        f"<style>{STYLE}</style>{body}{texts}</svg>"
    )


def _description(contrast: Contrast) -> str:
    """The diagram in words."""
    return " ".join(
        f"For {name} speak most: {contrast.words(which, DESCRIBED)}."
        for which, name in enumerate((contrast.first, contrast.second))
    )


def _middle(bar: Bar) -> float:
    return bar.y + bar.height / 2 + 5


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:.1f}">{escape(words)}</text>'
