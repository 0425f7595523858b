"""Concept scores of a tiny trained model: measured where they were held out, and told in full."""

import json
from dataclasses import replace

import numpy as np
import pytest

from geowhy.concepts.grounding import parse_grounding
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ModelFormatError
from geowhy.evaluation.concept_scores import (
    STATE_SHARES,
    ConceptReport,
    ConceptRow,
    StateCorrelation,
    StatePlaces,
    score_concepts,
)
from geowhy.evaluation.estimates import Estimate
from geowhy.geo.atlas import Atlas


@pytest.fixture(scope="module")
def report(trained):
    return score_concepts(str(trained), lambda stage: None)


def test_every_concept_is_measured_on_both_sides(report):
    rows = {row.id: row for row in report.rows}
    assert set(rows) >= {"hot", "warmth", "left"}
    assert rows["hot"].location > 0.8
    assert rows["hot"].untrained > 0.8
    assert rows["hot"].image > 0.6
    assert rows["warmth"].kind == "degree"
    assert rows["warmth"].location > 0.6
    assert np.isnan(rows["warmth"].share)


def test_what_no_view_shows_has_no_image_side(report):
    left = next(row for row in report.rows if row.id == "left")
    assert np.isnan(left.image)
    assert "left" not in [row.id for row in report.unclear()]
    assert len(left.rivals) == len(report.rivals)


def test_means_are_those_of_the_rows(report):
    values = [r.location for r in report.rows if r.kind == "class" and not np.isnan(r.location)]
    assert report.mean_location.value == pytest.approx(np.mean(values))
    assert report.mean_location.low <= report.mean_location.value <= report.mean_location.high


def test_json_holds_every_concept_and_no_nan(report):
    said = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert len(said["rows"]) == len(report.rows)
    assert said["mean_location"]["value"] == report.mean_location.value


def test_another_vocabulary_is_refused(trained, small_vocabulary):
    file = small_vocabulary / "few.toml"
    text = file.read_text()
    file.write_text(text.replace("temperature_mean > 20", "temperature_mean > 21"))
    try:
        with pytest.raises(ModelFormatError, match="train it anew"):
            score_concepts(str(trained), lambda stage: None)
    finally:
        file.write_text(text)


def row(name, **changes):
    plain = ConceptRow(name, name, "letters", "class", True, 0.5, 0.9, 0.8, 0.7, (0.6, 0.55))
    return replace(plain, **changes)


def made_report():
    rows = (row("a"), row("b", location=0.7, image=0.5), row("c", location=np.nan, image=np.nan))
    states = (StateCorrelation("forest", 0.9, 0.4), StateCorrelation("desert", 0.7, 0.6))
    mean = Estimate(0.8, 0.7, 0.9)
    rivals = ("GeoCLIP", "LightGBM")
    return ConceptReport("tiny", "somewhere", rivals, ("d",), rows, mean, mean, states)


def test_the_table_names_the_worst_and_the_unclear():
    report = made_report()
    assert [r.id for r in report.worst("class", 10)] == ["b", "a"]
    table = report.table()
    assert "worst classes on the location side: b 0.700, a 0.900" in table
    assert "below 0.65 on the image side: b 0.500" in table
    assert "[0.700, 0.900]" in table
    assert "mean AUC over 2 of 3 classes" in table
    assert "had it: d" in table


def test_the_table_compares_us_states():
    lines = made_report().table().splitlines()
    assert lines[-3].split() == ["forest", "0.900", "GeoCLIP", "0.400"]
    assert lines[-1].split() == ["mean", "0.800", "GeoCLIP", "0.500"]
    alone = replace(made_report(), rivals=())
    assert "geowhy models get geoclip" in alone.table()
    assert "geowhy[rivals]" in alone.table()
    assert "isn't here" not in made_report().table()


def test_states_are_compared_by_land_cover_alone_for_concepts_that_ship():
    assert len(STATE_SHARES) >= 10
    assert set(STATE_SHARES) <= {concept.id for concept in Vocabulary.load().grounded.concepts}
    for text in STATE_SHARES.values():
        grounding = parse_grounding(text, Atlas.load())
        assert (grounding.kind, grounding.layers) == ("class", ("land_cover",))


def test_states_are_sampled_whole_and_share_out_their_truth():
    atlas = Atlas.load()
    sample = StatePlaces.sample(atlas)
    assert len(sample.names) == 50
    assert np.bincount(sample.state[sample.scored]).max() == 150
    covers = atlas.layer("land_cover")
    forest = np.isin(covers.at(sample.lat_lon), [1, 2, 3, 4, 5]).astype(float)[:, None]
    shares = dict(zip(sample.names, sample.means(forest)[:, 0], strict=True))
    # U.S. Forest Service: Maine and New Hampshire are the most wooded, North Dakota the least.
    assert shares["Maine"] > 0.5
    assert shares["North Dakota"] < 0.05
