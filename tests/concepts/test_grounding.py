"""Groundings say of a place what the atlas says, and refuse what isn't in their grammar."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.concepts.grounding import LONGEST, LayerValues, parse_grounding
from geowhy.errors import GroundingError
from geowhy.geo.atlas import Atlas, uniform_on_land

ATLAS = Atlas.load()
SAHARA, LONDON, LHASA, OCEAN = (23.5, 5.0), (51.5, -0.3), (29.65, 91.1), (0.0, -30.0)


def at(text, *places):
    return parse_grounding(text, ATLAS).at(LayerValues(ATLAS, places)).tolist()


@pytest.mark.parametrize(
    ("text", "sahara", "london", "lhasa"),
    [
        ("elevation < 1000", 1, 1, 0),
        ("elevation >= 1000", 0, 0, 1),
        ("100 < precipitation <= 900", 0, 1, 1),
        ("koppen_5 == 'C temperate'", 0, 1, 0),
        ("koppen_5 != 'C temperate'", 1, 0, 1),
        ("koppen_30 in ['Cfb', 'BWh']", 1, 1, 0),
        ("koppen_30 not in ['Cfb', 'BWh']", 0, 0, 1),
        ("country == 'CN' or country == 'GB'", 0, 1, 1),
        ("elevation > 1000 and not country == 'GB'", 0, 0, 1),
        ("land", 1, 1, 1),
        ("land and elevation > 1000", 0, 0, 1),
        ("abs(latitude) > 50 and longitude < 0", 0, 1, 0),
        ("max(elevation, 2000) > 2000", 0, 0, 1),
        ("(elevation + 1000) * 2 / 4 - 500 > 1000", 0, 0, 1),
        ("-elevation > -1000", 1, 1, 0),
    ],
)
def test_classes(text, sahara, london, lhasa):
    assert parse_grounding(text, ATLAS).kind == "class"
    assert at(text, SAHARA, LONDON, LHASA) == [sahara, london, lhasa]


def test_degrees_are_numbers_of_the_layers():
    grounding = parse_grounding("log(1 + relief) - sqrt(abs(elevation)) / 2", ATLAS)
    assert grounding.kind == "degree"
    assert grounding.layers == ("elevation", "relief")
    relief, elevation = (ATLAS.layer(n).at([LHASA])[0] for n in ("relief", "elevation"))
    expected = np.log(1 + relief) - np.sqrt(elevation) / 2
    assert at(grounding.text, LHASA) == pytest.approx([expected], rel=1e-5)


def test_where_the_atlas_is_silent_so_is_the_expression():
    assert np.isnan(at("elevation < 100", OCEAN)).all()
    assert np.isnan(at("koppen_30 in ['Af']", OCEAN)).all()
    assert np.isnan(at("not elevation < 100", OCEAN)).all()
    assert np.isnan(at("log(elevation - elevation)", LHASA)).all()


def test_what_decides_makes_up_for_the_unknown():
    assert at("elevation < 100 and latitude > 50", OCEAN) == [0]
    assert at("elevation < 100 or latitude < 50", OCEAN) == [1]
    assert np.isnan(at("elevation < 100 and latitude < 50", OCEAN)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("elevatoin < 3", "character 1: elevatoin is unknown.*elevation"),
        ("koppen_5 == 'Arid'", r"character 13: 'Arid' is no class of koppen_5: .*B arid"),
        ("koppen_5 < 3", "koppen_5 has no numbers"),
        ("elevation == 3", "elevation is continuous"),
        ("elevation in [1, 2]", "elevation is continuous"),
        ("koppen_5 in 'B arid'", r"write koppen_5 in \["),
        ("koppen_5 == ['B arid']", "write koppen_5 =="),
        ("koppen_5 in []", r"write koppen_5 in \["),
        ("koppen_5 == 2", "isn't a label in quotes"),
        ("elevation < ", "isn't an expression"),
        ("elevation < 3; 4", "isn't an expression"),
        ("elevation and land", "is continuous, not true or false"),
        ("log(elevation, 2)", "log takes 1 numbers, not 2"),
        ("sin(elevation)", "isn't a number"),
        ("elevation ** 2", "isn't a number"),
        ("elevation is 3", "can't be compared like that"),
        ("'a' < elevation", "isn't a number"),
        ("1 < 2", "reads no layer"),
        ("elevation < 1e100", "beyond every layer"),
        ("elevation < 1" + "0" * 400, "beyond every layer"),
        ("elevation < 1j", "isn't a number"),
        ("", "isn't an expression"),
        ("elevation if land else 3", "isn't a number"),
        ("[elevation for elevation in 'ab']", "isn't a number"),
        ("__import__('os').system('true')", "isn't a number"),
        ("elevation.__class__", "isn't a number"),
        ("(lambda: 3)()", "isn't a number"),
        ("log(x := 3)", "isn't a number"),
        ("elevation[0]", "isn't a number"),
        ("f'{elevation}'", "isn't a number"),
        ("-" * 600 + "elevation", "characters are too many"),
        ("(" * 240 + "elevation" + ")" * 240, "isn't an expression"),
    ],
)
def test_what_isnt_in_the_grammar_is_refused(text, message):
    with pytest.raises(GroundingError, match=message):
        parse_grounding(text, ATLAS)


def test_the_deepest_expression_is_still_evaluated():
    text = "-" * (LONGEST - len("elevation")) + "elevation"
    elevation = float(ATLAS.layer("elevation").at([LHASA])[0])
    assert abs(at(text, LHASA)[0]) == elevation


@given(st.text(alphabet="abcdelvation<>=!'\"()[],.+-*/ 0123456789_\n\0é", max_size=60))
def test_any_text_is_an_expression_or_a_clear_error(text):
    with suppress(GroundingError):
        assert parse_grounding(text, ATLAS).layers


@given(st.integers(0, 2**32 - 1))
def test_an_expression_and_its_negation_are_opposite(seed):
    places = uniform_on_land(ATLAS, 50, np.random.default_rng(seed))
    values = LayerValues(ATLAS, places)
    one = parse_grounding("elevation < 300 and koppen_5 != 'B arid'", ATLAS).at(values)
    other = parse_grounding("elevation >= 300 or koppen_5 == 'B arid'", ATLAS).at(values)
    np.testing.assert_array_equal(one, 1 - other)
