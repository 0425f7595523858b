"""``geowhy rules``: which concepts name a country, and how well they do."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geowhy.cli.options import JsonLines, flag, option, say, to_file
from geowhy.errors import ConfigError, DataError

if TYPE_CHECKING:
    from geowhy.geo.atlas import Atlas, Country

__all__ = ["VERBS", "find_country"]

SUFFIX = ".html"


def _rules(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or folder.")],
    between: Annotated[
        tuple[str, str] | None,
        option(
            help="Draw what tells two countries apart instead, by English names or two-letter ISO "
            "codes.",
            metavar="A B",
        ),
    ] = None,
    output: Annotated[
        Path | None, to_file("Of --between: a page (default: A-B.html by their ISO codes).")
    ] = None,
    cells: Annotated[bool, flag("--cells", "Name H3 cells as well.")] = False,
    bands: Annotated[
        bool,
        flag(
            "--bands",
            "Also list the concepts that speak for answers that are right, and for wrong ones.",
        ),
    ] = False,
    seed: Annotated[
        int, option(help="Of the sample of training views (default: 0).", metavar="N")
    ] = 0,
    json: JsonLines = False,
) -> None:
    """Name countries by a few concepts each, and tell two apart.

    Measured beside classifiers that see everything, on held-out views.
    """
    if seed < 0:
        raise ConfigError(f"--seed {seed}: give a whole number from 0 on")
    if between is not None:
        if cells or bands:
            raise ConfigError("--between draws one page: leave --cells and --bands out")
        _draw(model, seed, between, output, json)
        return
    if output is not None:
        raise ConfigError(f"--output {output}: is for --between A B alone: leave it out")
    from geowhy.evaluation.rule_report import measure_rules
    from geowhy.evaluation.rules import RuleViews

    report = measure_rules(RuleViews.open(model, seed, say), cells, say)
    print(report.to_json() if json else report.table(), flush=True)
    if bands:
        from geowhy.evaluation.error_bands import measure_bands

        found = measure_bands(model, say)
        print(found.to_json() if json else f"\n{found.table()}")


def _draw(
    model: str, seed: int, names: tuple[str, str], output: Path | None, as_json: bool
) -> None:
    from geowhy.cli.pages import check_output, write_whole
    from geowhy.evaluation.rule_report import contrast_countries
    from geowhy.evaluation.rules import RuleViews
    from geowhy.geo.atlas import Atlas
    from geowhy.render.report import contrast_page

    first, second = (find_country(name, Atlas.load()) for name in names)
    if first == second:
        raise DataError(f"{first.name}: can't be told from itself: give two countries")
    output = output or Path(f"{first.code}-{second.code}{SUFFIX}".lower())
    check_output(output, (SUFFIX,), "the picture is a page")
    views = RuleViews.open(model, seed, say)
    contrast, note = contrast_countries(views, first, second, say)
    write_whole(output, contrast_page(contrast, note))
    if as_json:
        print(contrast.to_json())
        return
    for which, country in enumerate((first, second)):
        print(f"for {country.name}: {contrast.words(which, count=6)}")
    print(f"The page: {output}")


def find_country(name: str, atlas: Atlas) -> Country:
    """The country with this English name or ISO code, in any case.

    Raises:
        DataError: if there is none; names the nearest.
    """
    from geowhy.geo.regions import OTHER_NAMES

    by_code = {country.code: country for country in atlas.countries}
    known = {name.casefold(): by_code[x] for name, x in OTHER_NAMES.items() if x in by_code}
    for country in atlas.countries:
        known |= {country.code.casefold(): country, country.name.casefold(): country}
    asked = " ".join(name.split()).casefold()
    if asked in known:
        return known[asked]
    near = difflib.get_close_matches(asked, known, n=3)
    names = ", ".join(dict.fromkeys(known[each].name for each in near))
    hint = f"did you mean {names}?" if names else "give an English name or a two-letter ISO code"
    raise DataError(f"there is no country {name!r}: {hint}")


VERBS = (_rules,)
