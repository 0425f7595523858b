"""Every error that geowhy raises on purpose, in one tree.

::

    GeowhyError                 shown to the user as it stands
    ├── ImageError              an image that can't be used; names the image and the reason
    ├── ModelNotFoundError      a model that isn't on this machine; says which command gets it
    ├── ModelFormatError        a model folder that is incomplete or doesn't fit together
    ├── DataError               a data file that is missing, corrupt or of the wrong shape
    ├── ChecksumError           a file whose SHA-256 isn't the pinned one
    ├── DownloadError           a package that can't be fetched
    ├── ConfigError             a training configuration that can't be run
    ├── VocabularyError         a concept file that can't be used; names file, line and remedy
    ├── GroundingError          an expression over the atlas that can't be used; says where
    ├── CoordinateError         a latitude or longitude that is not on Earth
    └── MissingExtraError       an optional dependency that isn't installed

Each message says what was wrong, with which input, and what to do about it.
"""

from __future__ import annotations

__all__ = [
    "ChecksumError",
    "ConfigError",
    "CoordinateError",
    "DataError",
    "DownloadError",
    "GeowhyError",
    "GroundingError",
    "ImageError",
    "MissingExtraError",
    "ModelFormatError",
    "ModelNotFoundError",
    "VocabularyError",
]


class GeowhyError(Exception):
    """Root of all errors that geowhy raises on purpose."""


class ImageError(GeowhyError):
    """An image can't be used.

    Attributes:
        image: the name under which the image was given.
        reason: why it can't be used, without the name.
    """

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(f"{image}: {reason}")
        self.image = image
        self.reason = reason


class ModelNotFoundError(GeowhyError):
    """A model isn't on this machine."""


class ModelFormatError(GeowhyError):
    """A model folder is incomplete, corrupt or inconsistent."""


class DataError(GeowhyError):
    """A data file is missing, corrupt or of the wrong shape."""


class ChecksumError(GeowhyError):
    """A file's SHA-256 isn't the pinned one."""


class DownloadError(GeowhyError):
    """A package can't be fetched."""


class ConfigError(GeowhyError):
    """A training configuration can't be run."""


class VocabularyError(GeowhyError):
    """A concept file can't be used."""


class GroundingError(GeowhyError):
    """An expression over the layers of the atlas can't be used."""


class CoordinateError(GeowhyError):
    """A latitude or longitude is not on Earth."""


class MissingExtraError(GeowhyError):
    """An optional dependency isn't installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which isn't installed: pip install 'geowhy[{extra}]'"
        )
