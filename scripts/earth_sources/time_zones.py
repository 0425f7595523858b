"""Time zones on a grid, and their offsets from UTC."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from timezonefinder import TimezoneFinder

from earth_sources.grids import cell_centres, fill_from_nearest
from earth_sources.installed import installed_source
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, class_layer, tabled_layer

__all__ = ["time_zone_layers"]

GAP_KM = 100.0
AT_SEA = "Etc/"
MISSING = "at sea, and in some of Antarctica that no zone covers"
# Winter somewhere; none lies in Ramadan, when Morocco turns its clocks back.
DATES = (datetime(2026, 1, 15), datetime(2026, 7, 15))


def time_zone_layers(land: Land) -> list[BuiltLayer]:
    """The zone on land at 0.1 degrees, and its standard time."""
    wanted = land.any_in_blocks(2)
    zones = _zones(wanted)
    labels = sorted({zone for zone in np.unique(zones) if zone})
    codes = np.searchsorted(["", *labels], zones).astype(np.uint16)
    finder, data = installed_source("timezonefinder"), installed_source("timezonefinder-data")
    return [
        class_layer(
            "time_zone",
            "time zone, by its name in the IANA database",
            np.where(wanted, fill_from_nearest(codes, codes == 0, wanted, GAP_KM), 0),
            tuple(labels),
            (finder, data),
            missing=MISSING,
        ),
        tabled_layer(
            "utc_offset",
            "standard time of the time zone less UTC, in 2026",
            "h",
            [_standard_offset(label) for label in labels],
            (finder, data, installed_source("tzdata")),
            array="time_zone",
            resolution_deg=180.0 / codes.shape[0],
            missing=MISSING,
        ),
    ]


def _zones(wanted: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Names of the zones at the centres of the wanted cells; empty at sea and elsewhere."""
    finder = TimezoneFinder(in_memory=True)
    centres = cell_centres(wanted.shape, wanted)
    found = (finder.timezone_at(lat=lat, lng=lon) or AT_SEA for lat, lon in centres)
    names = np.array(["" if name.startswith(AT_SEA) else name for name in found])
    zones = np.zeros(wanted.shape, names.dtype)
    zones[wanted] = names
    return zones


def _standard_offset(zone: str) -> float:
    """Hours; the smaller of January's and July's, for Ireland calls its summer time standard."""
    file = resources.files("tzdata.zoneinfo").joinpath(zone)
    with file.open("rb") as opened:
        rules = ZoneInfo.from_file(opened, key=zone)
    offsets = [date.replace(tzinfo=rules).utcoffset() or timedelta() for date in DATES]
    return min(offsets) / timedelta(hours=1)
