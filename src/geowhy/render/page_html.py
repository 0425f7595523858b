"""The smallest parts of a page: escaped text, numbers in bars, pictures as addresses."""

from __future__ import annotations

import base64
import io
import re
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geowhy.render.wording import log_odds

__all__ = ["bar_row", "picture_address", "png_address", "text", "unbroken"]

JPEG_QUALITY = 85
UNIT = re.compile(r"(?<=[0-9°]) (?=(?:km|%|[NSEW])(?![0-9A-Za-z]))")


def text(words: str) -> str:
    """Foreign words, safe within an element and within quotes."""
    return escape(words, quote=True)


def unbroken(words: str) -> str:
    """Words, safe as well, with no line ending between a number and its unit."""
    return UNIT.sub("\N{NO-BREAK SPACE}", text(words))


def bar_row(words: str, value: float, most: float, kind: str = "") -> str:
    """A row of a table: words, a bar from zero that is full at ``most``, the log-odds.

    ``words`` are HTML.
    """
    side = "for" if value > 0 else "against"
    width = 50 * abs(value) / most if most else 0.0
    row = f'<tr class="{kind}">' if kind else "<tr>"
    return (
        f'{row}<th scope="row">{words}</th><td class="bars" aria-hidden="true">'
        f'<span class="bar"><i class="{side}" style="width:{width:.1f}%"></i></span></td>'
        f'<td class="number">{log_odds(value)}</td></tr>'
    )


def picture_address(pixels: NDArray[np.uint8], side: int) -> str:
    """A picture ``[H, W, 3]`` or ``[H, W]``, no side longer, in an address of its own.

    Small ones stay as they are, photographs become JPEG: whichever takes less.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    return min(_png(picture), _jpeg(picture), key=len)


def png_address(picture: Image.Image) -> str:
    """A picture without loss in an address of its own."""
    return _png(picture)


def _png(picture: Image.Image) -> str:
    return _address(picture, "png", optimize=True)


def _jpeg(picture: Image.Image) -> str:
    return _address(picture, "jpeg", quality=JPEG_QUALITY, optimize=True)


def _address(picture: Image.Image, kind: str, **options: int) -> str:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
