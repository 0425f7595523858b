"""``geowhy rules``: which concepts name a country, and how well they do."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geowhy.cli.options import flag, option, say
from geowhy.errors import ConfigError, DataError

if TYPE_CHECKING:
    from geowhy.geo.atlas import Atlas, Country

__all__ = ["HELP", "RulesOptions", "find_country", "run"]

HELP = (
    "Name countries by a few concepts each, and tell two apart; measured beside classifiers that "
    "see everything, on held-out views."
)
SUFFIX = ".html"
NAMED = 6  # concepts on either side
NEAREST_NAMES = 3


@dataclass(frozen=True, kw_only=True)
class RulesOptions:
    """What ``geowhy rules`` takes."""

    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or folder.")]
    between: Annotated[
        tuple[str, str] | None,
        option(
            help="Draw what tells two countries apart instead, by English names or two-letter ISO "
            "codes.",
            metavar="A B",
        ),
    ] = None
    output: Annotated[
        Path | None,
        option(
            "-o",
            "--output",
            help="Of --between: a page (default: A-B.html by their ISO codes).",
            metavar="FILE",
        ),
    ] = None
    cells: Annotated[bool, flag("--cells", "Name H3 cells as well.")] = False
    bands: Annotated[
        bool,
        flag(
            "--bands",
            "Also list the concepts that speak for answers that are right, and for wrong ones.",
        ),
    ] = False
    seed: Annotated[
        int, option(help="Of the sample of training views (default: 0).", metavar="N")
    ] = 0
    json: Annotated[bool, flag("--json", "One JSON object a line.")] = False


def run(given: RulesOptions) -> int:
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
        raise ConfigError("--between draws one page: leave --cells and --bands out")
    _draw(given)
    return 0


def _measure(given: RulesOptions) -> None:
    from geowhy.evaluation.rule_report import measure_rules
    from geowhy.evaluation.rules import RuleViews

    report = measure_rules(RuleViews.open(given.model, given.seed, say), given.cells, say)
    print(report.to_json() if given.json else report.table(), flush=True)
    if given.bands:
        from geowhy.evaluation.error_bands import measure_bands

        bands = measure_bands(given.model, say)
        print(bands.to_json() if given.json else f"\n{bands.table()}")


def _draw(given: RulesOptions) -> None:
    from geowhy.cli.pages import check_output, write_whole
    from geowhy.evaluation.contrast import contrast_countries
    from geowhy.evaluation.rules import RuleViews
    from geowhy.geo.atlas import Atlas
    from geowhy.render.report import contrast_page

    first, second = (find_country(name, Atlas.load()) for name in given.between or ())
    if first == second:
        raise DataError(f"{first.name}: can't be told from itself: give two countries")
    output = given.output or Path(f"{first.code}-{second.code}{SUFFIX}".lower())
    check_output(output, (SUFFIX,), "the picture is a page")  # before minutes of work
    views = RuleViews.open(given.model, given.seed, say)
    contrast, note = contrast_countries(views, first, second, say)
    write_whole(output, contrast_page(contrast, note))
    if given.json:
        print(contrast.to_json())
        return
    for which, country in enumerate((first, second)):
        print(f"for {country.name}: {contrast.words(which, NAMED)}")
    print(f"The page: {output}")


def find_country(name: str, atlas: Atlas) -> Country:
    """The country with this English name or ISO code, in any case.

    Raises:
        DataError: if there is none; names the nearest.
    """
    from geowhy.geo.regions import OTHER_NAMES

    by_code = {country.code: country for country in atlas.countries}
    others = {name: code for name, code in OTHER_NAMES.items() if code in by_code}
    known = {name.casefold(): by_code[code] for name, code in others.items()}
    for country in atlas.countries:
        known |= {country.code.casefold(): country, country.name.casefold(): country}
    asked = " ".join(name.split()).casefold()
    if asked in known:
        return known[asked]
    near = difflib.get_close_matches(asked, known, n=NEAREST_NAMES)
    names = ", ".join(dict.fromkeys(known[each].name for each in near))
    hint = f"did you mean {names}?" if names else "give an English name or a two-letter ISO code"
    raise DataError(f"there is no country {name!r}: {hint}")
