"""What a user knows of how a picture lies, as values."""

import math

import pytest

from geowhy.errors import ConfigError
from geowhy.hints import HeadingRange, WidthRange


@pytest.mark.parametrize(("low", "high"), [(0, 5), (6, 5), (1, math.inf), (math.nan, 4)])
def test_widths_in_no_order_are_refused(low, high):
    with pytest.raises(ConfigError, match="the smaller one first"):
        WidthRange(low, high)


@pytest.mark.parametrize(("middle", "tolerance"), [(math.inf, 5), (0, -1), (0, 181)])
def test_headings_that_are_none_are_refused(middle, tolerance):
    with pytest.raises(ConfigError, match="clockwise from north"):
        HeadingRange(middle, tolerance)
