"""A world map on a page: complete by itself, and movable where scripts run."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from geowhy.render.world_map import MapContent, map_figure, view_of_answer

__all__ = ["map_script", "movable_map", "script_hash"]

SCRIPT = Path(__file__).with_name("report.js")
BUTTONS = (
    ("nearer", "+", "Zoom in"),
    ("farther", "\N{MINUS SIGN}", "Zoom out"),
    ("whole", "Whole Earth", "Whole Earth"),
    ("answer", "Answer", "Answer"),
)


def movable_map(number: int, content: MapContent) -> str:
    """The map with its buttons, which ``map_script`` shows."""
    buttons = "".join(
        f'<button type="button" value="{does}" aria-label="{spoken}">{shown}</button>'
        for does, shown, spoken in BUTTONS
    )
    view = " ".join(f"{value:.1f}" for value in view_of_answer(content))
    return (
        f'<div class="map" data-answer="{view}"><div class="window">{map_figure(content)}</div>'
        f'<div class="controls" hidden>{buttons}<output class="soft small"></output></div>'
        f'<p class="hint soft small" id="hint-{number}" hidden>Drag, pinch or double-tap'
        '<span class="keys">; arrow keys, + and −, 0 for the whole Earth; the wheel once the map '
        "is selected</span>.</p></div>"
    )


@lru_cache(maxsize=1)
def map_script() -> str:
    """What moves the maps of a page."""
    return SCRIPT.read_text(encoding="utf-8")


def script_hash() -> str:
    """What a policy names to allow ``map_script`` and no other script."""
    digest = hashlib.sha256(map_script().encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
