"""A page that lays one picture over the map, with a slider between the two; it needs no network."""

from __future__ import annotations

from pathlib import Path

from geowhy.answer import Prediction
from geowhy.overlay.laid import MOST_PIXELS, LaidPicture
from geowhy.render.environment import digest_of, templates
from geowhy.render.overlay_map import SIDE, OverlayMap

__all__ = ["overlay_page"]

SCRIPT = Path(__file__).with_name("overlay.js")


def overlay_page(prediction: Prediction, laid: LaidPicture) -> str:
    """The page for an answer and its picture as it lies on the ground."""
    script = SCRIPT.read_text(encoding="utf-8")
    page, ground = templates().get_template("overlay.html"), laid.ground(laid.corners)
    drawn = OverlayMap(laid.shrunk(MOST_PIXELS).levelled())
    whole = page.render(
        prediction=prediction,
        map=drawn,
        corners=ground.tolist(),
        outline=drawn.on_map(ground).tolist(),
        side=SIDE,
        most=MOST_PIXELS,
        script=script,
        digest=digest_of(script),
    )
    return f"{whole}\n"
