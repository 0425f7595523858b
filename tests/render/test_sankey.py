"""The Sankey diagram: widths add up, nothing is drawn twice, and it reads without eyes."""

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from geowhy.errors import DataError
from geowhy.evaluation.contrast import Contrast
from geowhy.render.sankey import SHOWN_CONCEPTS, bands_of, sankey

SVG = "{http://www.w3.org/2000/svg}"
COUNT = 40


def contrast(count=COUNT, places=("A <land> & more", "B"), seed=0):
    rng = np.random.default_rng(seed)
    weights, means = rng.normal(size=(2, count)), rng.normal(size=(2, count))
    concepts = tuple((f"concept {n}", f"category {n % 5}") for n in range(count))
    return Contrast.of(places, concepts, tuple(weights), tuple(means), 0.25), weights, means


def sums(bands, end):
    found = {}
    for band in bands:
        found[getattr(band, end)] = found.get(getattr(band, end), 0.0) + band.width
    return found


def test_margins_are_those_of_the_rules():
    made, weights, means = contrast()
    difference = weights[0] - weights[1]
    first, second = made.margins
    assert first == pytest.approx(difference @ means[0] + 0.25)
    assert second == pytest.approx(-difference @ means[1] - 0.25)


@pytest.mark.parametrize("count", [3, SHOWN_CONCEPTS, COUNT])
def test_what_flows_into_a_concept_flows_out_of_it(count):
    made, weights, means = contrast(count)
    left, right = bands_of(made)
    assert sums(left, "end") == pytest.approx(sums(right, "start"))
    difference = weights[0] - weights[1]
    for place, values in ((made.first, difference * means[0]), ("B", -difference * means[1])):
        assert sums(right, "end")[place] == pytest.approx(values[values > 0].sum())
    assert len(sums(left, "end")) <= SHOWN_CONCEPTS + 1
    categories = sums(left, "start")
    for number in range(min(5, count)):
        own = [p.width for p in made.pulls if p.category == f"category {number}"]
        assert categories.get(f"category {number}", 0.0) == pytest.approx(sum(own))


def test_it_is_well_formed_and_needs_nothing_else():
    made, _, _ = contrast()
    text = sankey(made, "by <someone>")
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "What tells A <land> & more from B"
    assert made.words(0, 3) in root.find(f"{SVG}desc").text
    assert root.find(f"{SVG}script") is None
    assert not re.search(r"(href|src|url\(|@import)", text)
    assert "prefers-color-scheme:dark" in text
    said = "".join(each.text for each in root.findall(f"{SVG}text"))
    assert "by <someone>" in said


def test_heights_are_in_proportion_to_widths():
    made, _, _ = contrast()
    root = ElementTree.fromstring(sankey(made))
    heights = {r.get("class"): float(r.get("height")) for r in root.findall(f"{SVG}rect")}
    totals = sums(bands_of(made)[1], "end")
    ratio = heights["first"] / heights["second"]
    assert ratio == pytest.approx(totals[made.first] / totals["B"], rel=1e-2)


def test_names_do_not_overlap_and_stay_inside():
    made, _, _ = contrast()
    root = ElementTree.fromstring(sankey(made))
    height = float(root.get("viewBox").split()[3])
    by_column = {}
    for text in root.findall(f"{SVG}text"):
        by_column.setdefault(text.get("x"), []).append(float(text.get("y")))
    for ys in by_column.values():
        assert np.diff(sorted(ys)).min(initial=99) >= 15
        assert max(ys) < height


def test_what_a_place_lacks_is_said_and_pale():
    made = Contrast.of(
        ("A", "B"),
        (("desert", "land cover"),),
        (np.array([-1.0]), np.array([1.0])),
        (np.array([-0.5]), np.array([2.0])),
        0.0,
    )
    assert made.words(0, 1) == "less desert +1.00"
    assert made.words(1, 1) == "desert +4.00"
    assert [band.kind for band in bands_of(made)[1]] == ["first less", "second"]
    assert 'class="band first less"' in sankey(made)
    assert json.loads(made.to_json())["margins"] == [1.0, 4.0]


def test_nothing_to_tell_apart_is_an_error():
    with pytest.raises(DataError, match="two places"):
        contrast(places=("A", "A"))
    same = np.ones(3)
    made = Contrast.of(("A", "B"), (("x", "y"),) * 3, (same, same), (same, same), 0.0)
    with pytest.raises(DataError, match="choose other places"):
        sankey(made)


def test_bands_are_stacked_at_both_of_their_bars_and_none_lies_on_another():
    made, _, _ = contrast()
    left, right = bands_of(made)
    root = ElementTree.fromstring(sankey(made))
    paths = [path.get("d") for path in root.findall(f"{SVG}path")]
    shape = re.compile(r"M[\d.]+ ([\d.]+)C.* [\d.]+ ([\d.]+)v([\d.]+)C")
    drawn = [[float(number) for number in shape.match(path).groups()] for path in paths]
    for side in (range(len(left)), range(len(left), len(paths))):
        bands = [*left, *right]
        for which, end in enumerate(("start", "end")):
            stacks = {}
            for number in side:
                top, height = drawn[number][which], drawn[number][2]
                stacks.setdefault(getattr(bands[number], end), []).append((top, top + height))
            assert max(map(len, stacks.values())) > 1
            for stack in stacks.values():
                for above, below in pairwise(stack):
                    assert below[0] == pytest.approx(above[1], abs=0.5)
