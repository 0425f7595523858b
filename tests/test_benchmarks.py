"""Benchmarks are run by hand and rarely: here each runs on next to nothing, so that none breaks."""

import importlib.util
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import geowhy
from geowhy.images.worlds import reference_world
from geowhy.model.geoclip import convert_geoclip

FOLDER = Path(__file__).parents[1] / "benchmarks"
CAT = Path(geowhy.__file__).parent / "data" / "demo" / "photograph-cat.jpg"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="benchmarks are only in a checkout")


def load(name, folder=FOLDER):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def printed(monkeypatch, capsys):
    """Runs a benchmark with arguments, and gives the lines that it printed."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        load(name).main()
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture(scope="module")
def small_geoclip(tmp_path_factory):
    """A home with the released weights of GeoCLIP, and 200 places in its gallery."""
    home = tmp_path_factory.mktemp("home")
    root = Path(importlib.util.find_spec("geoclip").origin).parent
    with zipfile.ZipFile(home / "geoclip.whl", "w") as archive:
        for folder in ("weights", "gps_gallery"):
            for file in root.rglob(f"{folder}/*.*"):
                archive.write(file, Path("geoclip") / file.relative_to(root))
    (home / "geoclip").mkdir()
    convert_geoclip(home / "geoclip.whl", home / "geoclip")
    file = home / "geoclip" / "gallery.safetensors"
    places = load_file(file)["lat_lon"][:200].copy()
    file.unlink()
    save_file({"lat_lon": places}, file)
    return home


def test_every_benchmark_is_run_here():
    text = Path(__file__).read_text(encoding="utf-8")
    for file in FOLDER.glob("*.py"):
        assert f'("{file.stem}"' in text, f"{file.name} is run by no test"


def test_atlas(printed):
    lines = printed("atlas", "elevation", "--count", 1000)
    assert lines[-1].startswith("slowest")


def test_speed(printed):
    lines = printed("speed", "--runs", 1, "--stream", 6)
    assert len(lines) == 6
    assert "6 images in a stream" in lines[4]


def test_orbit_speed(printed, tiny_orbit):
    lines = printed("orbit_speed", tiny_orbit, "--runs", 1, "--stream", 2)
    assert [line.split()[0] for line in lines] == [
        "model", "cold,", "cold,", "warm,", "slowest", "stream", "peak", "package",
    ]  # fmt: skip
    assert "2 pictures" in lines[5]


TINY_RECIPE = """
kind = "orbit"
[pairs]
worlds = { bmng = 1, marble = 1 }
least_width_km = 1_500
[network]
side = 24
width = 8
blocks = [1, 1]
size = 32
[optimiser]
steps = 2
batch = 8
queue = 0
validate_every = 1
"""


@pytest.fixture
def ablation(monkeypatch):
    """That benchmark, of wide pictures; the reference stands for all worlds."""
    earth = reference_world()
    monkeypatch.setattr("geowhy.images.worlds.open_world", lambda name: earth)
    module = load("orbit_ablation")
    module.WIDTHS_KM, module.WIDE_KM = (2_000.0, 2_500.0), 2_200.0
    return module


@pytest.fixture
def ablated(ablation, monkeypatch, capsys):
    """Runs it with arguments, and gives the cells of each line by its name."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ablation", "--worlds", "xplanet", *map(str, arguments)])
        ablation.main()
        lines = capsys.readouterr().out.splitlines()
        return {line.split()[0]: line.split()[1:] for line in lines if line.strip()}

    return run


def test_parts_of_a_model_are_switched_off(ablated, tiny_orbit, tmp_path):
    def asked(*arguments):
        return ablated(
            "--model", tiny_orbit, "--queries", 10, "--outcomes", tmp_path / "a.jsonl", *arguments
        )

    def plain(right):
        return [flags for column, flags in right.items() if column.startswith("plain")]

    found = asked()
    assert [name for name in found if name in load("orbit_ablation").ANSWERING] == [
        "as-it-is", "no-registration", "no-rings", "neither", "no-polar-heading",
        "12-candidates", "96-candidates",
    ]  # fmt: skip
    lines = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    right = {line["name"]: np.mean(np.concatenate(plain(line["right"]))) for line in lines}
    assert right["as-it-is"] > 0.6
    assert right["no-registration"] < right["as-it-is"] - 0.2
    assert right["no-polar-heading"] < right["as-it-is"] / 2
    assert right["no-rings"] < right["as-it-is"] - 0.2
    assert right["neither"] <= right["no-rings"]
    assert right["96-candidates"] >= right["12-candidates"]
    assert asked("--only", "as-it-is")["as-it-is"] == found["as-it-is"]  # with its time: read


def test_parts_of_a_recipe_are_left_out(ablated, ablation, tmp_path, monkeypatch):
    (tmp_path / "tiny.toml").write_text(TINY_RECIPE)
    recipe = ablation.OrbitConfig.load(tmp_path / "tiny.toml")
    ablation._trained(recipe, {n: reference_world() for n in recipe.pairs.worlds}, tmp_path / "run")

    def trained(*names):
        return ablated(
            "--train", tmp_path / "short", "--config", tmp_path / "tiny.toml", "--run",
            tmp_path / "run", "--steps", 2, "--batch", 4, "--queries", 12, "--places", 80,
            "--only", *names,
        )  # fmt: skip

    monkeypatch.setattr(ablation, "LOGGED", 1)
    found = trained("recipe", "one-ring")
    assert {"recipe", "one-ring", "whole-training"} <= set(found)
    assert found["2"][:3] == ["steps", "of", "4"]
    kept = {path.name for path in (tmp_path / "short").iterdir()}
    assert kept == {"recipe", "one-ring", "whole-training", "outcomes.jsonl"}

    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(ablation, "_trained", refuse)
    assert trained("recipe", "one-ring") == found


def test_each_short_training_differs_from_the_others(ablation):
    recipe = ablation.OrbitConfig.load(FOLDER.parent / "configs" / "orbit.toml")
    changed = {
        name: ablation._changed(recipe, training, 200, 128)
        for name, training in ablation.TRAINING.items()
    }
    assert len({config.digest for config in changed.values()}) == len(changed)
    assert changed["one-ring"].network == recipe.network.model_copy(update={"rings": 1})
    assert changed["twice-the-time"].optimiser.steps == 400
    assert changed["no-light"].look == recipe.look.model_copy(update={"light": 0.0})
    # Whatever changes a look is left out by one of them.
    without = [config.look for config in changed.values() if config.look.plain < 1]
    for name in set(type(recipe.look).model_fields) - {"plain"}:
        assert any(getattr(look, name) == 0 for look in without), name


def test_a_query_of_a_trial_has_its_place_among_others(ablation):
    queries = ablation.Queries.cut(["xplanet"], 6, 0)
    trial = ablation.Trial.cut(queries, ablation.OrbitConfig(), 40, 0)
    assert trial.is_right[:, :6].diagonal().all()
    assert trial.is_right.float().mean() < 0.3
    # The place of each, which shows nearly the same, has much the same colours.
    seen, shown = (x.float().mean((2, 3)) for x in (trial.queries["plain"][0], trial.places))
    assert torch.corrcoef(torch.stack([seen.flatten(), shown[:6].flatten()]))[0, 1] > 0.9
    scores = torch.zeros(6, 40)
    scores[:, :6] = torch.eye(6)
    assert trial._ranks(scores).eq(0).all()
    scores[trial.is_right] -= 2
    assert trial._ranks(scores).equal((~trial.is_right).sum(1))


def test_accuracy(printed, small_earth, config_file, tmp_path):
    lines = printed("accuracy", "--config", config_file, "--seeds", 0, "--output", tmp_path)
    assert [line.split()[:2] for line in lines if line.startswith("as-configured")][:2] == [
        ["as-configured", "0"],
        ["as-configured", "mean"],
    ]


def test_registration(printed):
    lines = printed("registration", "--worlds", "bmng", "--count", 1, "--candidates", 4)
    assert len(lines) == 1 + 2 * 4 + 1
    plain = [line.split() for line in lines[1:5]]
    assert [row[3] for row in plain[1:]] == ["100"] * 3  # the reference itself is found
    assert lines[-1].endswith("4 candidates")


def test_baselines(printed, small_earth, config_file):
    lines = printed("baselines", "--config", config_file, "--seeds", 0)
    assert sum("nearest neighbour" in line for line in lines) == 2


def test_by_distance(printed, trained):
    lines = printed("by_distance", trained)
    assert "margin none" in lines[0]
    assert sum(int(line.split("km")[1].split()[0]) for line in lines[2:]) == 40


def test_geoclip_explained(printed, small_geoclip, monkeypatch):
    monkeypatch.setenv("GEOWHY_HOME", str(small_geoclip))
    (line,) = (found for found in printed("geoclip_explained", "--places", 5) if "seed" in found)
    assert line.startswith("5 places, seed 0: no concept carries")


def test_our_part_of_the_benchmark_beside_the_package(small_geoclip, monkeypatch):
    record = load("record_answers", FOLDER.parent / "scripts")
    record._write_tower(small_geoclip / record.TOWER)
    monkeypatch.setenv("GEOWHY_HOME", str(small_geoclip))
    beside = load("beside_geoclip")
    found = beside._run(beside.OURS, "fp32", "1", "1", str(CAT))
    assert np.array(found["top"]).shape == (1, 5, 2)
    assert np.array(found["features"]).shape == (1, record.FEATURES)


def test_what_the_benchmark_beside_the_package_prints(capsys, monkeypatch):
    """Its tables alone: the package's own part wants a full CLIP."""
    beside = load("beside_geoclip")
    rng = np.random.default_rng(0)
    measured = {name: [0.2, 0.1] for name in ("warm", "tower")}
    measured |= {"first": 2.0, "peak": 900.0, "gallery": 3.0, "stream": 0.1}
    measured |= {"top": rng.uniform(size=(2, 5, 2)), "features": rng.normal(size=(2, 8))}
    beside._print_times(measured, {"fp32": measured})
    beside._print_answers(measured, {"fp32": measured})
    monkeypatch.setattr(beside, "MILLION", 20_000)
    beside._print_million()
    said = capsys.readouterr().out
    assert "same best place on 2 of 2, same five on 2" in said
    assert "32 at a time" in said
