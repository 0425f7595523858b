"""``train``, ``evaluate``, ``models`` and ``demo`` hand over what they were given."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from geowhy.cli.demo import demo_pictures
from geowhy.errors import DataError
from geowhy.images.reading import read_image


def test_train(geowhy, put_module):
    calls = []

    def train(*arguments):
        calls.append(arguments)
        return Path("runs/a")

    put_module("geowhy.training.kinds", train=train)
    result = geowhy("train", "a.toml", "--output", "runs/a", "--device", "cuda", "--resume")
    assert result.exit_code == 0
    assert calls == [(Path("a.toml"), Path("runs/a"), "cuda", True)]
    assert "runs/a" in result.stdout


def test_train_interrupted_says_how_to_go_on(geowhy, put_module):
    def train(*_):
        raise KeyboardInterrupt

    put_module("geowhy.training.kinds", train=train)
    result = geowhy("train", "a.toml")
    assert result.exit_code == 130
    assert "--resume" in result.stderr


def test_train_without_torch_names_the_extra(geowhy, monkeypatch):
    import builtins

    real = builtins.__import__

    def without_torch(name, *arguments, **options):
        if name == "geowhy.training.kinds":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    result = geowhy("train", "a.toml")
    assert result.exit_code == 1
    assert "pip install 'geowhy[train]'" in result.stderr


@pytest.mark.parametrize(("flag", "printed"), [([], "a table"), (["--json"], "{}")])
def test_evaluate(geowhy, put_module, flag, printed):
    def predictions_of(model, split):
        assert (model, split) == ("embedded", "validation")
        return SimpleNamespace(report=lambda missing: report)

    report = SimpleNamespace(table=lambda: "a table", to_json=lambda: "{}")
    put_module("geowhy.evaluation.accuracy", predictions_of=predictions_of, PredictionTable=None)
    result = geowhy("evaluate", "embedded", "--split", "validation", *flag)
    assert result.stdout == f"{printed}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a model"),
        (["embedded", "--from", "a.parquet"], "measures that file"),
        (["embedded", "--predictions", "nowhere/a.parquet"], "no folder nowhere"),
        (["embedded", "--faithfulness", "--predictions", "a.parquet"], "--predictions out"),
        (["--from", "a.parquet"], "isn't a table of predictions"),
    ],
)
def test_evaluate_refuses_what_cannot_be(geowhy, arguments, said):
    result = geowhy("evaluate", *arguments)
    assert result.exit_code == 1
    assert said in result.stderr


def test_models(geowhy, put_module, tmp_path):
    got = []
    asset = SimpleNamespace(
        name="geoclip", description="for photographs", size_mb=36.4, licence="MIT", source="PyPI"
    )

    def install(name, source, on_progress):
        on_progress("unpacking")
        got.append((name, source))
        return Path("cache/geoclip")

    put_module(
        "geowhy.registry",
        EMBEDDED="embedded",
        resolve_model=lambda name: tmp_path,
        ASSETS=(asset,),
        is_installed=lambda name: False,
        install=install,
    )
    (tmp_path / "model.safetensors").write_bytes(bytes(2_000_000))
    listed = geowhy("models", "list").stdout
    assert "2 MB, MIT, part of geowhy; here" in listed
    assert "36 MB, MIT, from PyPI; geowhy models get geoclip" in listed
    result = geowhy("models", "get", "geoclip", "--from", "x.whl")
    assert (result.exit_code, result.stderr) == (0, "unpacking\n")
    assert "cache/geoclip" in result.stdout
    assert got == [("geoclip", Path("x.whl"))]


def test_demo_writes_a_page(geowhy, fake_model, tmp_path):
    page = tmp_path / "demo.html"
    result = geowhy("demo", "--output", page)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("Truth: ") == 8
    assert result.stdout.count("no answer") == 1
    assert page.read_text(encoding="utf-8").count("<article") == 8


def test_demo_says_no_distance_after_an_abstention(geowhy, put_module, fakes, tmp_path):
    class Unsure(fakes.FakeLocator):
        def locate(self, image):
            return fakes.prediction(str(image), abstained=True)

    put_module("geowhy.locator", Locator=Unsure)
    said = geowhy("demo", "--output", tmp_path / "demo.html").stdout
    assert said.count("no answer") == said.count("Truth: ") == 8
    assert " away" not in said


def test_demo_says_when_the_page_cannot_be_written(geowhy, fake_model, tmp_path):
    result = geowhy("demo", "--output", tmp_path)
    assert result.exit_code == 1
    assert "choose another --output" in result.stderr


def test_the_demo_pictures_are_of_orbit_the_moon_and_a_cat():
    pictures = demo_pictures()
    assert [picture.truth is None for picture in pictures] == [False] * 6 + [True] * 2
    for picture in pictures[:6]:
        assert max(read_image(picture.path).pixels.shape) <= 512
        assert 100 < picture.width_km < 2_500
        assert 0 <= picture.heading_deg < 360
    assert [picture.licence for picture in pictures] == ["Public domain"] * 7 + ["CC0"]


def test_the_demo_says_how_wide_its_pictures_are_and_how_turned(geowhy, fake_model, tmp_path):
    said = geowhy("demo", "--output", tmp_path / "demo.html").stdout
    assert "66.09° N, 158.53° W, 2,066 km wide, heading 246°" in said
    assert said.count("Truth: nowhere to be seen from orbit") == 2


@pytest.mark.parametrize("text", ["", "[{}]", json.dumps([{"file": "a", "lat": "north"}])])
def test_a_broken_list_is_an_error(tmp_path, text):
    (tmp_path / "demo.json").write_text(text)
    with pytest.raises(DataError, match="demo pictures"):
        demo_pictures(tmp_path)


def test_faithfulness(geowhy, put_module):
    def measure_fidelity(model, seed, say):
        say("asking")
        return SimpleNamespace(table=lambda: f"{model} {seed}", to_json=lambda: "{}")

    put_module("geowhy.evaluation.fidelity.report", measure_fidelity=measure_fidelity)
    result = geowhy("evaluate", "embedded", "--faithfulness")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "embedded 1\n", "asking\n")
    assert geowhy("evaluate", "m", "--faithfulness", "--seed", "0").stdout == "m 0\n"
    for wrong in (["--seed", "2"], ["--faithfulness", "--split", "validation"]):
        result = geowhy("evaluate", "embedded", *wrong)
        assert result.exit_code == 1
        assert "--faithfulness" in result.stderr
