"""``geowhy rules`` hands over what it was given, and refuses what can't be before any work."""

from types import SimpleNamespace

import numpy as np
import pytest

from geowhy.evaluation.rule_report import Contrast


@pytest.fixture
def stages(put_module):
    """Fakes what measures and fits; gives what it was asked for."""
    asked = []

    def open_views(model, seed, report):
        report("embedding views")
        asked.append(("views", model, seed))
        return SimpleNamespace(model=SimpleNamespace(name=model))

    def answer(kind):
        def call(*arguments):
            asked.append((kind, *arguments[1:-1]))
            return SimpleNamespace(table=lambda: f"{kind} table", to_json=lambda: f'"{kind}"')

        return call

    def contrast_countries(views, first, second, report):
        made = Contrast.of(
            (first.name, second.name),
            (("desert", "land cover"), ("coast", "water")),
            (np.array([1.0, 0.0]), np.array([0.0, 1.0])),
            (np.array([1.0, -0.5]), np.array([-1.0, 0.5])),
            0.0,
        )
        return made, f"by {views.model.name}"

    put_module("geowhy.evaluation.rules", RuleViews=SimpleNamespace(open=open_views))
    put_module("geowhy.evaluation.error_bands", measure_bands=answer("bands"))
    put_module(
        "geowhy.evaluation.rule_report",
        measure_rules=answer("rules"),
        contrast_countries=contrast_countries,
    )
    return asked


def test_it_measures(geowhy, stages):
    result = geowhy("rules", "embedded")
    assert (result.exit_code, result.stdout) == (0, "rules table\n")
    assert result.stderr == "embedding views\n"
    assert stages == [("views", "embedded", 0), ("rules", False)]


def test_more_on_demand_as_json(geowhy, stages):
    result = geowhy("rules", "embedded", "--cells", "--bands", "--json", "--seed", 2)
    assert result.stdout == '"rules"\n"bands"\n'
    assert stages[:2] == [("views", "embedded", 2), ("rules", True)]


def test_it_draws(geowhy, stages, tmp_path):
    file = tmp_path / "pair.html"
    result = geowhy("rules", "embedded", "--between", "chad", "JP", "-o", file)
    assert result.exit_code == 0, result.stderr
    assert "for Chad: desert +1.00, less coast +0.50" in result.stdout
    text = file.read_text(encoding="utf-8")
    assert "What tells Chad from Japan" in text
    assert "by embedded" in text


def test_the_diagram_is_named_after_the_pair(geowhy, stages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert geowhy("rules", "embedded", "--between", "Chad", "Japan", "--json").exit_code == 0
    assert (tmp_path / "td-jp.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--between", "Frnace", "JP"], "did you mean France"),
        (["--between", "JP", "Japan"], "two countries"),
        (["--between", "FR", "JP", "-o", "a.png"], "end the name in .html"),
        (["--between", "FR", "JP", "-o", "nowhere/a.html"], "no folder nowhere"),
        (["--between", "FR", "JP", "--cells"], "leave --cells and --bands out"),
        (["--seed", "-1"], "from 0 on"),
        (["-o", "a.html"], "for --between A B alone"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(geowhy, stages, arguments, said):
    result = geowhy("rules", "embedded", *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert stages == []


def test_ctrl_c_ends_quietly(geowhy, stages, put_module):
    def open_views(model, seed, report):
        raise KeyboardInterrupt

    put_module("geowhy.evaluation.rules", RuleViews=SimpleNamespace(open=open_views))
    result = geowhy("rules", "embedded")
    assert (result.exit_code, result.stdout) == (130, "")
