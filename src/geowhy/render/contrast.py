"""What tells two places apart, as a page of bars to either side."""

from __future__ import annotations

from geowhy.errors import DataError
from geowhy.evaluation.contrast import Contrast
from geowhy.render.page import templates
from geowhy.render.report import STYLES
from geowhy.render.world_map import map_style

__all__ = ["SHOWN_CONCEPTS", "contrast_page"]

SHOWN_CONCEPTS = 16


def contrast_page(contrast: Contrast, note: str = "") -> str:
    """A page that needs no network and no script; the rows of either side add up to its margin.

    Raises:
        DataError: if no concept tells the places apart.
    """
    shown, others = contrast.pulls[:SHOWN_CONCEPTS], contrast.pulls[SHOWN_CONCEPTS:]
    widest = [abs(x) for pull in shown for x in (pull.first, pull.second)]
    if not any(widest):
        raise DataError(
            f"no concept tells {contrast.first} from {contrast.second}: choose other places"
        )
    rest = sum(pull.first for pull in others), sum(pull.second for pull in others)
    return (
        templates()
        .get_template("contrast.html")
        .render(
            contrast=contrast,
            note=note,
            shown=shown,
            others=len(others),
            rest=rest,
            most=max(*widest, *map(abs, rest), abs(contrast.bias)),
            style=map_style(":root") + STYLES.read_text(encoding="utf-8"),
        )
    )
