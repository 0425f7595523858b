"""geowhy tells where on Earth an image was taken, and why it thinks so.

Names are loaded when first used, so that ``import geowhy`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geowhy.answer import Candidate, Prediction
    from geowhy.errors import GeowhyError, ImageError
    from geowhy.explanation import ConceptScore, Explanation
    from geowhy.locator import Locator
    from geowhy.types import LatLon

__all__ = [
    "Candidate",
    "ConceptScore",
    "Explanation",
    "GeowhyError",
    "ImageError",
    "LatLon",
    "Locator",
    "Prediction",
]
__version__ = "0.1.0"

_HOMES = {
    "Candidate": "geowhy.answer",
    "ConceptScore": "geowhy.explanation",
    "Explanation": "geowhy.explanation",
    "GeowhyError": "geowhy.errors",
    "ImageError": "geowhy.errors",
    "LatLon": "geowhy.types",
    "Locator": "geowhy.locator",
    "Prediction": "geowhy.answer",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'geowhy' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
