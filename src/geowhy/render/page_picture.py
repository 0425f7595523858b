"""A picture on a page, and where in it the evidence lies: switched by buttons of plain HTML."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geowhy.explanation import EvidenceMap
from geowhy.render.evidence_picture import grey_picture, overlay, scale_end
from geowhy.render.evidence_words import THE_ANSWER, evidence_sentence, method_sentence
from geowhy.render.page_html import picture_address, png_address, text, unbroken
from geowhy.render.wording import log_odds, plainly

__all__ = ["MOST_MAPS", "picture_figure"]

Pixels = NDArray[np.uint8]

PICTURE_SIDE = 640  # pixels: twice what the page shows, for fine screens
GREY_SIDE = 480
MOST_MAPS = 7  # as many as the style sheet can switch


def picture_figure(
    number: int, name: str, caption: str, pixels: Pixels, maps: tuple[EvidenceMap, ...]
) -> str:
    """The picture ``[H, W, 3]``, its caption and name; with its maps, if there are any."""
    height, width = pixels.shape[:2]
    alt = text(caption or plainly(name))
    picture = (
        f'<img src="{picture_address(pixels, PICTURE_SIDE)}" width="{width}" height="{height}" '
        f'alt="{alt}">'
    )
    said = "<br>".join(text(words) for words in (caption, plainly(name)) if words)
    below = f"<figcaption>{said}</figcaption>"
    if not maps:
        return f"<figure>{picture}{below}</figure>"
    views = _views(number, picture, pixels, maps[:MOST_MAPS])
    return f'<figure class="mapped">{views}{below}</figure>'


def _views(number: int, picture: str, pixels: Pixels, maps: tuple[EvidenceMap, ...]) -> str:
    """The picture and each of the maps, of which the style sheet shows the one that is chosen."""
    names = ["picture", *(each.of for each in maps)]
    # The answer comes first: it is what the page is about.
    choices = "".join(
        f'<label><input type="radio" class="pick-{i}" name="view-{number}"{" checked" * (i == 1)}>'
        f"<span>{text(name[:1].upper() + name[1:])}</span></label>"
        for i, name in enumerate(names)
    )
    views = "".join(
        _map_view(f"grey-{number}", i, pixels, each) for i, each in enumerate(maps, start=1)
    )
    return (
        f'{_grey_once(f"grey-{number}", pixels)}<div class="views">'
        f'<div class="view view-0">{picture}</div>{views}</div>'
        f'<fieldset class="switch"><legend>Evidence in the picture</legend>{choices}</fieldset>'
        f'<p class="soft small">{method_sentence(maps[0].method)}</p>'
    )


def _grey_once(name: str, pixels: Pixels) -> str:
    """The grey picture, which all maps of it use."""
    height, width = pixels.shape[:2]
    return (
        f'<svg class="store" width="0" height="0" aria-hidden="true"><defs><image id="{name}" '
        f'href="{picture_address(grey_picture(pixels), GREY_SIDE)}" width="{width}" '
        f'height="{height}" preserveAspectRatio="none"/></defs></svg>'
    )


def _map_view(grey: str, number: int, pixels: Pixels, evidence: EvidenceMap) -> str:
    height, width = pixels.shape[:2]
    sentence = unbroken(evidence_sentence(evidence))
    title = "The answer" if evidence.of == THE_ANSWER else evidence.of
    return (
        f'<div class="view view-{number}"><svg class="evidence" role="img" '
        f'aria-label="Map of the evidence: {text(title)}. {sentence}" '
        f'viewBox="0 0 {width} {height}"><use href="#{grey}"/>'
        f'<image href="{png_address(overlay(evidence.evidence, height, width))}" width="{width}" '
        f'height="{height}" preserveAspectRatio="none"/></svg>'
        f"{_scale(scale_end(evidence.evidence))}"
        f'<p class="small"><strong class="on-paper">{text(title)}: </strong>{sentence}</p></div>'
    )


def _scale(end: float) -> str:
    """What the colours mean, in log-odds."""
    return (
        f'<div class="scale small"><span>{log_odds(-end)}<span class="unseen"> log-odds</span> '
        'against</span><span class="ramp" aria-hidden="true"></span>'
        f'<span>{log_odds(end)}<span class="unseen"> log-odds</span> for</span></div>'
    )
