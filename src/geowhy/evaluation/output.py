"""How what was measured is told: as JSON, and in lines of columns."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from geowhy.evaluation.estimates import Estimate

__all__ = ["JsonReport", "columns", "to_json", "with_interval"]


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


def columns(widths: Sequence[int], *cells: str) -> str:
    """One line of a table; cells of a negative width end at their right edge."""
    padded = (f"{c:<{w}}" if w > 0 else f"{c:>{-w}}" for w, c in zip(widths, cells, strict=False))
    return "".join(padded).rstrip()


def with_interval(estimate: Estimate, form: str, between: str = "  ") -> str:
    """A number with its interval, as a format has them: "0.139  [0.107, 0.169]"."""
    value, low, high = (format(x, form) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value}{between}[{low.strip()}, {high.strip()}]"


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
