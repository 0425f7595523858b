"""What tells two places apart on a page: rows add up, and it needs nothing else."""

import json
import re

import numpy as np
import pytest

from geowhy.errors import DataError
from geowhy.evaluation.rule_report import Contrast
from geowhy.render.report import SHOWN_PULLS, contrast_page
from geowhy.render.wording import MINUS

COUNT = 40


def contrast(count=COUNT, places=("A <land> & more", "B"), seed=0):
    rng = np.random.default_rng(seed)
    weights, means = rng.normal(size=(2, count)), rng.normal(size=(2, count))
    concepts = tuple((f"concept {n}", f"category {n % 5}") for n in range(count))
    return Contrast.of(places, concepts, tuple(weights), tuple(means), 0.25), weights, means


def test_margins_are_those_of_the_rules():
    made, weights, means = contrast()
    difference = weights[0] - weights[1]
    first, second = made.margins
    assert first == pytest.approx(difference @ means[0] + 0.25)
    assert second == pytest.approx(-difference @ means[1] - 0.25)


@pytest.mark.parametrize("count", [3, SHOWN_PULLS, COUNT])
def test_the_rows_add_up_to_the_margins(count):
    made, _, _ = contrast(count)
    body, foot = contrast_page(made).split("<tfoot>")
    numbers = [
        float(each.replace(MINUS, "-"))
        for part in (body, foot)
        for each in re.findall(r'<td class="number">([^<]*)</td>', part)
    ]
    rows, total = np.reshape(numbers[:-2], (-1, 2)), numbers[-2:]
    assert len(rows) == min(count, SHOWN_PULLS) + (count > SHOWN_PULLS) + 1
    assert rows.sum(axis=0) == pytest.approx(total, abs=0.01 * len(rows))
    assert total == pytest.approx(made.margins[::-1], abs=0.01)


def test_it_needs_nothing_else_and_escapes_names():
    made, _, _ = contrast()
    page = contrast_page(made, "by <someone>")
    assert "<title>What tells A &lt;land&gt; &amp; more from B</title>" in page
    assert "by &lt;someone&gt;" in page
    assert "<script" not in page
    assert not re.search(r"(href|src=|url\(|@import)", page)


def test_bars_are_in_proportion_to_what_speaks_for_a_place():
    made, _, _ = contrast(3)
    widths = [float(w) for w in re.findall(r'style="width:([0-9.]+)%"', contrast_page(made))]
    speaking = [x for p in made.pulls for x in (p.second, p.first) if x > 0] + [0.25]
    assert np.array(widths) / widths[0] == pytest.approx(np.array(speaking) / speaking[0], rel=0.02)
    assert max(widths) <= 50


def test_what_a_place_lacks_is_said():
    made = Contrast.of(
        ("A", "B"),
        (("desert", "land cover"),),
        (np.array([-1.0]), np.array([1.0])),
        (np.array([-0.5]), np.array([2.0])),
        0.0,
    )
    assert made.words(0, 1) == "less desert +1.00"
    assert made.words(1, 1) == "desert +4.00"
    assert json.loads(made.to_json())["margins"] == [1.0, 4.0]


def test_nothing_to_tell_apart_is_an_error():
    with pytest.raises(DataError, match="two places"):
        contrast(places=("A", "A"))
    same = np.ones(3)
    made = Contrast.of(("A", "B"), (("x", "y"),) * 3, (same, same), (same, same), 0.0)
    with pytest.raises(DataError, match="choose other places"):
        contrast_page(made)
