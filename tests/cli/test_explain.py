"""``geowhy explain`` with the model that comes with geowhy."""

import json
from pathlib import Path

import pytest

import geowhy as package

CAT = Path(package.__file__).parent / "data" / "demo" / "photograph-cat.jpg"
VIEWS = Path(__file__).parent.parent / "data" / "views"
VIEW = VIEWS / "view-africa.png"


def test_text_says_why_and_what_if(geowhy):
    result = geowhy("explain", VIEW, "--guess", "--what-if", "-high country", "--what-if=+plateau")
    assert result.exit_code == 0
    for words in (
        "What speaks for it against everywhere else, in log-odds",
        "By category:",
        "Likely there, by the picture alone:",
        "of what tells these places apart (cosine",
        "without high country:",
        "with plateau:",
    ):
        assert words in result.stdout
    assert result.stderr == ""


def test_a_change_may_begin_with_a_minus(geowhy):
    result = geowhy("explain", VIEW, "--guess", "--what-if", "-plateau", "--against", "-33.9,18.4")
    assert result.exit_code == 0
    assert "without plateau" in result.stdout
    assert "Cape Town" in result.stdout


def test_json_adds_up(geowhy):
    result = geowhy(
        "explain", VIEW, "--guess", "--json", "--against", "runner-up", "--regions", "occlusion"
    )
    said = json.loads(result.stdout)
    total = sum(c["contribution"] for c in said["concepts"]) + said["unexplained"]
    assert total == pytest.approx(said["score"], abs=0.02)
    assert said["against"]["kind"] == "runner-up"
    assert {"lat", "lon", "place"} < set(said["against"])
    assert said["what_if"][0]["changes"] == [
        {"name": said["concepts"][0]["name"], "kind": "without"}
    ]
    assert said["sparse"]["reproduced"] >= said["sparse"]["asked"]
    assert len(said["what_if"]) == 4
    assert said["evidence"][0]["of"] == "the answer"
    assert len(said["evidence"][0]["fields"]) == 8


def test_json_of_an_abstention_says_nothing_of_a_guess_that_nobody_asked_for(geowhy):
    asked = ("explain", CAT, "--json", "--against", "runner-up")
    said = json.loads(geowhy(*asked).stdout)
    assert said["abstained"]
    for key in ("against", "score", "unexplained", "explained_share", "sparse", "guess"):
        assert said[key] is None, key
    assert said["concepts"] == said["what_if"] == said["evidence"] == []
    assert said["categories"] == {}
    guess = json.loads(geowhy(*asked, "--guess").stdout)
    assert guess["against"]["place"]
    assert guess["concepts"]


def test_a_page_is_written_whole(geowhy, tmp_path):
    page = tmp_path / "why.html"
    result = geowhy("explain", VIEW, VIEWS / "view-asia.png", "-o", page)
    assert result.exit_code == 0
    assert str(page) in result.stderr
    content = page.read_text(encoding="utf-8")
    assert content.count("<article") == 2
    assert "Behind these answers" in content
    assert "sha256 " in content
    assert list(tmp_path.iterdir()) == [page]


def test_one_bad_picture_does_not_stop_the_others(geowhy, tmp_path):
    torn = tmp_path / "torn.png"
    torn.write_bytes(VIEW.read_bytes()[:300])
    page = tmp_path / "why.html"
    result = geowhy("explain", torn, VIEW, "-o", page)
    assert result.exit_code == 1
    assert "torn.png" in result.stderr
    assert page.read_text(encoding="utf-8").count("<article") == 1


def test_a_folder_says_what_cannot_be_read(geowhy, tmp_path):
    (tmp_path / "a.jxl").write_text("no image")
    said = geowhy("explain", tmp_path)
    assert said.exit_code == 1
    assert "a.jxl: is of a kind of image that isn't read from folders" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--what-if", "-dessert"], 1, "did you mean"),
        (["--what-if", "desert"], 1, "put + or -"),
        (["--against", "91,0"], 2, "LAT,LON"),
        (["--against", "nowhere"], 2, "runner-up"),
        (["--regions", "patches"], 1, "occlusion"),
        (["--sparse", "1.5"], 2, "0 to 1"),
        (["-o", "/nowhere/why.html"], 1, "there is no folder"),
    ],
)
def test_what_cannot_be_asked_is_said(geowhy, arguments, status, words):
    result = geowhy("explain", VIEW, *arguments)
    assert result.exit_code == status
    assert words in result.stderr
