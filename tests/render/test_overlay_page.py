"""The page of a laid picture: offline, in words as well, with the picture where it lies."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from geowhy.answer import Candidate
from geowhy.overlay.laid import LaidPicture
from geowhy.render.environment import digest_of
from geowhy.render.overlay_page import SCRIPT, overlay_page
from geowhy.types import LatLon

from ..overlay.paint import PLACES, SHAPE, answer, painted

SVG = {"s": "http://www.w3.org/2000/svg"}


def page(place="level", shape=SHAPE, **changes):
    pose = PLACES[place]
    said = answer(pose, shape, **changes)
    return overlay_page(said, LaidPicture.of(said, painted(pose, shape)))


def drawing(text):
    """The SVG of the page."""
    return ElementTree.fromstring(re.search(r"<svg viewBox.*?</svg>", text, re.DOTALL).group())


def numbers(text):
    return [float(word) for word in re.findall(r"-?[\d.]+(?:e-?\d+)?", text)]


@pytest.mark.parametrize("place", ["level", "pole"])
def test_the_matrix_puts_the_pictures_corners_on_the_outline(place):
    svg = drawing(page(place))
    picture = svg.find(".//*[@id='laid']")
    a, b, c, d, e, f = numbers(picture.get("transform"))
    width, height = SHAPE[1], SHAPE[0]
    assert (picture.get("width"), picture.get("height")) == (str(width), str(height))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    put = corners @ np.array([(a, b), (c, d)]) + [e, f]
    outline = np.reshape(numbers(svg.find(".//polygon").get("points")), (4, 2))
    np.testing.assert_allclose(put, outline, atol=0.06)
    assert ((outline > 0) & (outline < 1000)).all()
    top = np.reshape(numbers(svg.find(".//*[@class='edge top']").get("d")), (2, 2))
    np.testing.assert_allclose(top, outline[:2])


def test_a_tilted_picture_is_transparent_beside_its_outline():
    svg = drawing(page("tilted", shape=(200, 200)))
    address = svg.find(".//*[@id='laid']").get("href")
    kind, _, content = address.partition(";base64,")
    assert kind in ("data:image/webp", "data:image/png")
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        clear = np.asarray(image.convert("RGBA"))[..., 3] == 0
    assert clear[0, 0]
    assert 0.05 < clear.mean() < 0.7


def test_the_page_says_in_words_what_it_shows():
    place = Candidate(LatLon(41.9, 12.5), 0.9, "near Rome, Italy")
    text = re.sub("\N{NO-BREAK SPACE}", " ", page(candidates=(place,)))
    for words in (
        "<h1>Near Rome, Italy</h1>",
        "Laid over the map, the picture agrees with it: verified. The picture is 600 km wide",
        "<dd>41.90° N, 12.50° E</dd>",
        "<dd>600 km</dd>",
        "<dd>north-east (33°)</dd>",
        "Half of such answers are within 5 km",
    ):
        assert words in text
    corners = re.findall(r"<dt>(\w+ \w+)</dt><dd>([\d.]+)° N, ([\d.]+)° E</dd>", text)
    assert [title for title, *_ in corners] == [
        "Top left",
        "Top right",
        "Bottom right",
        "Bottom left",
    ]
    true = [(corner.lat, corner.lon) for corner in PLACES["level"].footprint(SHAPE)]
    found = [(float(lat), float(lon)) for _, lat, lon in corners]
    np.testing.assert_allclose(found, true, atol=6e-5)
    said = drawing(text).get("aria-label")
    assert said.startswith("Map of ")
    assert "a.png laid over it. Laid over the map" in said


def test_it_loads_nothing_and_runs_its_own_script_alone():
    text = page()
    assert not re.findall(r"""(?:src|href)=["'](?!data:image/)""", text)
    assert "url(" not in text
    script = SCRIPT.read_text(encoding="utf-8")
    assert f"script-src 'sha256-{digest_of(script)}'" in text
    assert "default-src 'none'" in text
    assert text.count("<script>") == 1
    assert f"<script>{script}</script>" in text
    assert '<div class="cover" hidden><label for="cover">' in text
    # What the script asks for is there.
    for name in re.findall(r'querySelector\("#(\w+)"\)', script):
        assert f'id="{name}"' in text


def test_names_are_escaped():
    text = page(image="<b>\x1b&.png")
    assert "<b>" not in text
    assert r"&lt;b&gt;\x1b&amp;.png" in text


def test_scale_arrow_and_graticule_have_words():
    words = ["".join(text.itertext()) for text in drawing(page()).iter("text")]
    plain = [word.replace("\N{NO-BREAK SPACE}", " ") for word in words]
    assert "N" in plain
    assert "200 km" in plain
    assert {"42° N", "12° E"} <= set(plain)
