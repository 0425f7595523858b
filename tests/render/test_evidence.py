"""Evidence over a picture: true to its numbers, in colours and in words."""

import numpy as np
import pytest

from geowhy.explanation import EvidenceMap
from geowhy.render.evidence import (
    AGAINST,
    FOR,
    LEVELS,
    OVERLAY_SIDE,
    STRONGEST,
    evidence_sentence,
    grey_picture,
    method_sentence,
    overlay,
    scale_end,
    tinted,
)


def grid(*cells, of="the answer", fields=8):
    values = np.zeros((fields, fields), np.float32)
    for rows, columns, value in cells:
        values[rows, columns] = value
    return EvidenceMap(of, values, "occlusion")


LOW, HIGH, ALL, MIDDLE = slice(0, 4), slice(4, 8), slice(0, 8), slice(2, 6)


@pytest.mark.parametrize(
    ("rows", "columns", "where"),
    [
        (LOW, LOW, "lies mostly in the upper left quarter"),
        (LOW, HIGH, "lies mostly in the upper right quarter"),
        (HIGH, LOW, "lies mostly in the lower left quarter"),
        (HIGH, HIGH, "lies mostly in the lower right quarter"),
        (MIDDLE, MIDDLE, "lies mostly in the middle"),
        (LOW, ALL, "lies mostly in the upper half"),
        (HIGH, ALL, "lies mostly in the lower half"),
        (ALL, LOW, "lies mostly in the left half"),
        (ALL, HIGH, "lies mostly in the right half"),
    ],
)
def test_where_it_lies(rows, columns, where):
    sentence = evidence_sentence(grid((rows, columns, 1.0)))
    assert sentence == f"The evidence for the answer {where} (100 %)."


def test_evenly_spread():
    said = evidence_sentence(grid((ALL, ALL, 0.3), of="savanna"))
    assert said == "What savanna adds is spread over the picture."


def test_both_sides_are_named_if_both_count():
    said = evidence_sentence(grid((LOW, LOW, 1.0), (HIGH, HIGH, -0.5)))
    assert said == (
        "The evidence for the answer lies mostly in the upper left quarter (100 %); "
        "what speaks against it lies mostly in the lower right quarter (100 %)."
    )
    assert "against" not in evidence_sentence(grid((LOW, LOW, 1.0), (HIGH, HIGH, -0.1)))


def test_only_against():
    said = evidence_sentence(grid((LOW, LOW, -1.0), of="coast"))
    assert said == "What it takes away lies mostly in the upper left quarter (100 %)."


def test_nothing_counts():
    assert evidence_sentence(grid()) == "No part of the picture counts."


@pytest.mark.parametrize("fields", [1, 3, 5, 7])
def test_quarters_fit_any_grid(fields):
    values = np.ones((fields, fields), np.float32)
    assert "is spread" in evidence_sentence(EvidenceMap("the answer", values, "patches"))


def test_methods_in_words():
    assert "hidden" in method_sentence("occlusion")
    assert "rather than how much" in method_sentence("patches")


def test_colours_say_the_sign_and_opacity_the_strength():
    evidence = grid((LOW, ALL, 2.0), (HIGH, ALL, -1.0)).evidence
    picture = np.asarray(overlay(evidence, 64, 64).convert("RGBA"))
    assert tuple(picture[0, 0]) == (*FOR, round(255 * STRONGEST))
    assert tuple(picture[-1, -1, :3]) == AGAINST
    assert picture[-1, -1, 3] == pytest.approx(255 * STRONGEST / 2, abs=255 / LEVELS)


def test_the_overlay_has_the_proportions_of_the_picture():
    assert overlay(np.ones((8, 8)), 300, 600).size == (OVERLAY_SIDE, OVERLAY_SIDE // 2)
    assert overlay(np.ones((3, 5)), 1, 1000).size == (OVERLAY_SIDE, 1)


@pytest.mark.parametrize("evidence", [np.zeros((8, 8)), np.full((8, 8), np.nan)])
def test_without_evidence_nothing_is_tinted(evidence):
    pixels = np.full((10, 12, 3), 90, np.uint8)
    assert scale_end(evidence) == 0.0
    assert not np.asarray(overlay(evidence, 10, 12).convert("RGBA"))[..., 3].any()
    assert (tinted(pixels, evidence) == grey_picture(pixels)[..., None]).all()


def test_tinted_pictures_and_overlays_agree():
    pixels = np.full((8, 8, 3), 128, np.uint8)
    one = tinted(pixels, np.full((2, 2), 0.7))
    share, grey = STRONGEST, float(grey_picture(pixels)[0, 0])
    assert one[4, 4] == pytest.approx((1 - share) * grey + share * np.array(FOR), abs=1)
