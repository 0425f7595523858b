"""The GPS position in the directories of an EXIF block, as a camera writes it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from geowhy.images.ifd import Directory, sub_directory
from geowhy.types import LatLon

__all__ = ["CameraPosition", "position_in"]

_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_LAT_REF, _LAT, _LON_REF, _LON, _ALT_REF, _ALT, _ERROR_M = 1, 2, 3, 4, 5, 6, 31
_TAKEN_AT, _UTC_OFFSET = 0x9003, 0x9011
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d) (\d\d:\d\d:\d\d)")
_OFFSET = re.compile(r"[+-]\d\d:\d\d|Z")


@dataclass(frozen=True, slots=True)
class CameraPosition:
    """Where and when a camera says that it took a picture; None for what it doesn't say."""

    position: LatLon  # as written, rounding of the camera included
    error_radius_km: float | None = None  # the camera's own estimate
    altitude_m: float | None = None  # above sea level, negative below
    taken_at: str | None = None  # local time, as 2024-05-17T14:03:09+02:00, or without the offset


def position_in(root: Directory | None) -> CameraPosition | None:
    """The position in the first directory of an EXIF block; None if there is none.

    Raises:
        ValueError: if it is there but can't be a place; says why.
    """
    if root is None or not root.count(_GPS_POINTER):
        return None
    gps = sub_directory(root, _GPS_POINTER)
    if gps is None:
        raise ValueError("its GPS block lies outside the file")
    lat, lon = gps.numbers(_LAT), gps.numbers(_LON)
    if all(v is None or v == 0 for v in lat + lon):
        return None  # no fix
    position = LatLon(
        _degrees("latitude", lat, gps.text(_LAT_REF), "NS", 90.0),
        _degrees("longitude", lon, gps.text(_LON_REF), "EW", 180.0),
    )
    error_m, altitude_m = gps.number(_ERROR_M), gps.number(_ALT)
    sign = -1.0 if gps.number(_ALT_REF) == 1 else 1.0
    return CameraPosition(
        position,
        error_m / 1000.0 if error_m is not None and 0 < error_m < math.inf else None,
        sign * altitude_m if altitude_m is not None and math.isfinite(altitude_m) else None,
        _taken_at(root),
    )


def _taken_at(root: Directory) -> str | None:
    photo = sub_directory(root, _EXIF_POINTER)
    date = _DATE.match(photo.text(_TAKEN_AT)) if photo else None
    if photo is None or date is None:
        return None
    offset = _OFFSET.fullmatch(photo.text(_UTC_OFFSET))
    year, month, day, time = date.groups()
    return f"{year}-{month}-{day}T{time}{offset.group() if offset else ''}"


def _degrees(
    axis: str, parts: tuple[float | None, ...], ref: str, signs: str, most: float
) -> float:
    """Signed degrees from degrees, minutes and seconds; ValueError says what is wrong with them."""
    sign = {signs[0]: 1.0, signs[1]: -1.0}.get(ref[:1].upper())
    if sign is None:
        raise ValueError(f"its {axis} has no hemisphere ({signs[0]} or {signs[1]})")
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            f"its {axis} has {len(parts)} parts instead of degrees, minutes and seconds"
        )
    if parts[0] is None:
        raise ValueError(f"its {axis} is a division by zero")
    numbers = [part or 0.0 for part in parts]  # who writes whole minutes leaves the seconds 0/0
    degrees = sum(value / 60.0**i for i, value in enumerate(numbers))
    if min(numbers) < 0 or not degrees <= most:
        raise ValueError(f"its {axis} of {degrees:g}° is not within 0 and {most:g}")
    return sign * degrees
