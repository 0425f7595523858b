"""Colours of the page: readable by everyone, light and dark (WCAG 2.2, level AA)."""

import re

import pytest

from geowhy.render.environment import STYLES
from geowhy.render.world_map import CLASS_LIMITS

TEXT, SHAPE = 4.5, 3.0
PAIRS = [
    ("text", "paper", TEXT),
    ("text", "card", TEXT),
    ("text", "note", TEXT),
    ("text", "chip", TEXT),
    ("soft", "paper", TEXT),
    ("soft", "card", TEXT),
    ("for", "paper", TEXT),  # links
    ("for", "card", SHAPE),
    ("against", "card", SHAPE),
    ("on-for", "for", TEXT),
    ("edge", "card", SHAPE),  # what shows that there is a button
    ("halo", "answer", TEXT),  # the number on the answer
    ("ink", "page", TEXT),  # numbers of the other places
    ("answer", "land", SHAPE),
    ("answer", "sea", SHAPE),
    ("ink", "land", SHAPE),
    ("rival", "land", SHAPE),
    ("rival", "sea", SHAPE),
]


def colours(dark):
    """All variables; the dark ones come over the light ones."""
    css = STYLES.read_text(encoding="utf-8")
    light, _, rest = css.partition("@media screen and (prefers-color-scheme")
    return variables(light) | (variables(rest.split("}\n}")[0]) if dark else {})


def variables(css):
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6})\b", css))


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula():
    assert contrast("#000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(front, back, least, dark):
    found = colours(dark)
    assert contrast(found[front], found[back]) >= least


def test_each_class_of_the_density_has_a_colour():
    named = {f"d{number}" for number in range(len(CLASS_LIMITS))}
    assert {name for name in colours(False) if re.fullmatch(r"d\d", name)} == named
    assert set(re.findall(r"^\.(d\d) ", STYLES.read_text(encoding="utf-8"), re.MULTILINE)) == named


def test_dark_colours_are_others():
    light, dark = colours(False), colours(True)
    assert light.keys() == dark.keys()
    assert all(light[name] != dark[name] for name in light)
