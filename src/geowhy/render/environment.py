"""The templates of pages, and pictures inside of pages. Templates escape every value."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from PIL import Image

from geowhy.arrays import Pixels
from geowhy.render import evidence, wording, world_map

__all__ = ["STYLES", "digest_of", "picture_address", "templates"]

STYLES = Path(__file__).with_name("report.css")
UNIT = re.compile(r"(?<=[0-9°]) (?=(?:km|%|[NSEW])(?![0-9A-Za-z]))")
BETWEEN_TAGS = re.compile(r"(?<=[>}])\n\s*|\n\s*(?=[<{])")
QUALITY = 85
MOST_LOSSLESS = 640**2  # pixels


class _Joined(Extension):
    """Leaves out line ends beside a tag, where a space would show; elsewhere they are spaces."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return BETWEEN_TAGS.sub("", source).replace("\n", " ")


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates of pages and their parts, with all words, maps and pictures as calls."""
    made = Environment(
        loader=PackageLoader("geowhy.render"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_Joined],
    )
    for module in (wording, world_map, evidence):
        made.globals.update({name: getattr(module, name) for name in module.__all__})
    for words in (
        wording.coordinates,
        wording.direction,
        wording.kilometres,
        wording.log_odds,
        wording.percent,
    ):
        made.filters[words.__name__] = words
    made.filters.update(
        plainly=wording.plainly,
        unbroken=partial(UNIT.sub, "\N{NO-BREAK SPACE}"),  # number and unit on one line
        capital=lambda words: words[:1].upper() + words[1:],
    )
    made.globals.update(
        style=STYLES.read_text(encoding="utf-8"),
        most_maps=7,  # as many as the style sheet can switch
        shown_concepts=6,  # on either side
        same_place_km=wording.SAME_PLACE_KM,
        picture_address=picture_address,
        address=_address,
    )
    return made


def digest_of(script: str) -> str:
    """What a page's policy calls the only script that may run: its SHA-256 in base 64."""
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()


def picture_address(pixels: Pixels, side: int) -> str:
    """A picture ``[H, W, 3 or 4]`` or ``[H, W]``, no side longer, in an address of its own.

    Small ones stay as they are, photographs become JPEG: whichever takes less. With transparent
    parts WebP takes the place of JPEG. Large ones aren't tried as PNG, which would take seconds.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    lossy = _address(picture, "webp" if picture.mode == "RGBA" else "jpeg")
    if picture.width * picture.height > MOST_LOSSLESS:
        return lossy
    return min(_address(picture, "png"), lossy, key=len)


def _address(picture: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    picture.save(file, kind, quality=QUALITY, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
