"""``geowhy locate``: what is read, what is printed, and in which order."""

import io
import json
import os
import sys
from types import SimpleNamespace

import pytest
from PIL import Image

from geowhy.answer import Scope
from geowhy.hints import HeadingRange, Hints, WidthRange
from geowhy.render.wording import as_text

KEYS = ["version", "image", "lat", "lon", "radius_50_km", "radius_90_km"]
KEYS += ["heading_deg", "width_km", "footprint", "verified", "agreement"]
KEYS += ["calibrated", "scope"]
KEYS += [
    "other_evidence",
    "notes",
    "file_says",
    "abstained",
    "abstention",
    "candidates",
    "against",
    "score",
    "unexplained",
    "concepts",
]
KEYS += ["explained_share", "model"]

UNLIKE = "The image is unlike those that the model was trained on (novelty 3.0, limit 1.5)."

pytestmark = pytest.mark.usefixtures("fake_model")


def records(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_the_stated_fields(geowhy, folder):
    (record,) = records(geowhy("locate", folder / "b/savanna.PNG", "--json"))
    assert list(record) == KEYS
    assert record["candidates"][0] == {
        "lat": 9.4075,
        "lon": -0.8393,
        "probability": 0.34,
        "place": "near Tamale, Ghana",
    }
    assert record["concepts"] == [
        {
            "name": "savanna",
            "category": "",
            "contribution": 1.5,
            "present": True,
            "probability": None,
            "is_concept": True,
        },
        {
            "name": "snow",
            "category": "",
            "contribution": 0.75,
            "present": False,
            "probability": None,
            "is_concept": True,
        },
        {
            "name": "coast",
            "category": "",
            "contribution": -0.5,
            "present": True,
            "probability": None,
            "is_concept": True,
        },
    ]
    assert record["explained_share"] == pytest.approx(2.75 / 3, abs=1e-4)
    assert record["model"] == "fake"
    everywhere = {"places": 192_000, "is_own": False, "region": None, "outside_weight": None}
    assert record["scope"] == everywhere | {"width": None, "heading": None}


def test_one_bad_image_does_not_stop_the_rest(geowhy, folder):
    bad, gone = folder / "notes.txt", folder / "gone.png"
    result = geowhy("locate", bad, folder / "cat.png", gone, folder / "b/savanna.PNG", "--json")
    first, second, third, fourth = records(result)
    assert result.exit_code == 1
    assert list(first) == ["version", "image", "error"]
    assert first["image"] == str(bad)
    assert "no such file" in third["error"]
    assert second["abstained"]
    assert fourth["lat"] == 9.4075


def test_a_folder_gives_all_its_images_sorted(geowhy, folder):
    found = [record["image"] for record in records(geowhy("locate", folder, "--json"))]
    assert found == [str(folder / "b/savanna.PNG"), str(folder / "cat.png")]


def test_a_folder_reads_images_without_suffix_and_names_kinds_it_cannot_read(geowhy, folder):
    (folder / "cat.png").rename(folder / "cat")
    for name in ("LICENSE", "x.json", "y.jxl", "z.NEF"):
        (folder / name).write_text("no image")
    result = geowhy("locate", folder, "--json")
    _, found, jxl, nef = records(result)
    assert result.exit_code == 1
    assert found["image"] == str(folder / "cat")
    assert "error" not in found
    assert [jxl["image"], nef["image"]] == [str(folder / "y.jxl"), str(folder / "z.NEF")]
    assert "export it as JPEG" in jxl["error"]
    last = result.stderr.splitlines()[-1]
    assert last == "4 files left out: LICENSE, notes.txt, x.json (no images); 1 hidden"


def test_a_folder_without_images_is_an_error(geowhy, tmp_path):
    result = geowhy("locate", tmp_path, "--json")
    assert result.exit_code == 1
    assert records(result) == [
        {"version": 1, "image": str(tmp_path), "error": "this folder holds no images"}
    ]


def test_standard_input(geowhy, monkeypatch):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(file.getvalue())))
    (record,) = records(geowhy("locate", "-", "--json"))
    assert record["image"] == "-"


def test_top_k(geowhy, folder):
    (record,) = records(geowhy("locate", folder / "b/savanna.PNG", "--json", "--top-k", "1"))
    assert len(record["candidates"]) == 1


def test_text(geowhy, folder):
    result = geowhy("locate", folder / "b/savanna.PNG", "--explain")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{folder}/b/savanna.PNG: near Tamale, Ghana, 34 % probable",
        "  9.41° N, 0.84° W. Half of such answers are within 310 km of the truth, "
        "nine in ten within 1,800 km.",
        "  It could also be",
        "    under 1 %  at sea, 500 km west of Lobito, Angola (12.00° S, 8.52° E)",
        "  What speaks for it against everywhere else, in log-odds",
        f"     +1.50  {'█' * 24}  savanna",
        f"     +0.75  {'█' * 12 + ' ' * 12}  less snow",
        "  What speaks against it",
        f"     −0.50  {'█' * 8 + ' ' * 16}  coast",
        "  These 3 concepts are 92 % of the evidence; what no concept carries adds +0.25.",
    ]


@pytest.mark.parametrize(
    ("scope", "chance", "said"),
    [
        (Scope(4, is_own=True), "34 % probable among the 4 places considered", "the given places"),
        (Scope(1, region="Malta"), "the only place considered", "places in Malta"),
    ],
)
def test_a_probability_among_given_places_is_said_to_be_one(fakes, scope, chance, said):
    lines = as_text(fakes.prediction("a.png", scope=scope)).splitlines()
    assert lines[0] == f"a.png: near Tamale, Ghana, {chance}"
    assert lines[-1] == f"  Only {said} were considered."


def test_what_was_told_of_the_picture_is_said(fakes):
    hints = Hints(WidthRange(320, 500), HeadingRange(-30, 15))
    lines = as_text(fakes.prediction("a.png", scope=Scope(9, region="Malta", hints=hints)))
    assert lines.splitlines()[-1] == (
        "  Only places in Malta were considered. It counted that, as you told, the picture is 320 "
        "to 500 km wide and has its top -30° ± 15° clockwise from north."
    )
    only = as_text(fakes.prediction("a.png", scope=Scope(9, hints=Hints(WidthRange(1.5, 20_000)))))
    assert only.endswith("the picture is 1.5 to 20,000 km wide.")
    assert "considered" not in only


def test_hints_reach_the_model(geowhy, folder):
    picture = folder / "b/savanna.PNG"
    (record,) = records(geowhy("locate", picture, "--hint-width", "300-600", "--json"))
    assert record["scope"]["width"] == {"least_km": 300.0, "most_km": 600.0}
    assert record["scope"]["heading"] is None
    said = geowhy("locate", picture, "--heading=-30", "--hint-width", "400").stdout
    assert "320 to 500 km wide and has its top -30° ± 15°" in said
    wrong = geowhy("locate", picture, "--heading", "north")
    assert wrong.exit_code == 2
    assert "no heading in degrees" in wrong.stderr


def test_after_an_abstention_no_place_is_named(geowhy, folder):
    (line,) = geowhy("locate", folder / "cat.png", "--explain").stdout.splitlines()
    assert line == f"{folder}/cat.png: no answer. {UNLIKE}"
    (record,) = records(geowhy("locate", folder / "cat.png", "--json"))
    assert [record[key] for key in KEYS[2:11]] == [None] * 9
    assert record["abstention"] == {"kind": "novel", "value": 3.0, "limit": 1.5}
    assert (record["candidates"], record["guess"]) == ([], None)
    assert (record["concepts"], record["explained_share"]) == ([], None)


def test_a_guess_that_was_asked_for_is_marked_and_promises_nothing(geowhy, folder):
    _, *said = geowhy("locate", folder / "cat.png", "--guess").stdout.splitlines()
    assert said == ["  Only a guess, and no answer: near Tamale, Ghana, 9.41° N, 0.84° W"]
    (record,) = records(geowhy("locate", folder / "cat.png", "--json", "--guess"))
    assert record["lat"] is record["radius_50_km"] is None
    place = {"lat": 9.4075, "lon": -0.8393, "place": "near Tamale, Ghana"}
    unknown = dict.fromkeys(("radius_50_km", "radius_90_km", "probability"))
    assert record["guess"] == place | unknown


def test_names_do_not_steer_the_terminal(geowhy, folder):
    name = folder / "\x1b[31mred\n.png"
    os.rename(folder / "cat.png", name)
    for result in (geowhy("locate", name), geowhy("locate", f"{name}.gone")):
        assert "\x1b" not in result.stdout + result.stderr
        assert "red\n" not in result.stdout + result.stderr


def test_a_line_break_in_a_name_is_escaped(geowhy, folder):
    (folder / "cat.png").rename(folder / "a\nb\t.png")
    first = geowhy("locate", folder / "a\nb\t.png").stdout.splitlines()[0]
    assert first.startswith(f"{folder}/a\\nb\\t.png: ")


def test_progress_only_for_those_who_watch(geowhy, folder, monkeypatch):
    from geowhy.cli.options import with_progress

    watched = io.StringIO()
    monkeypatch.setattr(watched, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", watched)
    assert list(with_progress(range(3), 3)) == [0, 1, 2]
    assert watched.getvalue() == ""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert list(with_progress(range(20), 20)) == list(range(20))
    assert "20/20" in watched.getvalue()


def test_what_a_region_holds_is_said_once(geowhy, fake_model, folder):
    result = geowhy("locate", folder / "cat.png", "--region", "ESP,Ghana", "--json")
    assert result.stderr == "Spain, Ghana (Spain: with Canary Islands)\n"
    assert geowhy("locate", folder / "cat.png", "--region", "Ghana", "--json").stderr == ""


def test_outside_takes_a_region_and_a_share(geowhy, folder):
    lonely = geowhy("locate", folder / "b/savanna.PNG", "--outside", "0.5")
    assert lonely.exit_code == 1
    assert "give --region too" in lonely.stderr
    assert geowhy("locate", "x.png", "--region", "Japan", "--outside", "2").exit_code == 2


def test_a_gallery_with_a_bad_row_is_refused(geowhy, folder, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("lat,lon\n10,20\n95,0\n")
    result = geowhy("locate", folder / "b/savanna.PNG", "--gallery", points)
    assert result.exit_code == 1
    assert "1 of 2 rows are no point on Earth (line 3;" in result.stderr
