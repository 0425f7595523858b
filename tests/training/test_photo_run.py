"""Small true runs on photographs: of one's own, and from the released GeoCLIP weights."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image
from safetensors.numpy import load_file, save_file

from geowhy.cli.main import main
from geowhy.errors import ConfigError, DataError
from geowhy.evaluation.accuracy import predictions_of
from geowhy.evaluation.protocol import training_config
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.locator import Locator
from geowhy.model.alignment import ConceptAligner
from geowhy.model.concept_terms import normalised
from geowhy.model.location import LocationArchitecture
from geowhy.model.store import ModelFolder
from geowhy.model.terms import total_scores
from geowhy.training import sources, start
from geowhy.training.aligner import FEATURE_LIMIT, TorchAligner, standardising
from geowhy.training.config import AlignmentConfig, TrainingConfig
from geowhy.training.location_torch import TorchLocationEncoder
from geowhy.training.orbit.config import OrbitConfig
from geowhy.training.photos import PhotoManifest
from geowhy.training.regression import tensors_of
from geowhy.training.run import train

CONFIGS = Path(__file__).parents[2] / "configs"
PHOTOS = 150
CONFIG = """
name = "snaps"
vocabulary = "{vocabulary}"
backbone = "{backbone}"
[photos]
manifest = "{manifest}"
[split]
validation_views = 12
[location]
sigmas = []
fourier = 16
hidden = 32
depth = 1
size = {size}
surroundings = 16
pretraining_steps = 20
pretraining_batch = 32
[alignment]
{alignment}
concept_hidden = 16
dropout = 0.0
target_sigma_km = 500.0
[optimiser]
steps = {steps}
batch = 32
queue = 64
validate_every = 3
{rate}
[gallery]
size = 300
"""
OWN = {
    "backbone": "efficientnet-lite0",
    "size": 16,
    "alignment": "whitened = 16\nhidden = 24",
    "steps": 6,
    "rate": "rate = 1e-3",
}
RELEASED = {
    "backbone": "clip-vit-l-14",
    "size": 512,
    "alignment": 'init = "geoclip"\nspace = "embedding"\nwhitened = 768\nhidden = 768',
    "steps": 1,
    "rate": "rate = 1e-12",  # so that the model stays what it started as
}


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Photographs all over the land, in the colours of climate and greenness; one is damaged."""
    folder = tmp_path_factory.mktemp("album")
    atlas, rng = Atlas.load(), np.random.default_rng(0)
    places = uniform_on_land(atlas, PHOTOS, rng).round(4)
    names = ("temperature_mean", "ndvi_max", "precipitation")
    layers = [np.nan_to_num(atlas.layer(name).at(places)) for name in names]
    colours = np.stack(layers, axis=1) * (4, 200, 0.06) + (120, 20, 10)
    for number, colour in enumerate(np.clip(colours, 0, 235)):
        pixels = colour + rng.uniform(0, 20, (24, 32, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"[{number}].jpg")
    (folder / "[7].jpg").write_bytes((folder / "[7].jpg").read_bytes()[:300])
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "lat", "lon"])
        rows.writerows([f"[{number}].jpg", *place] for number, place in enumerate(places))
        rows.writerow(["gone.jpg", 1, 2])
    return folder


@pytest.fixture(scope="module")
def write_config(album, small_vocabulary):
    """Writes a configuration into a folder, with some values of its own."""

    def write(folder, values):
        text = CONFIG.format(vocabulary=small_vocabulary, manifest=album / "manifest.csv", **values)
        (folder / "snaps.toml").write_text(text)
        return folder / "snaps.toml"

    return write


@pytest.fixture(scope="module")
def snaps(small_earth, write_config, tmp_path_factory, album):
    """The folder of a model of the album, in its run, and what was printed."""
    folder = tmp_path_factory.mktemp("snaps")
    config = write_config(folder, OWN)
    shutil.copy(config, folder / "kept.toml")
    return train(config, folder / "run", "cpu", resume=False)


def test_a_run_says_what_it_found_and_how_it_divides(snaps, small_earth, tmp_path, capsys):
    train(snaps.parents[1] / "kept.toml", tmp_path / "run", "cpu", resume=False)
    said = capsys.readouterr().out
    assert f"found {PHOTOS} of {PHOTOS + 1} photos" in said
    assert "1: no such file; the first is" in said
    assert f"left out 1 of {PHOTOS} photos: unreadable; the first is [7].jpg, which is" in said
    counts = re.search(r"(\d+) train, (\d+) validation, (\d+) test", said)
    assert counts is not None
    assert int(counts[1]) > 80
    assert int(counts[2]) == 12
    assert "fewer than 30 validation photos" in said


def test_every_concept_counts_as_seen(snaps):
    model = Locator.from_pretrained(snaps).engine.model
    assert "left" in model.bank.ids  # which no view from above shows
    assert model.places is None


def test_the_model_answers_and_explains(snaps, album, capsys):
    photo = str(album / "[3].jpg")
    found = Locator.from_pretrained(snaps).locate(photo)
    total = sum(c.contribution for c in found.explanation.contributions)
    assert total == pytest.approx(found.explanation.score, abs=1e-4)
    assert 0 < found.radius_50_km <= found.radius_90_km
    assert main(["locate", photo, "--model", str(snaps), "--explain", "--guess"]) == 0
    assert "What speaks for it" in capsys.readouterr().out


def test_novelty_is_known_of_fewer_photos_than_it_has_components(snaps):
    tensors = ModelFolder.open(snaps).tensors("novelty")
    manifest = PhotoManifest.load(snaps.parent / "photos.parquet")
    assert len(manifest.rows("train")) < len(tensors["variances"])
    assert tensors["variances"].min() > 0.99e-6  # else noise of the arithmetic would count
    assert np.isfinite(ModelFolder.open(snaps).section("calibration")["novelty_threshold"])


@pytest.mark.parametrize("split", ["test", "validation"])
def test_held_out_photos_are_measured(split, snaps):
    report = predictions_of(str(snaps), split).report()
    manifest = PhotoManifest.load(snaps.parent / "photos.parquet")
    assert report.metrics.scored == report.expected == len(manifest.rows(split)) > 0
    assert f"{split}: photos of manifest.csv, held-out 10° cells" in report.table()
    assert f"{report.expected} photos in" in report.table()
    assert json.loads(report.to_json())["images"] == "photos"


def test_photos_that_are_gone_since_are_not_scored(snaps, tmp_path):
    shutil.copytree(snaps.parent, tmp_path / "run")
    manifest = PhotoManifest.load(tmp_path / "run" / "photos.parquet")
    first = manifest.rows("test")[0]
    files = tuple(f + "x" if n == first else f for n, f in enumerate(manifest.files))
    replace(manifest, files=files).save(tmp_path / "run" / "photos.parquet")
    table = predictions_of(str(tmp_path / "run" / "model"))
    assert np.isnan(table.answer).any(axis=1).sum() == 1
    report = table.report()
    assert report.metrics.scored == report.expected - 1
    assert (
        f"{report.metrics.scored} scored of {report.expected} expected, 1 missing" in report.table()
    )


def test_photographs_that_a_list_names_are_measured(snaps, album, tmp_path, capsys):
    words = ["evaluate", str(snaps), "--photos", str(album), "--list", str(album / "manifest.csv")]
    table = tmp_path / "said.parquet"
    assert main([*words, "--predictions", str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["expected"], found["split"]) == (PHOTOS + 1, "own")
    assert (found["metrics"]["scored"], found["metrics"]["expected"]) == (PHOTOS - 1, PHOTOS + 1)
    assert main(["evaluate", "--from", str(table), "--against", str(table), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["scored"] == PHOTOS - 1
    assert {each["difference"]["value"] for each in compared["shares"]} == {0.0}
    assert main([*words, "--crops", "10"]) == 1
    assert "crops" in capsys.readouterr().err


def test_without_the_manifest_of_its_own_run_a_model_is_not_measured(snaps, tmp_path):
    shutil.copytree(snaps, tmp_path / "model")
    with pytest.raises(DataError, match=r"leave the model in its run's folder"):
        predictions_of(str(tmp_path / "model"))
    manifest = PhotoManifest.load(snaps.parent / "photos.parquet")
    split = np.where(manifest.split == 2, 0, manifest.split).astype(np.int8)
    replace(manifest, split=split).save(tmp_path / "photos.parquet")
    with pytest.raises(DataError, match="of another run"):
        predictions_of(str(tmp_path / "model"))


def test_there_are_no_views_to_measure_it_on(snaps):
    with pytest.raises(ConfigError, match="no views to measure it on"):
        training_config(str(snaps))


def test_a_folder_of_photos_with_positions_trains(small_earth, write_config, album, tmp_path):
    (tmp_path / "camera").mkdir()
    with (album / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["path"] not in ("[7].jpg", "gone.jpg")]
    for row in rows:
        lat, lon = float(row["lat"]), float(row["lon"])
        tags, signs = Image.Exif(), ("S" if lat < 0 else "N", "W" if lon < 0 else "E")
        position = {1: signs[0], 2: (abs(lat), 0, 0), 3: signs[1], 4: (abs(lon), 0, 0)}
        tags.get_ifd(0x8825).update(position)
        Image.open(album / row["path"]).save(tmp_path / "camera" / row["path"], exif=tags)
    config = write_config(tmp_path, {**OWN, "steps": 3})
    text = config.read_text().replace(str(album / "manifest.csv"), str(tmp_path / "camera"))
    config.write_text(text)
    model = train(config, tmp_path / "run", "cpu", resume=False)
    found = PhotoManifest.load(tmp_path / "run" / "photos.parquet")
    listed = {row["path"]: (float(row["lat"]), float(row["lon"])) for row in rows}
    assert set(found.names) == set(listed)
    expected = np.array([listed[name] for name in found.names])
    np.testing.assert_allclose(found.centres, expected, atol=1e-6)
    assert predictions_of(str(model)).report().metrics.scored == len(found.rows("test"))


def test_more_components_than_photos_are_refused(small_earth, write_config, tmp_path):
    config = write_config(tmp_path, {**OWN, "alignment": "whitened = 500\nhidden = 24"})
    with pytest.raises(ConfigError, match=r"alignment.whitened is 500, but \d+ training images"):
        train(config, tmp_path / "run", "cpu", resume=False)


def test_a_vocabulary_without_views_will_do(small_earth, write_config, small_vocabulary, tmp_path):
    (tmp_path / "v").mkdir()
    text = (small_vocabulary / "few.toml").read_text()
    (tmp_path / "v" / "few.toml").write_text(text.replace("from_above = true", ""))
    config = write_config(tmp_path, OWN)
    config.write_text(config.read_text().replace(str(small_vocabulary), str(tmp_path / "v")))
    model = train(config, tmp_path / "run", "cpu", resume=False)
    assert "hot" in Locator.from_pretrained(model).engine.model.bank.ids


def random_head(seed=0):
    """GeoCLIP's head with other numbers."""
    rng = np.random.default_rng(seed)
    shapes = {"layer_0": (768, 768), "layer_1": (512, 768)}
    head = {f"{n}.weight": rng.normal(0, 0.05, shape) for n, shape in shapes.items()}
    head |= {f"{n}.bias": rng.normal(0, 0.5, shape[0]) for n, shape in shapes.items()}
    return {n: a.astype(np.float32) for n, a in {**head, "logit_scale": np.array(2.3)}.items()}


def released_embeddings(features, head):
    hidden = np.maximum(features @ head["layer_0.weight"].T + head["layer_0.bias"], 0)
    return normalised(hidden @ head["layer_1.weight"].T + head["layer_1.bias"])


def test_the_released_start_gives_the_released_scores(make_bank):
    rng = np.random.default_rng(1)
    # Uniform, so that none is FEATURE_LIMIT deviations out, where features are clipped.
    features = rng.uniform(-1, 1, (60, 768)).astype(np.float32) * rng.uniform(0.1, 3, 768)
    features = (features + rng.normal(0, 2, 768)).astype(np.float32)
    places = rng.normal(0.3, 1, (40, 512)).astype(np.float32)
    bank, head = make_bank(rng.normal(0, 1, (512, 5))), random_head()
    config = AlignmentConfig(init="geoclip", space="embedding", whitened=768, hidden=768)
    whitening = standardising(features)
    assert np.abs((features - whitening.mean) / whitening.spread).max() < FEATURE_LIMIT
    aligner = TorchAligner(config, whitening, bank, np.zeros(512, np.float32)).eval()
    aligner.take_released_head(head)
    expected = np.exp(2.3) * released_embeddings(features, head) @ normalised(places).T
    whitened = torch.tensor(whitening(features))
    with torch.no_grad():
        sides = aligner.image_side(whitened), aligner.location_side(torch.tensor(places))
        np.testing.assert_allclose(aligner.logits(*sides).numpy(), expected, atol=1e-4)
    shipped = ConceptAligner(tensors_of(aligner), bank, "embedding")
    sides = shipped.image_side(features), shipped.location_side(places)
    scores = total_scores(shipped.terms, *sides)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_a_head_of_another_size_is_explained(make_bank):
    config = AlignmentConfig(whitened=24, hidden=24)
    features = np.random.default_rng(0).normal(0, 1, (30, 24)).astype(np.float32)
    bank = make_bank(np.eye(8, 3))
    aligner = TorchAligner(config, standardising(features), bank, np.zeros(8, np.float32))
    with pytest.raises(ConfigError, match="768 × 768 and 768 × 512, but the run has 24 × 24 and"):
        aligner.take_released_head(random_head())


def write_clip(folder):
    """Something in the place of CLIP: 16 × 16 means of each colour, 768 features."""
    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["p"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["p"], ["features"]),
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, 64, 64])
    out = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 768])
    graph = helper.make_graph(nodes, "clip", [pixels], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "image.onnx")
    (folder / "image.data").write_bytes(b"weights")
    config = {"preprocessing": {"size": 64, "mean": 127.0, "std": 60.0}}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture
def clip_home(small_earth, tmp_path, monkeypatch):
    """Stand-ins for CLIP and GeoCLIP where a run looks for them."""
    for name in ("clip-vit-l-14", "geoclip"):
        (tmp_path / name).mkdir()
    write_clip(tmp_path / "clip-vit-l-14")
    save_file(random_head(), tmp_path / "geoclip" / "head.safetensors")
    for module in (sources, start):
        monkeypatch.setattr(module, "require", lambda name: tmp_path / name)
    return tmp_path


def test_a_run_from_the_released_weights_starts_there(clip_home, write_config, album, tmp_path):
    folder = train(write_config(tmp_path, RELEASED), tmp_path / "run", "cpu", resume=False)
    model = Locator.from_pretrained(folder).engine.model
    tensors = load_file(folder / "model.safetensors")
    assert not tensors["alignment/location_mean"].any()
    assert np.array_equal(tensors["alignment/whitening"], np.eye(768))
    assert tensors["alignment/log_scale"] == pytest.approx(2.3)
    assert (folder / "image.data").read_bytes() == b"weights"
    pixels = [np.asarray(Image.open(album / f"[{number}].jpg")) for number in range(5)]
    features = model.features(pixels)
    embeddings, _ = model.aligner.outputs(features)
    expected = released_embeddings(features, random_head())
    assert (embeddings * expected).sum(axis=1).min() > 0.999  # the folder holds float16


def test_frequencies_are_kept_as_they_are(clip_home, write_config, tmp_path):
    config = write_config(tmp_path, {**RELEASED, "rate": "rate = 1e-3"})
    config.write_text(config.read_text().replace("sigmas = []", "sigmas = [256.0]"))
    folder = train(config, tmp_path / "run", "cpu", resume=False)
    kept = load_file(folder / "model.safetensors")["location/capsule_0.frequencies"]
    architecture = LocationArchitecture((256.0,), 16, 32, 1, 512, surroundings=16)
    first = tensors_of(TorchLocationEncoder(architecture, seed=0))
    assert np.array_equal(kept, first["capsule_0.frequencies"])


def test_other_weights_beside_the_same_graph_are_another_backbone(clip_home):
    config = TrainingConfig(backbone="clip-vit-l-14", photos={"manifest": "x"})
    before = sources.TrainingSources.open(config).digest
    (clip_home / "clip-vit-l-14" / "image.data").write_bytes(b"others")
    assert sources.TrainingSources.open(config).digest != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[photos]=>[views]\n[photos]", r"\[views\] and \[photos\]: choose one"),
        ("[split]=>[split]\nmargin = 'shared_pixels'", "photographs share no pixels"),
        ("[alignment]=>[alignment]\nsymmetries = true", "aren't turned with the map"),
        ("[alignment]=>[alignment]\nsummary_dropout = 0.5", "gives no layout that would be left"),
        ("whitened = 768=>whitened = 64", "set whitened = 768 and hidden = 768, not 64 and 768"),
        ("size = 512=>size = 96", "location.size = 512, not 96"),
        ("clip-vit-l-14=>efficientnet-lite2", "takes CLIP's features: set backbone ="),
        ("[photos]=>[views]", "Extra inputs are not permitted"),
        ("manifest = =>dataset = 'mp-16' #", "photos.manifest: Field required"),
    ],
)
def test_what_does_not_fit_together_is_explained(change, message, write_config, tmp_path):
    config = write_config(tmp_path, RELEASED)
    config.write_text(config.read_text().replace(*change.split("=>"), 1))
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.load(config)


def test_clip_takes_no_views(tmp_path):
    (tmp_path / "c.toml").write_text('backbone = "clip-vit-l-14"\n[views]\ncount = 1000')
    with pytest.raises(ConfigError, match="sees photographs, not views"):
        TrainingConfig.load(tmp_path / "c.toml")


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.toml")))
def test_the_shipped_configurations_survive_being_written(name, tmp_path):
    kind = OrbitConfig if name == "orbit.toml" else TrainingConfig
    config = kind.load(CONFIGS / name)
    (tmp_path / "again.json").write_text(config.model_dump_json())
    assert kind.load(tmp_path / "again.json") == config
    assert kind(**config.model_dump()) == config
