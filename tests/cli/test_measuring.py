"""What ``geowhy evaluate`` measures, and which options go together."""

from collections import namedtuple
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest

from geowhy.cli.measuring import OPTIONS, TAKES, Wanted
from geowhy.evaluation.orbit.log import AnswerLog, Asked

REPORT = SimpleNamespace(table=lambda: "a table", to_json=lambda: "{}")


@pytest.fixture
def asked(put_module):
    """Fakes of the measurements; gives what they were asked."""
    calls = []

    Plan = namedtuple("Plan", "world look widths_km steep queries seed")

    def measure_world(model, plan, path, show):
        calls.append((model, tuple(plan), path))
        if path and path.name == "stop.jsonl":
            raise KeyboardInterrupt
        return REPORT

    def measure_pictures(model, folder, show):
        calls.append((model, folder))
        return REPORT

    put_module(
        "geowhy.evaluation.orbit.worlds", WorldPlan=Plan, measure_world=measure_world,
        report_of=lambda log: calls.append(log.asked.world) or REPORT,
    )  # fmt: skip

    def measure_negatives(model, world, count, seed, show):
        calls.append((model, world, count, seed))
        return REPORT

    def predictions_of_photos(model, folder, benchmark, listed, of_model, show):
        calls.append((model, folder, benchmark, listed, of_model))
        return SimpleNamespace(report=lambda missing: calls.append(missing) or REPORT)

    put_module("geowhy.evaluation.photo_protocol", predictions_of_photos=predictions_of_photos)
    put_module("geowhy.evaluation.orbit.negatives", measure_negatives=measure_negatives)
    put_module("geowhy.evaluation.orbit.pictures", measure_pictures=measure_pictures)
    return calls


def test_a_world(geowhy, asked):
    said = geowhy("evaluate", "orbit", "--world", "marble")
    assert (said.exit_code, said.stdout) == (0, "a table\n")
    words = ("--hard", "--widths", "300-600", "--steep", "--queries", "20", "--seed", "3", "--json")
    assert geowhy("evaluate", "orbit", "--world", "bmng", *words).stdout == "{}\n"
    assert asked == [
        ("orbit", ("marble", "plain", None, False, 2_000, 0), None),
        ("orbit", ("bmng", "hard", (300.0, 600.0), True, 20, 3), None),
    ]


def test_who_stops_is_told_how_to_go_on(geowhy, asked, tmp_path):
    file = tmp_path / "stop.jsonl"
    said = geowhy("evaluate", "orbit", "--world", "marble", "--predictions", file)
    assert said.exit_code == 130
    assert f"goes on behind what {file} has" in said.stderr
    assert "goes on" not in geowhy("evaluate", "orbit", "--world", "marble").stderr


def test_pictures(geowhy, asked):
    assert geowhy("evaluate", "orbit", "--pictures", "there").stdout == "a table\n"
    assert asked == [("orbit", Path("there"))]


def test_photos(geowhy, asked):
    assert geowhy("evaluate", "geoclip", "--photos", "album").stdout == "a table\n"
    words = ("--benchmark", "im2gps3k", "--list", "a.csv", "--missing", "left-out")
    assert geowhy("evaluate", "geoclip", "--photos", "there", *words, "--crops", "10").stdout
    assert asked == [
        ("geoclip", Path("album"), "own", None, {}),
        "wrong",
        ("geoclip", Path("there"), "im2gps3k", Path("a.csv"), {"crops": 10}),
        "left-out",
    ]


def test_answers_to_a_world_are_not_compared(geowhy, asked, tmp_path):
    file = tmp_path / "answers.jsonl"
    AnswerLog.begin(Asked("tiny", "d", "marble", "plain", 0, ()), file)
    for word in (("--against", file), ("--missing", "wrong")):
        said = geowhy("evaluate", "--from", file, *word)
        assert said.exit_code == 1
        assert "are for tables of predictions" in said.stderr


def test_pictures_of_no_place(geowhy, asked):
    words = ("--negatives", "bmng", "--queries", "40")
    assert geowhy("evaluate", "orbit", *words, "--seed", "2").stdout == "a table\n"
    assert geowhy("evaluate", "orbit", "--negatives", "bmng").stdout == "a table\n"
    assert asked == [("orbit", "bmng", 40, 2), ("orbit", "bmng", 2_000, 0)]


def test_answers_are_measured_again(geowhy, asked, tmp_path):
    file = tmp_path / "answers.jsonl"
    AnswerLog.begin(Asked("tiny", "d", "marble", "plain", 0, ()), file)
    assert geowhy("evaluate", "--from", file).stdout == "a table\n"
    assert asked == ["marble"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--world", "bmng", "--pictures", "there"], "measure different things"),
        (["--world", "bmng", "--faithfulness"], "measure different things"),
        (["--world", "bmng", "--split", "test"], "--split goes with held-out views"),
        (["--pictures", "there", "--queries", "4"], "--queries goes with --world"),
        (["--pictures", "there", "--predictions", "a"], "leave --predictions out"),
        (["--negatives", "bmng", "--hard"], "--hard goes with --world"),
        (["--hard"], "--hard goes with --world"),
        (["--seed", "0"], "--seed goes with --faithfulness or --world"),
        (["--crops", "10"], "--crops goes with --photos"),
        (["--benchmark", "im2gps"], "--benchmark goes with --photos"),
        (["--against", "a.parquet"], "--against goes with --from"),
        (["--photos", "there", "--split", "test"], "leave --split out"),
        (["--widths", "300-600"], "--widths goes with --world"),
        (["--world", "bmng", "--predictions", "nowhere/a"], "no folder nowhere"),
    ],
)
def test_what_does_not_go_together(geowhy, asked, words, said):
    result = geowhy("evaluate", "orbit", *words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert asked == []


@pytest.mark.parametrize("word", ["600", "600-300", "0-300", "300-9000", "a-b", "300-600-900"])
def test_no_range_of_widths(geowhy, asked, word):
    result = geowhy("evaluate", "orbit", "--world", "bmng", "--widths", word)
    assert result.exit_code == 2
    assert "no range of widths" in result.stderr


def test_every_option_is_of_some_measurement():
    beside = {name for takes in TAKES.values() for name in takes}
    assert beside == OPTIONS.keys() - TAKES.keys()
    assert {field.name for field in fields(Wanted)} == {"model", "of_model", *OPTIONS.values()}
