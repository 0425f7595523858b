"""How what was measured is told: as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

__all__ = ["JsonReport", "to_json"]


def to_json(value: object) -> str:
    """One JSON object; null for what isn't finite, which JSON has no numbers for."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


class JsonReport:
    """A dataclass of findings that tells all of itself."""

    __slots__ = ()

    def to_json(self) -> str:
        """Everything, as one JSON object; null for what couldn't be measured."""
        itself: Any = self
        return to_json(asdict(itself))


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
