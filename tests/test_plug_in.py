"""A model and a piece of evidence of one's own, in a few dozen lines and no other file.

A toy that knows four places by their colours, and evidence that says which are north, get answers,
explanations, JSON and a page, as what comes with geowhy does.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from geowhy.answer import Scope
from geowhy.cli.main import main
from geowhy.engine import Engine
from geowhy.errors import ConfigError
from geowhy.explain.explainer import Question
from geowhy.geo.cells import CellGrid
from geowhy.heads.gallery import CELL_RESOLUTION, Gallery
from geowhy.locator import Locator
from geowhy.model.terms import Encoded, Part
from geowhy.posterior.calibration import Calibration
from geowhy.pretrained import catalogue
from geowhy.pretrained.entry import ModelOptions
from geowhy.records import as_json, explanation_json, prediction_from_json
from geowhy.render.report import ReportEntry, html_report
from geowhy.render.wording import as_text

SAHARA, CONGO, GREENLAND, AUSTRALIA = (24.0, 5.0), (-1.0, 23.0), (72.0, -40.0), (-25.0, 130.0)
COLOURS = {SAHARA: (1, 0, 0), CONGO: (0, 1, 0), GREENLAND: (0, 0, 1), AUSTRALIA: (1, 0, 0)}


@dataclass(frozen=True, slots=True, eq=False)
class Colours(Part):
    """Of images or of places, red, green and blue ``[N, 3]``."""

    rgb: np.ndarray


class ColourTerm:
    """How well the colours of an image agree with those of a place."""

    source, are_concepts = "colours", True
    names, categories = ("red", "green", "blue"), ("colour",) * 3

    def scores(self, images, places):
        return 4 * images.part(Colours).rgb @ places.part(Colours).rgb.T

    def contributions(self, image, places):
        rgb = image.part(Colours).rgb[0].astype(np.float64)
        return 4 * rgb * places.part(Colours).rgb, np.zeros(len(places))

    def activations(self, images):
        return images.part(Colours).rgb

    def exceeds(self, place, reference):
        return place.part(Colours).rgb[0] > reference.part(Colours).rgb[0]

    def edited(self, image, edit):
        return Colours(edit(image.part(Colours).rgb))


class ColourModel:
    """Sees the mean colour of an image; knows that of a place by the nearest of its four."""

    name = "toy"
    terms = (ColourTerm(),)

    def features(self, pixels):
        return np.array([p.mean(axis=(0, 1)) / 255 for p in pixels], np.float32)

    def image_side(self, features):
        return Encoded((Colours(features),))

    def location_side(self, lat_lon):
        apart = np.abs(np.array(lat_lon)[:, None] - np.array(list(COLOURS))).sum(axis=2)
        return Encoded((Colours(np.array(list(COLOURS.values()), np.float32)[apart.argmin(1)]),))


def load_toy(name_or_dir, places, options, tell):
    model, lat_lon = ColourModel(), np.array(list(COLOURS)) if places is None else places
    side = model.location_side(lat_lon)
    gallery = Gallery.of(lat_lon, CellGrid.build(lat_lon, CELL_RESOLUTION), side)
    return Engine(model, gallery, Calibration(is_fitted=False), None)


@dataclass(frozen=True)
class Southern:
    """Evidence: places north of the equator count e⁻³ of the others."""

    source: str = "stars of the south"
    is_prior: bool = False

    def log_likelihood(self, lat_lon):
        return np.where(lat_lon[:, 0] < 0, 0.0, -3.0)


@dataclass(frozen=True)
class SharpOptions(ModelOptions):
    precision: Literal["rough", "exact"] = field(
        default="rough", metadata={"help": "how finely it looks"}
    )


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setattr(catalogue, "_ENTRIES", dict(catalogue._ENTRIES))
    catalogue.register(catalogue.ModelEntry("toy", load_toy, digest=lambda _: "0" * 64))
    return Locator.from_pretrained("toy")


@pytest.fixture
def green(tmp_path):
    path = tmp_path / "green.png"
    Image.new("RGB", (16, 16), (30, 220, 20)).save(path)
    return path


RED = Image.new("RGB", (16, 16), (250, 20, 40))


def where(prediction):
    return (round(prediction.position.lat), round(prediction.position.lon))


def test_a_registered_model_locates_by_its_own_term(toy, green):
    prediction = toy.locate(green)
    assert where(prediction) == CONGO
    assert (prediction.model, prediction.scope) == ("toy", Scope(4))
    best = prediction.explanation.speaking_for(1)[0]
    assert (best.name, best.category) == ("green", "colour")
    assert not prediction.calibrated


def test_evidence_moves_the_answer_of_any_model(toy):
    north, south = (c.probability for c in toy.locate(RED).candidates[:2])
    assert north == pytest.approx(south, rel=0.05)
    moved = Locator(toy.engine.with_evidence(Southern())).locate(RED)
    assert where(moved) == AUSTRALIA
    assert moved.candidates[0].probability > 0.9
    assert moved.other_evidence == ("stars of the south",)


def test_evidence_beside_the_picture_is_named_wherever_the_answer_is(toy):
    found = Locator(toy.engine.with_evidence(Southern())).examine(RED)
    words = "Beside the picture, this counted: stars of the south."
    assert words in as_text(found.prediction)
    assert words in html_report([ReportEntry(found.prediction, found.pixels, None, None, "")])
    read = prediction_from_json(as_json(found.prediction, 5))
    assert read.other_evidence == ("stars of the south",)
    assert "Beside" not in as_text(toy.locate(RED))
    weighed = toy.within("Australia", outside=0.5)
    assert weighed.locate(RED).other_evidence == ()
    assert weighed.within("-90,-180,90,180").locate(RED).other_evidence == ("region",)


@pytest.mark.parametrize("against", ["elsewhere", "average", "runner-up", GREENLAND])
def test_both_are_explained_to_json_and_a_page(toy, against):
    question = Question(against, what_if=("-red", "+green"), regions="occlusion")
    found = Locator(toy.engine.with_evidence(Southern())).examine(RED, question)
    said = found.prediction.explanation
    assert sum(c.contribution for c in said.contributions) == pytest.approx(said.score)
    assert said.what_if[1].probability_after < said.what_if[1].probability_before
    assert said.sparse
    assert said.evidence[0].evidence.shape
    read = prediction_from_json(explanation_json(found.prediction))
    assert (read.model, read.scope) == ("toy", Scope(4))
    assert read.explanation.against.kind == said.against.kind
    assert [each.change for each in read.explanation.what_if] == ["-red", "+green"]
    entry = ReportEntry(found.prediction, found.pixels, found.density, None, "")
    page = html_report([entry])
    assert "Australia" in page
    assert "toy" in page


def test_the_command_line_knows_the_model_and_tells_of_it_on_the_page(toy, green, tmp_path, capsys):
    page = tmp_path / "why.html"
    assert main(["locate", str(green), "--model", "toy", "--json"]) == 0
    assert capsys.readouterr().out == as_json(toy.locate(str(green)), 5) + "\n"
    assert main(["explain", str(green), "--model", "toy", "-o", str(page)]) == 0
    assert "sha256 0000" in page.read_text(encoding="utf-8")


def test_models_may_have_an_option_of_the_same_name(toy, green, capsys):
    entry = catalogue.ModelEntry("sharp", load_toy, lambda _: "1" * 64, SharpOptions)
    catalogue.register(entry)
    image = ["locate", str(green), "--model"]
    assert main([*image, "sharp", "--precision", "exact", "--json"]) == 0
    assert main([*image, "sharp", "--precision", "int8"]) == 1
    assert "give one of rough, exact" in capsys.readouterr().err
    assert main([*image, "sharp", "--precision", "rounded"]) == 2
    assert main(["locate", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "geoclip: int8 is faster" in told
    assert "sharp: how finely" in told


def test_own_places_are_taken_and_said_to_be_own(toy):
    own = Locator.from_pretrained("toy", gallery=[CONGO, AUSTRALIA]).locate(RED)
    assert (where(own), own.scope) == (AUSTRALIA, Scope(2, is_own=True))


def test_what_the_model_cannot_do_is_said(toy):
    with pytest.raises(ConfigError, match="patches"):
        toy.explain(RED, regions="patches")
