"""``geowhy concepts`` on a small vocabulary, and on a model that knows nothing but latitude."""

import builtins
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.model.geomodel import GeoModel

VOCABULARY = """
category = "parts of the world"
[[concept]]
id = "northern"
name = "far north"
definition = "North of the 50th parallel."
prompts = ["north", "the north", "far north"]
grounding = "latitude > 50"
from_above = true
[[concept]]
id = "northness"
name = "northern latitude"
definition = "How far north it is."
prompts = ["latitude", "a latitude", "any latitude"]
grounding = "latitude"
[[concept]]
id = "rainfall"
name = "rain"
definition = "How much it rains."
prompts = ["rain", "much rain", "no rain"]
grounding = "precipitation"
[[concept]]
id = "calm_mood"
name = "calm mood"
definition = "Nobody can tell where."
prompts = ["calm", "very calm", "never calm"]
"""


@pytest.fixture
def vocabulary(tmp_path):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    (folder / "parts.toml").write_text(VOCABULARY, encoding="utf-8")
    return folder


@pytest.fixture
def model(put_module, vocabulary):
    """A model whose score of two concepts is the latitude; it lacks the others."""
    places = uniform_on_land(Atlas.load(), 3000, np.random.default_rng(0))
    concepts = Vocabulary.load(vocabulary)

    def bank(name):
        return SimpleNamespace(ids=(name,), vocabulary_digest=concepts.only([name]).digest)

    def concept_scores(side, columns):
        return 2.0 * side[:, :1][:, columns]

    made = SimpleNamespace(
        name="latitude-only",
        gallery=SimpleNamespace(lat_lon=places, side=places.astype(np.float32)),
        model=GeoModel(
            name="latitude-only",
            backbone=None,
            location=None,
            aligner=SimpleNamespace(bank=bank("northern"), concept_scores=concept_scores),
            places=SimpleNamespace(
                bank=bank("northness"),
                concept_scores=lambda lat_lon: 0.5 * lat_lon[:, :1].astype(np.float32),
            ),
        ),
    )
    locator = SimpleNamespace(name=made.name, engine=made)
    put_module("geowhy.locator", Locator=SimpleNamespace(from_pretrained=lambda _: locator))
    return made


@pytest.fixture
def concepts(geowhy, vocabulary):
    """Runs a subverb on the small vocabulary."""

    def run(action, *arguments):
        return geowhy("concepts", action, *arguments, "--vocabulary", vocabulary)

    return run


def test_list_says_what_each_concept_is(concepts):
    lines = concepts("list").stdout.splitlines()
    assert lines[0] == "parts of the world"
    assert [line.split() for line in lines[1:5]] == [
        ["northern", "far", "north", "class", "from", "above"],
        ["northness", "northern", "latitude", "degree", "-"],
        ["rainfall", "rain", "degree", "-"],
        ["calm_mood", "calm", "mood", "-", "-"],
    ]
    assert lines[-1] == (
        "4 concepts in 1 category: 1 class, 2 degrees, 1 without a grounding; 1 seen from above"
    )


def test_list_as_json_is_one_object_a_line(concepts):
    listed = [json.loads(line) for line in concepts("list", "--json").stdout.splitlines()]
    assert [concept["kind"] for concept in listed] == ["class", "degree", "degree", None]
    assert listed[0]["grounding"] == "latitude > 50"
    assert listed[3]["prompts"] == ["calm", "very calm", "never calm"]


def test_list_leaves_out_what_is_not_grounded(concepts):
    result = concepts("list", "--grounded")
    assert "calm_mood" not in result.stdout
    assert "3 concepts" in result.stdout


def test_list_of_a_category(concepts, vocabulary):
    other = VOCABULARY[VOCABULARY.index('[[concept]]\nid = "calm_mood"') :]
    other = other.replace("calm", "wild")
    (vocabulary / "z.toml").write_text(f'category = "Moods"\n{other}', encoding="utf-8")
    result = concepts("list", "--category", "moods")
    assert result.stdout.splitlines()[0] == "Moods"
    assert "1 concept in 1 category" in result.stdout
    wrong = concepts("list", "--category", "mud")
    assert wrong.exit_code == 1
    assert wrong.stderr == (
        "geowhy: there is no category 'mud': there are parts of the world, Moods\n"
    )


def test_list_of_the_packaged_vocabulary(geowhy):
    listed = geowhy("concepts", "list", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in listed] == [
        concept.id for concept in Vocabulary.load().concepts
    ]


@pytest.mark.parametrize("name", ["northern", "FAR  north"])
def test_show_finds_a_class_by_id_and_by_name(concepts, name):
    text = concepts("show", name).stdout
    assert text.startswith("far north (northern)\n  North of the 50th parallel.\n")
    assert "grounding   latitude > 50" in text
    assert "layers      latitude, °" in text
    assert "Northern Europe: 10" in text or "Northern Europe: 9" in text
    assert "Western Africa" not in text
    # Of the land north of 60° S by area, with the Antarctic left out.
    places = uniform_on_land(Atlas.load(), 50_000, np.random.default_rng(5))
    said = float(text.split("holds on ")[1].split(" %")[0])
    assert said == pytest.approx(100 * (places[:, 0] > 50).mean(), abs=1)


def test_show_a_degree_as_json(concepts):
    shown = json.loads(concepts("show", "rain", "--json").stdout)
    assert shown["unit"] == "mm/yr"
    assert shown["land_share"] is None
    assert shown["layers"][0]["name"] == "precipitation"
    assert "ERA5" in shown["layers"][0]["sources"][0]["upstream"]
    least, middle, most = (shown["percentiles"][key] for key in ("p5", "p50", "p95"))
    assert 0 < least < middle < most
    medians = [region["value"] for region in shown["regions"]]
    assert medians == sorted(medians, reverse=True)
    assert medians[-1] > middle


def test_show_a_degree_in_words(concepts):
    text = concepts("show", "rain").stdout
    assert "percentiles by area, of the land north of 60° S: 5 %: " in text
    assert "mm/yr" in text
    assert "median" in text
    assert max(map(len, text.splitlines())) <= 100


def test_show_what_is_not_grounded(concepts):
    assert "none: the atlas can't tell where it holds" in concepts("show", "calm mood").stdout
    assert "land_share" not in json.loads(concepts("show", "calm mood", "--json").stdout)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("northen", "did you mean northern"), ("qqqq", "geowhy concepts list"), ("mod", "calm_mood")],
)
def test_an_unknown_concept_is_an_error_with_the_nearest(concepts, asked, hint):
    result = concepts("show", asked)
    assert result.exit_code == 1
    assert f"no concept '{asked}'" in result.stderr
    assert hint in result.stderr


@pytest.mark.parametrize("name", ["far north", "northness"])
def test_map_draws_and_says_the_agreement(concepts, model, tmp_path, name):
    drawn = tmp_path / "map.png"
    result = concepts("map", name, "-o", drawn)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"The map: {drawn}" in result.stdout
    places = model.gallery.lat_lon
    r = np.corrcoef(places[:, 0], places[:, 0] > 50)[0, 1]
    said = f"r = {r:.3f} and AUC = 1.000" if name == "far north" else "r = 1.000"
    assert f"Pearson correlation {said} over 3,000 gallery points." in result.stdout
    assert ("AUC" in result.stdout) == (name == "far north")
    with Image.open(drawn) as picture:
        assert picture.width == 2400


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_map_as_vectors(concepts, model, tmp_path, suffix, start):
    drawn = tmp_path / f"map.{suffix}"
    assert concepts("map", "northern", "-o", drawn).exit_code == 0
    assert drawn.read_bytes().startswith(start)


def test_map_is_named_after_the_concept(concepts, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    concepts("map", "far north")
    assert (tmp_path / "northern.png").is_file()


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("calm mood", "a.png", "no grounding"),
        ("rain", "a.png", "latitude-only has no concept 'rainfall'"),
        ("northern", "a.gif", "end the name in .png, .svg, .pdf"),
        ("northern", "none/a.png", "there is no folder"),
        ("northern", "taken.png", "choose another --output"),
    ],
)
def test_map_says_why_it_cannot(concepts, model, tmp_path, name, file, message):
    (tmp_path / "taken.png").mkdir()
    result = concepts("map", name, "-o", tmp_path / file)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "a.png").exists()


def test_map_warns_of_another_vocabulary(concepts, model, tmp_path):
    model.model.bank.vocabulary_digest = "other"
    result = concepts("map", "northern", "-o", tmp_path / "a.png")
    assert result.exit_code == 0
    assert "trained with another vocabulary" in result.stderr


def test_map_says_when_too_few_places_have_a_class(concepts, model, tmp_path):
    places = model.gallery.lat_lon
    few = np.concatenate([places[places[:, 0] > 50][:9], places[places[:, 0] <= 50]])
    model.gallery.lat_lon, model.gallery.side = few, few.astype(np.float32)
    result = concepts("map", "northern", "-o", tmp_path / "a.png")
    assert result.exit_code == 0
    assert "fewer than ten have it, or lack it, so there is no AUC" in result.stdout


def test_map_refuses_a_model_that_scores_all_places_alike(concepts, model, tmp_path):
    model.gallery.side[:] = 0
    result = concepts("map", "northern", "-o", tmp_path / "a.png")
    assert result.exit_code == 1
    assert "the same score everywhere" in result.stderr


def test_map_without_matplotlib_names_the_extra(concepts, model, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "geowhy.render.concept_map", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    result = concepts("map", "northern", "-o", tmp_path / "a.png")
    assert result.exit_code == 1
    assert "pip install 'geowhy[plots]'" in result.stderr


@pytest.mark.parametrize(("flag", "printed"), [([], "a table"), (["--json"], "{}")])
def test_score(geowhy, put_module, flag, printed):
    def score_concepts(model, report):
        assert model == "m"
        report("embedding places")
        return SimpleNamespace(table=lambda: "a table", to_json=lambda: "{}")

    put_module("geowhy.evaluation.concept_scores", score_concepts=score_concepts)
    result = geowhy("concepts", "score", "m", *flag)
    assert (result.stdout, result.stderr) == (f"{printed}\n", "embedding places\n")


def test_a_subverb_is_needed(geowhy):
    assert geowhy("concepts").exit_code == 2
