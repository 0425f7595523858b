"""One small true training run, and everything that may break it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from geowhy.concepts.bank import BANK_FILE, PLACE_BANK_FILE, ConceptBank
from geowhy.errors import ConfigError, DataError, ModelFormatError, VocabularyError
from geowhy.evaluation.accuracy import predictions_of
from geowhy.locator import Locator
from geowhy.model.store import ModelFolder
from geowhy.training import loop
from geowhy.training.config import TrainingConfig
from geowhy.training.run import train
from geowhy.training.views import ViewManifest

pytestmark = pytest.mark.usefixtures("small_earth")


def same_weights(a, b):
    left, right = (load_file(folder / "model.safetensors") for folder in (a, b))
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def test_training_lowers_the_loss_and_logs_it(trained):
    lines = [json.loads(line) for line in (trained.parent / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [6, 12, 18, 24]
    assert lines[-1]["validation"] < lines[0]["validation"]
    assert {"contrastive", "divergence", "grounding", "total"} <= set(lines[0])


def test_the_model_beats_chance_on_held_out_cells(trained):
    report = predictions_of(str(trained)).report()
    metrics = report.metrics
    assert "no margin" in report.table()
    assert json.loads(report.to_json())["metrics"]["scored"] == 40
    # The median distance between two random places on land is above 8,000 km.
    assert metrics.distances.median_km.value < 6_500
    assert metrics.scored == 40


def test_the_trained_model_answers_and_explains(trained):
    locator = Locator.from_pretrained(trained)
    image = np.full((32, 32, 3), 90, np.uint8)
    from PIL import Image

    prediction = locator.locate(Image.fromarray(image))
    total = sum(c.contribution for c in prediction.explanation.contributions)
    assert total == pytest.approx(prediction.explanation.score, abs=1e-4)
    assert 0 < prediction.radius_50_km <= prediction.radius_90_km


def test_the_same_configuration_gives_the_same_model(trained, config_file, tmp_path):
    again = train(config_file, tmp_path / "again", "cpu", resume=False)
    assert same_weights(trained, again)


def test_a_refit_learns_from_validation_views_too_but_never_from_test(trained):
    first, final = (
        ViewManifest.load(folder / "views.parquet")
        for folder in (trained.parent, trained.parent / "refit")
    )
    assert set(first.rows("validation")) < set(final.rows("train"))
    assert set(first.rows("train")) < set(final.rows("train"))
    assert np.array_equal(first.rows("test"), final.rows("test"))
    lines = (trained.parent / "refit" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [6, 12, 18, 24]
    assert not any("validation" in json.loads(line) for line in lines)


def test_what_was_refitted_is_not_measured_on_what_it_learnt_from(trained):
    with pytest.raises(ConfigError, match="refitted on its validation views"):
        predictions_of(str(trained), "validation")


def test_without_a_refit_validation_views_can_be_measured(config_file, tmp_path):
    text = config_file.read_text().replace("refit = true", "refit = false")
    config_file.write_text(text.replace("steps = 24", "steps = 6"))
    model = train(config_file, tmp_path / "run", "cpu", resume=False)
    assert not (tmp_path / "run" / "refit").exists()
    assert predictions_of(str(model), "validation").report().metrics.scored == 40


def test_a_refit_keeps_what_was_measured_and_tuned_before(trained, config_file, tmp_path):
    config_file.write_text(config_file.read_text().replace("refit = true", "refit = false"))
    first = train(config_file, tmp_path / "run", "cpu", resume=False)
    assert not same_weights(first, trained)
    tuned, same = (ModelFolder.open(folder).section("calibration") for folder in (first, trained))
    assert tuned == same


@pytest.mark.parametrize("fit", ["run", "refit"])
def test_a_broken_run_resumes_to_the_same_model(fit, trained, config_file, tmp_path, monkeypatch):
    steps = loop._step

    def interrupted_at_step_13(*arguments):
        if arguments[4] == 13 and arguments[0].folder.name == fit:
            signal.raise_signal(signal.SIGINT)
        return steps(*arguments)

    monkeypatch.setattr(loop, "_step", interrupted_at_step_13)
    with pytest.raises(KeyboardInterrupt):
        train(config_file, tmp_path / "run", "cpu", resume=False)
    assert not (tmp_path / "run" / "model").exists()
    monkeypatch.setattr(loop, "_step", steps)
    resumed = train(config_file, tmp_path / "run", "cpu", resume=True)
    assert same_weights(trained, resumed)


def test_a_checkpoint_of_another_run_is_refused(trained, config_file, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoint.safetensors").write_bytes(
        (trained.parent / "checkpoint.safetensors").read_bytes()
    )
    config_file.write_text(config_file.read_text().replace("batch = 64", "batch = 32"))
    with pytest.raises(DataError, match="another configuration"):
        train(config_file, run, "cpu", resume=True)


def test_a_damaged_checkpoint_is_refused(config_file, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoint.safetensors").write_bytes(b"\x10" + b"\x00" * 30)
    with pytest.raises(DataError, match="damaged checkpoint"):
        train(config_file, run, "cpu", resume=True)


def test_two_processes_train_one_model(config_file, tmp_path):
    script = (
        "import sys; from pathlib import Path; from geowhy.training.run import train;"
        "train(Path(sys.argv[1]), Path(sys.argv[2]), 'cpu', False)"
    )
    (tmp_path / "go.py").write_text(script)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(tmp_path / "go.py"), str(config_file), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr  # whole: the cause stands before the summary
    steps = [
        json.loads(line)["step"]
        for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    ]
    assert steps == [6, 12, 18, 24]
    assert ModelFolder.open(tmp_path / "run" / "model").section("model")["name"] == "tiny"


@pytest.mark.parametrize(
    ("objective", "space"),
    [("geoclip", "embedding"), ("concept", "embedding"), ("concept", "both")],
)
def test_every_objective_and_space_trains(objective, space, config_file, tmp_path):
    text = config_file.read_text().replace("steps = 24", "steps = 6")
    text = text.replace("[alignment]", f'[alignment]\nobjective = "{objective}"\nspace = "{space}"')
    config_file.write_text(text)
    model = train(config_file, tmp_path / "run", "cpu", resume=False)
    assert ModelFolder.open(model).section("model")["space"] == space


@pytest.mark.parametrize("seen", ["coordinates", "surroundings"])
def test_either_kind_of_capsule_trains_alone(seen, config_file, tmp_path):
    alone = "sigmas = []" if seen == "surroundings" else "sigmas = [0.5, 2.0]\nsurroundings = 0"
    text = config_file.read_text().replace("steps = 24", "steps = 6")
    text = text.replace("sigmas = [0.5, 2.0]", alone)
    if seen == "coordinates":
        text = text.replace("surroundings = 32\n", "")
        text = text.replace("steps = 12", "steps = 0")  # nor are maps compared
    config_file.write_text(text)
    model = train(config_file, tmp_path / "run", "cpu", resume=False)
    names = load_file(model / "model.safetensors")
    capsules = {name.split("/")[1].split(".")[0] for name in names if name.startswith("location/")}
    assert capsules == ({"surroundings"} if seen == "surroundings" else {"capsule_0", "capsule_1"})
    assert len(Locator.from_pretrained(model).engine.gallery.side) > 0


def test_concepts_that_no_view_shows_are_told_of_places_alone(trained):
    locator = Locator.from_pretrained(trained)
    assert "hot" in locator.engine.model.bank.ids
    assert "left" not in locator.engine.model.bank.ids
    assert locator.engine.model.places.bank.ids == ("left",)
    assert "left" not in locator.engine.attribution.names
    scores = locator.engine.model.places.concept_scores([(-25.0, 135.0), (40.0, -100.0)])
    assert scores[0] > scores[1]  # Australia, Kansas


def test_what_training_places_dont_have_is_left_out_and_said(
    config_file, small_vocabulary, tmp_path, capsys
):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    text = (small_vocabulary / "few.toml").read_text()
    rare = text.split("[[concept]]")[1].replace("hot", "kiwi")
    rare = rare.replace("temperature_mean > 20", "country == 'NZ'").replace("= true", "= false")
    (folder / "few.toml").write_text(f"{text}\n[[concept]]{rare}")
    changed = config_file.read_text().replace(str(small_vocabulary), str(folder))
    config_file.write_text(changed.replace("steps = 24", "steps = 6"))
    model = train(config_file, tmp_path / "run", "cpu", resume=False)
    assert "kiwi" not in Locator.from_pretrained(model).engine.model.places.bank.ids
    assert "not learnt, hardly any training place has it: kiwi" in capsys.readouterr().out


def test_a_vocabulary_that_views_show_nothing_of_is_refused(
    config_file, small_vocabulary, tmp_path
):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    text = (small_vocabulary / "few.toml").read_text()
    (folder / "few.toml").write_text(text.replace("from_above = true", "from_above = false"))
    config_file.write_text(config_file.read_text().replace(str(small_vocabulary), str(folder)))
    with pytest.raises(VocabularyError, match="from_above = true"):
        train(config_file, tmp_path / "run", "cpu", resume=False)


@pytest.mark.parametrize("file", [BANK_FILE, PLACE_BANK_FILE])
def test_a_bank_that_the_model_was_not_trained_with_is_refused(trained, file, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained, folder)
    bank = ConceptBank.load(folder / file)
    (folder / file).write_bytes(replace(bank, directions=-bank.directions).to_bytes())
    with pytest.raises(ModelFormatError, match=f"trained with the concept bank .* but {file} is"):
        Locator.from_pretrained(folder)
    (folder / file).write_bytes(bank.to_bytes())
    assert Locator.from_pretrained(folder).name == "tiny"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[views]\ncuont = 3", r"views\.cuont"),
        ("[optimiser]\nbatch = 0", r"optimiser\.batch"),
        ("name = ", "not valid TOML"),
        ("[location]\nsigmas = []", "would see nothing"),
        ('[location]\ninit = "geoclip"\nsurroundings = 8', "set surroundings = 0"),
    ],
)
def test_mistakes_in_a_configuration_are_named(text, message, tmp_path):
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.load(tmp_path / "wrong.toml")


def test_a_missing_configuration_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        TrainingConfig.load(tmp_path / "none.toml")
