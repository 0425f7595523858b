"""A small model is asked about the packaged reference, which it finds most pictures on."""

import json
from types import SimpleNamespace

import pytest

from geowhy.errors import ConfigError, DataError
from geowhy.evaluation.orbit.log import AnswerLog
from geowhy.evaluation.orbit.queries import QueryRow
from geowhy.evaluation.orbit.subject import OrbitSubject
from geowhy.evaluation.orbit.worlds import BANDS_KM, WorldPlan, measure_world, report_of

FLAT, STEEP = QueryRow((2_000.0, 2_600.0)), QueryRow((2_000.0, 2_600.0), "up to 45°")


class Plan(WorldPlan):
    """Of pictures as wide as the small model knows them."""

    rows = (FLAT, STEEP)


PLAN = Plan("bmng", queries=2)


def nobody(done, total):
    pass


@pytest.fixture(scope="module")
def measured(tiny_orbit, tmp_path_factory):
    """A report, and the answers that it is of."""
    path = tmp_path_factory.mktemp("worlds") / "answers.jsonl"
    return measure_world(str(tiny_orbit), PLAN, path, nobody), path


def test_the_reference_is_found_to_a_hair(measured):
    report, path = measured
    assert (report.model, report.world, report.look) == ("tiny", "bmng", "plain")
    assert [row.row for row in report.rows] == [FLAT, STEEP]
    flat = report.rows[0].metrics
    assert (flat.pictures, flat.right.value, flat.among_searched.value) == (2, 1.0, 1.0)
    assert flat.position_if_verified.value < 0.005
    assert flat.heading_deg_if_verified.value < 0.5
    stated = [set(said.stated) for said in AnswerLog.load(path).of(FLAT)]
    assert report.rows[0].stated.count == pytest.approx(sum(map(len, stated)) / 2)
    assert report.rows[0].stated.most_frequent.value > 0.5


def test_answers_tell_all_numbers_without_the_model(measured):
    report, path = measured
    assert report_of(AnswerLog.load(path)).to_json() == report.to_json()
    assert json.loads(report.to_json())["rows"][0]["metrics"]["right"]["value"] == 1.0


def test_the_table_has_a_column_a_row(measured):
    lines = measured[0].table().splitlines()
    assert lines[5].split() == ["2,000–2,600", "km"] * 2
    assert lines[6].split() == ["tilt", "slight", "up", "to", "45°"]
    right = next(line for line in lines if line.startswith("right,"))
    assert right.split()[2:5] == ["100", "[100,", "100]"]
    assert lines[-1].startswith("  the most frequent that hold")


def test_who_stops_goes_on_behind_the_last_answer(tiny_orbit, measured, tmp_path):
    def stop(done, total):
        told.append((done, total))
        if done:
            raise KeyboardInterrupt

    path, told = tmp_path / "answers.jsonl", []
    with pytest.raises(KeyboardInterrupt):
        measure_world(str(tiny_orbit), PLAN, path, stop)
    assert told == [(0, 4), (2, 4)]
    assert AnswerLog.load(path).rows == (FLAT,)
    found = measure_world(str(tiny_orbit), PLAN, path, lambda done, total: told.append(done))
    assert told[2:] == [2]
    assert found.to_json() == measured[0].to_json()


def test_rows_of_a_plan():
    steep = QueryRow((150.0, 2_500.0), "up to 45°")
    assert WorldPlan("bmng").rows == (*map(QueryRow, BANDS_KM), steep)
    assert WorldPlan("bmng", steep=True).rows == (steep,)
    assert WorldPlan("bmng", widths_km=FLAT.widths_km).rows == (FLAT,)
    assert WorldPlan("bmng", widths_km=FLAT.widths_km, steep=True).rows == (STEEP,)


def test_another_kind_of_model_is_refused():
    with pytest.raises(ConfigError, match="cats: doesn't say how pictures lie"):
        OrbitSubject(SimpleNamespace(model=SimpleNamespace(name="cats")))


def test_an_unknown_world_is_named(tiny_orbit):
    with pytest.raises(DataError, match="no world called mars"):
        measure_world(str(tiny_orbit), WorldPlan("mars"), None, nobody)
