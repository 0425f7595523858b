"""What is spoken, written and paid in a country; how fast and how rich it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies

from earth_sources.archives import Archives
from earth_sources.countries import PACKAGE, Territories, class_by_country, number_by_country
from earth_sources.installed import installed_source
from earth_sources.writing import BuiltLayer
from geowhy.geo.atlas import Country

__all__ = ["culture_layers", "economy_layers", "speed_unit_layer"]

Spoken = Mapping[str, Mapping[str, Any]]  # what CLDR says of each language of a territory

ENGLISH = Locale("en")
UNKNOWN = "und"
OFFICIAL = frozenset({"official", "de_facto_official"})
# CLDR's name of a variant only makes sense beside that of its language.
SCRIPT_NAMES = {"Hans": "Simplified Chinese", "Hant": "Traditional Chinese"}
ONE_LANGUAGE = {"nb": "no"}
CURRENCY_DATE = date(2026, 2, 1)  # of the release of the pinned package
INCOME_GROUPS = {
    "1. High income: OECD": "high income, OECD",
    "2. High income: nonOECD": "high income, not OECD",
    "3. Upper middle income": "upper middle income",
    "4. Lower middle income": "lower middle income",
    "5. Low income": "low income",
}
# Natural Earth has no code for it, for reasons of its own.
CODES_BY_NAME = {"Norway": "NO"}
NO_ECONOMY = frozenset({"AQ", "TF"})  # nobody lives there but visitors
NOT_LISTED = "where the map of Natural Earth at 1:110 million has no country, such as Singapore"


def _official(spoken: Spoken) -> list[str]:
    return [tag for tag, entry in spoken.items() if entry["official_status"] in OFFICIAL]


# In how many territories a language is official.
SHARED_BY = Counter(
    tag for spoken in get_global("territory_languages").values() for tag in _official(spoken)
)


def culture_layers(countries: tuple[Country, ...]) -> list[BuiltLayer]:
    """Language, script and currency of each country."""
    tags = [_main_language(country.code) for country in countries]
    languages = [_language_name(tag) for tag in tags]
    scripts = [_script_name(tag, c.code) for tag, c in zip(tags, countries, strict=True)]
    currencies = [_currency(country.code) for country in countries]
    sources, nobody = (installed_source("babel"),), "where there is no country, and in Antarctica"

    def layer(name: str, text: str, values: list[str]) -> BuiltLayer:
        return class_by_country(name, text, values, sources, missing=nobody)

    return [
        layer("script", "main script of the country's main language", scripts),
        layer("language", "official language of the country that most people know", languages),
        layer("currency", "currency of the country, ISO 4217", currencies),
    ]


def speed_unit_layer(
    archives: Archives, territories: Territories, countries: tuple[Country, ...]
) -> BuiltLayer:
    """Unit of speed on road signs, that of the country's largest part."""
    units = [territories.speed_unit(country) for country in countries]
    return class_by_country(
        *("speed_unit", "unit of speed on road signs", units, (archives.source(PACKAGE),)),
        missing="where there is no country, and where nobody drives",
    )


def economy_layers(archives: Archives, countries: tuple[Country, ...]) -> list[BuiltLayer]:
    """Income group and GDP per head."""
    file = archives.read("three-globe", "country-polygons/ne_110m_admin_0_countries.geojson")
    known = {_code(f["properties"]): f["properties"] for f in json.load(file)["features"]}
    known = {code: entry for code, entry in known.items() if code not in NO_ECONOMY}
    entries = [known.get(country.code) for country in countries]
    groups = [INCOME_GROUPS[e["INCOME_GRP"]] if e else "" for e in entries]
    wealth = [1e6 * e["GDP_MD_EST"] / e["POP_EST"] if e else None for e in entries]
    sources = (archives.source("three-globe"),)
    return [
        class_by_country(
            *("income_group", "income group of the country, World Bank, 2016", groups, sources),
            labels=tuple(INCOME_GROUPS.values()),
            missing=NOT_LISTED,
        ),
        number_by_country(
            "gdp_per_head",
            "gross domestic product per head, at purchasing power, 2016",
            "US$ per head",
            wealth,
            sources,
            missing=NOT_LISTED,
            transform="log1p",
        ),
    ]


def _main_language(territory: str) -> str:
    """Tag of the official language that most people know; of all languages if none is official."""
    spoken = get_global("territory_languages").get(territory, {})

    def rank(tag: str) -> tuple[float, bool, int]:
        # Of equals the one in its usual script, then the one that fewer countries share.
        return spoken[tag]["population_percent"], "_" not in tag, -SHARED_BY[tag]

    return max(_official(spoken) or spoken, key=rank, default=UNKNOWN)


def _language_name(tag: str) -> str:
    language = tag.split("_")[0]
    if language == UNKNOWN:
        return ""
    return str(ENGLISH.languages[ONE_LANGUAGE.get(language, language)])


def _script_name(tag: str, territory: str) -> str:
    language, *script = tag.split("_")
    if language == UNKNOWN:
        return ""
    likely = get_global("likely_subtags")
    full = likely.get(f"{language}_{territory}") or likely[language]
    code = script[0] if script else full.split("_")[1]
    return SCRIPT_NAMES.get(code) or str(ENGLISH.scripts[code])


def _currency(territory: str) -> str:
    """Legal tender; of several the country's own, whose code begins like the country's."""
    tender = get_territory_currencies(territory, start_date=CURRENCY_DATE)
    own = [currency for currency in tender if currency.startswith(territory)]
    return str(next(iter([*own, *tender]), ""))


def _code(properties: dict[str, str]) -> str:
    codes = (properties["ISO_A2"], properties["WB_A2"], CODES_BY_NAME.get(properties["NAME"], ""))
    return next((code for code in codes if code != "-99"), "")
