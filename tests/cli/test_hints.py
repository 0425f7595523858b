"""Widths and headings as people write them."""

import pytest
import typer

from geowhy.cli.hints import heading_range, width_range
from geowhy.hints import HeadingRange, WidthRange


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("400", WidthRange(320, 500)),
        ("300-600", WidthRange(300, 600)),
        (" 300 – 600 km", WidthRange(300, 600)),
        ("12.5-12.5", WidthRange(12.5, 12.5)),
    ],
)
def test_widths(word, found):
    assert width_range(word) == found


@pytest.mark.parametrize("word", ["", "wide", "0", "600-300", "-5", "3-", "1e3"])
def test_no_widths(word):
    with pytest.raises(typer.BadParameter, match="km"):
        width_range(word)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("30", HeadingRange(30, 15)),
        ("-30", HeadingRange(-30, 15)),
        ("30±10", HeadingRange(30, 10)),
        ("30° ± 10°", HeadingRange(30, 10)),
        ("30+-10.5", HeadingRange(30, 10.5)),
        ("350+/-0", HeadingRange(350, 0)),
    ],
)
def test_headings(word, found):
    assert heading_range(word) == found


@pytest.mark.parametrize("word", ["", "north", "30±", "30±200", "±5"])
def test_no_headings(word):
    with pytest.raises(typer.BadParameter, match="degrees"):
        heading_range(word)
