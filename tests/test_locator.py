"""The embedded model, as users meet it: answers, abstention, errors among many."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import geowhy
from geowhy.answer import Scope
from geowhy.assets.files import sha256_of
from geowhy.errors import ConfigError, ImageError, ModelFormatError, ModelNotFoundError
from geowhy.explanation import ELSEWHERE
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator
from geowhy.model.store import ModelFolder
from geowhy.model.terms import total_scores
from geowhy.registry import resolve_model

DEMO = Path(geowhy.__file__).parent / "data" / "demo"
VIEWS = sorted((Path(__file__).parent / "data" / "views").glob("*.png"))
CAT = DEMO / "photograph-cat.jpg"
CENTRES = {  # of the views, which are cut from the packaged reference
    "view-africa": (6.45866, 41.88466),
    "view-asia": (31.11164, 48.71824),
    "view-europe": (28.49429, -13.92605),
    "view-north-america": (58.59449, -118.18981),
    "view-oceania": (-26.80482, 142.3473),
    "view-south-america": (-29.17897, -50.60065),
}


@pytest.fixture(scope="module")
def locator():
    return Locator.from_pretrained()


@pytest.fixture(scope="module")
def of_views(trained):
    """A small model of views of the Earth, which has densities and takes any gallery."""
    return Locator.from_pretrained(trained)


def test_the_packaged_model_is_whole_and_small():
    folder = ModelFolder.open(resolve_model("embedded"))
    for name, entry in folder.section("files").items():
        assert sha256_of(folder.path / name) == entry["sha256"]
    assert sum(file.stat().st_size for file in folder.path.parents[1].rglob("*.*")) <= 75e6


def test_a_photograph_of_a_cat_gets_no_confident_place(locator):
    prediction = locator.locate(CAT)
    assert prediction.abstained
    assert prediction.abstention.kind == "no_match"
    assert prediction.abstention.value > prediction.abstention.limit


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_drawings_get_no_confident_place(locator, seed):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (64, 64, 3), np.uint8)
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, :: seed + 2] = 255
    for pixels in (noise, stripes):
        assert locator.locate(Image.fromarray(pixels)).abstained


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_picture_of_one_colour_lies_nowhere(locator, grey):
    found = locator.locate(Image.fromarray(np.full((200, 160, 3), grey, np.uint8)))
    assert found.abstained
    assert not found.verified


def test_views_from_above_lie_where_they_were_cut(locator):
    for view, prediction in zip(VIEWS, locator.locate(VIEWS), strict=True):
        answer = (prediction.position.lat, prediction.position.lon)
        assert distance_km(CENTRES[view.stem], answer) < 10
        assert prediction.verified
        assert not prediction.abstained
        assert prediction.width_km == pytest.approx(320, rel=0.02)
        assert abs((prediction.heading_deg + 180) % 360 - 180) < 2


def test_every_answer_is_complete_and_consistent(locator):
    for prediction in locator.locate(VIEWS, top_k=3):
        assert prediction.position == prediction.candidates[0].position
        probabilities = [candidate.probability for candidate in prediction.candidates]
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sum(probabilities) <= 1 + 1e-6
        assert 0 < prediction.radius_50_km <= prediction.radius_90_km <= 20_020
        total = sum(c.contribution for c in prediction.explanation.contributions)
        score = prediction.explanation.score
        assert total + prediction.explanation.unexplained == pytest.approx(score, abs=1e-4)


def test_a_score_is_the_log_odds_of_the_answer_against_the_other_poses(locator):
    decoded = locator.engine.decode([np.asarray(Image.open(VIEWS[0]).convert("RGB"))])[0]
    contest = locator.engine.contest(decoded)
    (rows, weights), (rivals, their_weights) = contest.answer, contest.elsewhere
    here, there = (
        total_scores(
            locator.engine.model.terms, decoded.side, locator.engine.gallery.side.rows(some)
        )[0].astype(float)
        for some in (rows, rivals)
    )
    assert weights.sum() == pytest.approx(1)
    assert their_weights.sum() == pytest.approx(1)
    assert not set(rows) & set(rivals)
    assert here.min() > there.max()
    explanation = locator.locate(VIEWS[0]).explanation
    assert explanation.against == ELSEWHERE
    assert explanation.score == pytest.approx(weights @ here - their_weights @ there, abs=1e-3)


def test_a_score_is_the_log_odds_of_the_strongest_mode_that_a_density_is_made_of(of_views):
    locator = of_views
    decoded = locator.engine.decode([np.asarray(Image.open(VIEWS[0]).convert("RGB"))])[0]
    logits = locator.engine.model.scores(decoded.side, locator.engine.gallery.side)[0].astype(float)
    logits /= locator.engine.calibration.temperature
    contest = locator.engine.contest(decoded)
    rows, weights = contest.answer
    assert weights.sum() == pytest.approx(1)
    odds = np.exp((logits - logits.max()) / 2)  # with half of the evidence
    region = decoded.estimate.region[locator.engine.gallery.grid.point_to_cell]
    assert weights @ logits[rows] == pytest.approx(
        odds[region] @ logits[region] / odds[region].sum(), abs=0.02
    )
    rivals, their_weights = contest.elsewhere
    outside = ~decoded.estimate.region[locator.engine.gallery.grid.point_to_cell]
    assert outside[rivals].all()
    assert their_weights @ logits[rivals] == pytest.approx(
        odds[outside] @ logits[outside] / odds[outside].sum(), abs=0.05
    )
    assert len(rivals) <= 4_000
    expected = weights @ logits[rows] - their_weights @ logits[rivals]
    explanation = locator.locate(VIEWS[0]).explanation
    assert explanation.against == ELSEWHERE
    assert explanation.score == pytest.approx(expected, abs=1e-3)


def test_an_island_is_not_answered_by_the_mainland_of_its_country(locator):
    """Smoothing piled up on Spain what it took off the Canary Islands."""
    view = next(v for v in VIEWS if "europe" in str(v))
    plain, within = locator.locate(view), locator.within("ES").locate(view)
    assert "Canary Islands" in plain.candidates[0].place
    assert within.position.lat == pytest.approx(plain.position.lat, abs=1e-3)
    assert within.position.lon == pytest.approx(plain.position.lon, abs=1e-3)
    assert within.candidates[0].probability >= plain.candidates[0].probability


def test_the_kept_gallery_is_what_the_location_encoder_gives(of_views, trained):
    some = slice(0, None, 7)
    model, gallery = of_views.engine.model, of_views.engine.gallery
    scaled, _ = model.aligner.packed(model.location_side(gallery.lat_lon[some]))
    step = ModelFolder.open(trained).tensors("gallery")["scaled.step"]
    kept, _ = model.aligner.packed(gallery.side)
    assert (np.abs(kept[some] - scaled) / step).max() < 0.55


def test_one_or_many_read_from_anywhere_give_the_same_answer(locator):
    path = VIEWS[0]
    alone = locator.locate(path)
    for other in (path.read_bytes(), Image.open(path)):
        assert locator.locate(other).position == alone.position
    among = locator.locate([VIEWS[1], path])[1]
    assert among.position.lat == pytest.approx(alone.position.lat, abs=1e-2)


def test_a_bad_image_among_many_does_not_stop_the_rest(locator, tmp_path):
    (tmp_path / "bad.png").write_bytes(VIEWS[0].read_bytes()[:200])
    found = list(locator.locate_each([VIEWS[0], tmp_path / "bad.png", VIEWS[1]]))
    assert isinstance(found[1], ImageError)
    assert "bad.png" in str(found[1])
    assert [getattr(p, "image", None) for p in (found[0], found[2])] == [
        str(VIEWS[0]),
        str(VIEWS[1]),
    ]
    with pytest.raises(ImageError, match=r"bad\.png"):
        locator.locate([VIEWS[0], tmp_path / "bad.png"])


def test_images_are_read_as_they_come(locator):
    asked = []

    def endless():
        while True:
            asked.append(1)
            yield VIEWS[0]

    stream = locator.locate_each(endless())
    next(stream)
    stream.close()
    assert len(asked) <= 64


def test_a_density_adds_up_to_one(locator):
    density = locator.density(VIEWS[0])
    assert density.probability.sum() == pytest.approx(1)
    assert len(density.cells) == len(density.centres) == len(density.probability)


def test_a_missing_model_says_what_there_is():
    with pytest.raises(ModelNotFoundError, match="embedded"):
        Locator.from_pretrained("no-such-model")


@pytest.mark.parametrize("name", ["gallery", "model", "verdict"])
def test_a_cut_file_is_an_error(name, tmp_path):
    source = resolve_model("embedded")
    for file in source.iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content[:-9] if file.stem == name else content)
    with pytest.raises(ModelFormatError, match=name):
        Locator.from_pretrained(tmp_path)


def test_within_a_region_only_its_places_are_answers(locator):
    brazil = locator.within("Brazil")
    for prediction in brazil.locate([str(view) for view in VIEWS[:2]]):
        places = [(c.position.lat, c.position.lon) for c in prediction.candidates]
        assert (np.abs(np.array(places) - (-10, -53)) < 25).all()
        assert prediction.scope == Scope(len(brazil.engine.gallery.lat_lon), region="Brazil")
    assert len(brazil.engine.gallery.lat_lon) < len(locator.engine.gallery.lat_lon) / 5


def test_places_outside_a_region_can_count_a_little(locator):
    free = locator.locate(VIEWS[0])
    alike = locator.within("Brazil", outside=1.0).locate(VIEWS[0])
    assert alike.position == free.position
    nearly = locator.within("Brazil", outside=1e-60).locate(VIEWS[0])
    assert nearly.candidates[0].place.endswith("Brazil")
    everywhere = len(locator.engine.gallery.lat_lon)
    assert free.scope == Scope(everywhere)
    assert alike.scope == Scope(everywhere, region="Brazil", outside_weight=1.0)


def test_an_own_gallery_is_chosen_from(trained):
    places = [(-9.6, -40.7), (48.9, 2.3), (35.7, 139.7), (0.0, 20.0)]
    with pytest.raises(ConfigError, match="leave the gallery out"):
        Locator.from_pretrained(gallery=places)
    own = Locator.from_pretrained(trained, gallery=places)
    prediction = own.locate(VIEWS[0])
    assert prediction.scope == Scope(4, is_own=True)
    assert own.within("Brazil").locate(VIEWS[0]).scope == Scope(1, is_own=True, region="Brazil")
    assert min(abs(prediction.position.lat - lat) for lat, _ in places) < 1e-3
