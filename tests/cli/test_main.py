"""The command as a whole: help without weight, exit statuses, quiet ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"numpy", "torch", "onnxruntime", "PIL", "h3", "rich", "pyarrow"}
HEAVY |= {"matplotlib"}
WRONG = (["nothing"], ["locate"], ["locate", "a", "--top-k", "0"], ["--x"])
VERBS = ([], ["locate"], ["train"], ["evaluate"], ["models"], ["models", "get"], ["demo"])
VERBS += (["concepts"], ["concepts", "list"], ["concepts", "map"])


def run(*arguments, code):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_imports_nothing_heavy(verb):
    code = (
        "import sys\nfrom geowhy.cli.main import main\n"
        "try: status = main()\n"
        "except SystemExit as end: status = end.code\n"
        "print('imported', *{name.partition('.')[0] for name in sys.modules})\n"
        "sys.exit(status)"
    )
    result = run(*verb, "--help", code=code)
    *text, imported = result.stdout.splitlines()
    assert result.returncode == 0, result.stderr
    assert text[0].startswith("Usage: geowhy")
    assert not HEAVY & set(imported.split())


def test_the_module_runs_too():
    result = subprocess.run([sys.executable, "-m", "geowhy", "--version"], capture_output=True)
    assert result.returncode == 0
    assert result.stdout.startswith(b"geowhy 0")


@pytest.mark.parametrize(
    "wrong", [["nothing"], ["locate"], ["locate", "a", "--top-k", "0"], ["--x"]]
)
def test_wrong_usage_is_status_2(geowhy, wrong):
    assert geowhy(*wrong).exit_code == 2


def test_without_a_verb_it_shows_the_overview(geowhy):
    result = geowhy()
    assert result.exit_code == 2
    assert all(
        verb in result.stdout
        for verb in ("locate", "train", "evaluate", "models", "concepts", "demo")
    )


def test_options_may_stand_between_images(geowhy, fake_model, folder):
    result = geowhy("locate", folder / "cat.png", "--json", folder / "b/savanna.PNG")
    assert len(result.stdout.splitlines()) == 2


def test_after_two_dashes_every_word_is_an_image(geowhy, fake_model, folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "cat.png").rename("-dash.png")
    result = geowhy("locate", "--json", "--", "-dash.png", "--what-if.png")
    assert [json.loads(line)["image"] for line in result.stdout.splitlines()] == [
        "-dash.png",
        "--what-if.png",
    ]


@pytest.mark.parametrize("others", [[], ["--json"], ["cat.png"]])
def test_a_file_that_looks_like_an_option_is_told_how_to_be_written(geowhy, fake_model, others):
    result = geowhy("locate", *others, "-dash.png")
    assert result.exit_code == 2
    assert "for the file, write ./-dash.png or -- -dash.png" in result.stderr


def test_help_lists_the_columns_of_a_gallery(geowhy):
    text = " ".join(geowhy("locate", "--help").stdout.split())
    assert "columns lat, latitude or y, and lon, lng, long, longitude or x" in text


def test_our_errors_are_one_line(geowhy, fake_model):
    result = geowhy("locate", "x.png", "--model", "missing")
    assert result.exit_code == 1
    assert result.stderr == "geowhy: missing: there is no such model; see geowhy models list\n"
    assert result.stdout == ""


def test_ctrl_c_is_130_without_a_traceback(geowhy, put_module):
    def interrupted(*_):
        raise KeyboardInterrupt

    put_module("geowhy.evaluation.accuracy", predictions_of=interrupted, PredictionTable=None)
    result = geowhy("evaluate", "embedded")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


def test_a_full_disk_is_one_line(geowhy, put_module):
    def train(*_):
        raise OSError(28, "No space left on device", "runs/a/log.jsonl")

    put_module("geowhy.training.kinds", train=train)
    result = geowhy("train", "a.toml")
    assert result.exit_code == 1
    assert result.stderr.startswith("geowhy: runs/a/log.jsonl: No space left on device; free space")
    assert len(result.stderr.splitlines()) == 1


def test_a_closed_pipe_is_quiet(folder):
    fakes = Path(__file__).with_name("fakes.py")
    images = [str(folder / "cat.png")] * 200
    process = subprocess.Popen(
        [sys.executable, fakes, "locate", "--json", "--explain", *images],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
