"""GeoCLIP as released: the numbers of the package, made by scripts/build_geoclip_reference.py."""

import importlib.util
import json
import resource
import shutil
import signal
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.numpy import load_file

from geowhy.errors import ConfigError, DataError, ModelFormatError, ModelNotFoundError
from geowhy.export.clip import CLIP_FILES
from geowhy.heads.retrieval import RetrievalHead
from geowhy.locator import Locator
from geowhy.model.geoclip import convert_geoclip
from geowhy.model.preprocessing import CLIP_PREPROCESSING, ten_crops
from geowhy.posterior import Calibration
from geowhy.pretrained.geoclip.released import ReleasedGeoClip
from geowhy.registry import CLIP

REFERENCE = load_file(Path(__file__).parents[1] / "data" / "geoclip_reference.safetensors")
SIDE, FEATURES = 224, 768


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with the released weights, from the installed package, and a toy image tower."""
    home = tmp_path_factory.mktemp("home")
    root = Path(importlib.util.find_spec("geoclip").origin).parent
    wheel = home / "geoclip.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for folder in ("weights", "gps_gallery"):
            for file in root.rglob(f"{folder}/*.*"):
                archive.write(file, Path("geoclip") / file.relative_to(root))
    (home / "geoclip").mkdir()
    convert_geoclip(wheel, home / "geoclip")
    write_tower(home / CLIP)
    return home


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.setenv("GEOWHY_HOME", str(home))


def write_tower(folder):
    """Means of 8 × 8 fields, spread over all features: as deep as a puddle, but CLIP's shape."""
    folder.mkdir()
    weights = np.random.default_rng(0).normal(0, 0.3, (192, FEATURES)).astype(np.float32)
    nodes = [
        helper.make_node(
            "AveragePool", ["pixels"], ["fields"], kernel_shape=[28] * 2, strides=[28] * 2
        ),
        helper.make_node("Flatten", ["fields"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", FEATURES])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for file in CLIP_FILES:
        (folder / file).touch()
    onnx.save(model, folder / "image.onnx")
    shutil.copy(folder / "image.onnx", folder / "image-int8.onnx")
    config = {"kind": "clip", "preprocessing": CLIP_PREPROCESSING.to_json()}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(1)
    for number in range(3):
        coarse = rng.integers(0, 256, (6, 9, 3)).astype(np.uint8)
        Image.fromarray(coarse).resize((300 + 40 * number, 260)).save(folder / f"{number}.png")
    return sorted(map(str, folder.iterdir()))


def test_location_embeddings_are_those_of_the_package():
    ours = ReleasedGeoClip.load().encoder.embed(REFERENCE["lat_lon"])
    assert np.abs(ours - REFERENCE["location_embeddings"]).max() < 5e-5


def test_the_image_head_is_that_of_the_package():
    ours = ReleasedGeoClip.load().aligner.embed(REFERENCE["features"])
    theirs = REFERENCE["image_embeddings"]
    theirs = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    assert np.abs(ours - theirs).max() < 1e-5


def test_retrieval_from_the_published_gallery_is_that_of_the_package():
    released = ReleasedGeoClip.load()
    told = []
    gallery = released.gallery(None, told.append)
    assert told == ["embedding a gallery of 100,000, once"]
    images = released.aligner.image_side(REFERENCE["features"])
    head = RetrievalHead(released.aligner.terms, gallery, Calibration())
    for number, posterior in enumerate(head.posteriors(images)):
        estimate = head.estimate(posterior, 5)
        best = [mode.lat_lon for mode in estimate.modes]
        assert best == [tuple(place) for place in REFERENCE["best_lat_lon"][number].tolist()]
        probability = np.array([mode.probability for mode in estimate.modes])
        assert probability == pytest.approx(REFERENCE["best_probability"][number], rel=3e-3)
        exact = REFERENCE["best_probability_in_double_precision"][number]
        assert probability == pytest.approx(exact, rel=5e-4)
    again = released.gallery(None, lambda _: pytest.fail("embedded twice"))
    assert np.array_equal(
        released.aligner.centred(again.side)[::999], released.aligner.centred(gallery.side)[::999]
    )


SOME = [(-41.3, 174.8), (48.9, 2.3), (35.7, 139.7), (-33.9, 18.4), (40.7, -74.0)]


@pytest.fixture(scope="module")
def locator(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEOWHY_HOME", str(home))
        return Locator.from_pretrained("geoclip", gallery=SOME)


def test_an_answer_is_the_best_place_of_the_gallery_and_says_that_it_is_not_calibrated(
    locator, photographs
):
    for prediction in locator.locate(photographs):
        best = prediction.candidates[0]
        assert prediction.position == best.position
        assert (best.position.lat, best.position.lon) in SOME
        assert sum(c.probability for c in prediction.candidates) == pytest.approx(1, rel=1e-5)
        assert not prediction.calibrated


def test_a_jpeg_is_read_at_full_size_for_the_numbers_are_those_of_the_whole_picture(
    locator, tmp_path
):
    coarse = np.random.default_rng(2).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((2400, 1800), Image.Resampling.NEAREST).save(
        tmp_path / "large.jpg", quality=95
    )
    with Image.open(tmp_path / "large.jpg") as opened:
        whole = Image.fromarray(np.asarray(opened))
    from_file, from_pixels = locator.locate(tmp_path / "large.jpg"), locator.locate(whole)
    assert from_file.explanation.score == from_pixels.explanation.score
    assert [c.probability for c in from_file.candidates] == [
        c.probability for c in from_pixels.candidates
    ]


def test_contributions_add_up_to_the_log_odds_against_the_places_elsewhere(locator, photographs):
    prediction = locator.locate(photographs[0])
    explanation = prediction.explanation
    total = sum(c.contribution for c in explanation.contributions) + explanation.unexplained
    assert total == pytest.approx(explanation.score, abs=1e-4)
    pixels = np.asarray(Image.open(photographs[0]))
    decoded = locator.engine.decode([pixels])[0]
    logits = locator.engine.model.scores(decoded.side, locator.engine.gallery.side)[0]
    rivals = np.delete(logits, logits.argmax())
    odds = np.exp((rivals - rivals.max()) / 2)  # with half of the evidence
    expected = logits.max() - odds @ rivals / odds.sum()
    assert explanation.score == pytest.approx(expected, abs=1e-3)


def test_ten_crops_answer_with_the_mean_of_their_scores(photographs):
    pixels = np.asarray(Image.open(photographs[1]))
    one = Locator.from_pretrained("geoclip", gallery=SOME)
    ten = Locator.from_pretrained("geoclip", gallery=SOME, crops=10)
    crops = one.engine.decode(list(ten_crops(pixels)))
    scores = [one.engine.model.scores(d.side, one.engine.gallery.side)[0] for d in crops]
    side = ten.engine.decode([pixels])[0].side
    assert ten.engine.model.scores(side, ten.engine.gallery.side)[0] == pytest.approx(
        np.mean(scores, axis=0), abs=1e-4
    )
    assert len(ten.locate(photographs)) == len(photographs)


def test_a_region_is_a_filter_or_a_weight(locator, photographs):
    there = locator.within("New Zealand").locate(photographs[0])
    assert (there.position.lat, there.position.lon) == SOME[0]
    assert there.scope.region == "New Zealand"
    free = {c.position: c.probability for c in locator.locate(photographs[0]).candidates}
    weighed = locator.within("New Zealand", outside=0.25).locate(photographs[0]).candidates
    odds = {c.position: c.probability / free[c.position] for c in weighed}
    inside = max(odds.values())
    assert sorted(o / inside for o in odds.values()) == pytest.approx([0.25] * 4 + [1], rel=1e-3)
    with pytest.raises(DataError, match="none of the 5 places"):
        locator.within("Iceland")
    with pytest.raises(DataError, match="give 0 to 1"):
        locator.within("Japan", outside=2)


def test_options_of_geoclip_are_refused_elsewhere():
    with pytest.raises(ConfigError, match="it is one of geoclip"):
        Locator.from_pretrained("embedded", precision="int8")


def test_all_that_is_missing_is_named_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOWHY_HOME", str(tmp_path))
    with pytest.raises(ModelNotFoundError) as caught:
        Locator.from_pretrained("geoclip")
    for part in (CLIP, "geoclip"):
        assert f"geowhy models get {part}" in str(caught.value)
    assert str(caught.value).count("MB, MIT") == 2


def test_texts_have_to_be_embedded_before_they_explain():
    with pytest.raises(ModelNotFoundError, match="geowhy concepts embed"):
        Locator.from_pretrained("geoclip", gallery=SOME, concepts="text")


@pytest.mark.parametrize("file", ["head", "location", "gallery"])
def test_damaged_weights_are_named_and_left_alone(home, tmp_path, monkeypatch, file):
    shutil.copytree(home / "geoclip", tmp_path / "geoclip")
    monkeypatch.setenv("GEOWHY_HOME", str(tmp_path))
    damaged = tmp_path / "geoclip" / f"{file}.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    with pytest.raises(ModelFormatError, match=f"{file}.safetensors: damaged"):
        ReleasedGeoClip.load().gallery(np.array(SOME), lambda _: None)
    assert damaged.stat().st_size == 1000


@pytest.mark.parametrize("file", ["embeddings.npy", "codes.npy", "places.npz"])
def test_a_damaged_gallery_on_disk_is_named(home, file):
    released = ReleasedGeoClip.load()
    places = np.array(SOME) + 0.5
    shutil.rmtree(home / "galleries", ignore_errors=True)
    released.gallery(places, lambda _: None)
    (only,) = (home / "galleries").iterdir()
    (only / file).write_bytes(b"torn")
    with pytest.raises(ModelFormatError, match="delete that folder"):
        released.gallery(places, lambda _: None)


def test_a_full_disk_leaves_no_gallery_behind(home):
    """A file that may not grow is what a full disk looks like; a signal would end the tests."""
    released = ReleasedGeoClip.load()
    before = set((home / "galleries").iterdir())
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            released.gallery(np.array(SOME) - 0.5, lambda _: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert set((home / "galleries").iterdir()) == before
