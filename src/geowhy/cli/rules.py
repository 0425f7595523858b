"""``geowhy rules``: which concepts name a country, and how well they do."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from geowhy.errors import ConfigError, DataError

__all__ = ["HELP", "add_arguments", "run"]

HELP = (
    "Name countries by a few concepts each, and tell two apart; measured beside classifiers that "
    "see everything, on held-out views."
)
SUFFIX = ".svg"
NAMED = 6  # concepts on either side


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    parser.add_argument("model", metavar="MODEL", help="a model's name or folder")
    pair = "draw what tells two countries apart instead, by English names or two-letter ISO codes"
    parser.add_argument("--between", nargs=2, metavar=("A", "B"), help=pair)
    output = "of --between: an .svg (default: A-B.svg by their ISO codes)"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=output)
    parser.add_argument("--cells", action="store_true", help="name H3 cells as well")
    bands = "also list the concepts that speak for answers that are right, and for wrong ones"
    parser.add_argument("--bands", action="store_true", help=bands)
    seed = "of the sample of training views (default: 0)"
    parser.add_argument("--seed", type=int, default=0, metavar="N", help=seed)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(given: Namespace) -> int:
    """Measure, or draw.

    Raises:
        ConfigError: if what is asked for doesn't go together.
    """
    if given.seed < 0:
        raise ConfigError(f"--seed {given.seed}: give a whole number from 0 on")
    if given.between is None:
        if given.output is not None:
            raise ConfigError(f"--output {given.output}: is for --between A B alone: leave it out")
        _measure(given)
        return 0
    if given.cells or given.bands:
        raise ConfigError("--between draws one diagram: leave --cells and --bands out")
    _draw(given)
    return 0


def _measure(given: Namespace) -> None:
    from geowhy.evaluation.place_rules import measure_rules
    from geowhy.evaluation.rule_views import RuleViews

    report = measure_rules(RuleViews.open(given.model, given.seed, _say), given.cells, _say)
    print(report.to_json() if given.json else report.table(), flush=True)
    if given.bands:
        from geowhy.evaluation.error_bands import measure_bands

        bands = measure_bands(given.model, _say)
        print(bands.to_json() if given.json else f"\n{bands.table()}")


def _draw(given: Namespace) -> None:
    from geowhy.cli.pages import write_page
    from geowhy.evaluation.place_rules import contrast_of, country_rules, find_country
    from geowhy.evaluation.rule_views import RuleViews
    from geowhy.geo.atlas import Atlas
    from geowhy.render.sankey import sankey

    first, second = (find_country(name, Atlas.load()) for name in given.between)
    if first == second:
        raise DataError(f"{first.name}: can't be told from itself: give two countries")
    output = given.output or Path(f"{first.code}-{second.code}{SUFFIX}".lower())
    _check(output)  # before minutes of work
    views = RuleViews.open(given.model, given.seed, _say)
    rules = country_rules(views, _say)
    contrast = contrast_of(rules, first, second, views.model.bank)
    write_page(output, sankey(contrast, rules.note(views.model.name)))
    if given.json:
        print(contrast.to_json())
        return
    for which, country in enumerate((first, second)):
        print(f"for {country.name}: {contrast.words(which, NAMED)}")
    print(f"The diagram: {output}")


def _check(output: Path) -> None:
    if output.suffix.lower() != SUFFIX:
        raise DataError(f"{output}: the diagram is an SVG: end the name in {SUFFIX}")
    if not output.parent.is_dir():
        raise DataError(f"{output}: there is no folder {output.parent}: make it or choose another")


def _say(stage: str) -> None:
    print(stage, file=sys.stderr, flush=True)
