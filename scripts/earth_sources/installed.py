"""Packages that are installed and imported, because only their own code reads their data."""

from __future__ import annotations

from importlib import metadata

from geowhy.errors import DataError
from geowhy.geo.atlas import Source

__all__ = ["installed_source"]

SOURCES = (
    Source(
        "babel",
        "2.18.0",
        "BSD-3-Clause",
        "Unicode Common Locale Data Repository, Unicode License v3",
    ),
    Source(
        "timezonefinder",
        "9.0.0",
        "MIT",
        "reads the polygons of timezonefinder-data",
    ),
    Source(
        "timezonefinder-data",
        "3.2026.3.post1",
        "ODbL 1.0",
        "timezone-boundary-builder, © OpenStreetMap contributors, Open Database License 1.0: "
        "what is derived from it, this layer's array, is under the same licence",
    ),
    Source(
        "tzdata",
        "2026.6",
        "Apache-2.0",
        "IANA time zone database 2026f, public domain",
    ),
)


def installed_source(name: str) -> Source:
    """What is recorded with the layers made from an installed package.

    Raises:
        DataError: if another version is installed.
    """
    source = next(source for source in SOURCES if source.package == name)
    version = metadata.version(name)
    if version != source.version:
        raise DataError(
            f"the atlas is made with {name} {source.version}, but {version} is installed: "
            f"pip install {name}=={source.version}"
        )
    return source
