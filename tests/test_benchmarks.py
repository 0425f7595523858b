"""Benchmarks are run by hand and rarely: here each runs on next to nothing, so that none breaks."""

import importlib.util
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import geowhy
from geowhy.model.geoclip import convert_geoclip

FOLDER = Path(__file__).parents[1] / "benchmarks"
CAT = Path(geowhy.__file__).parent / "data" / "demo" / "photograph-cat.jpg"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="benchmarks are only in a checkout")


def load(name, folder=FOLDER):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
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
