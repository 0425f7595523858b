"""How variations of one thing compare that were asked the same queries, and a file of outcomes.

Each tells of each query whether it was right, so that differences are taken query by query: their
intervals are much narrower than those of the shares that they are differences of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import numpy as np

from geowhy.arrays import Ints64
from geowhy.assets.files import appearing_whole
from geowhy.errors import DataError
from geowhy.evaluation.estimates import block_mean, columns

__all__ = ["Comparison", "Outcome", "OutcomeFile"]

LABEL, CELL, SPENT = 22, -31, -15  # columns of a table


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a variation.

    Attributes:
        name: of the variation.
        about: what it is a variation of, and which queries it was asked.
        right: of each column of a table, whether each of its queries was right.
        spent: time that it took, in the unit of the table.
    """

    name: str
    about: str
    right: Mapping[str, tuple[bool, ...]]
    spent: float


@dataclass(frozen=True, slots=True)
class OutcomeFile:
    """Outcomes on disk, one a line of JSON; they are kept nowhere if ``path`` is None."""

    path: Path | None

    def of(self, name: str, about: str, measure: Callable[[], Outcome]) -> Outcome:
        """Of one variation: what the file has, or what is measured now and written there.

        Raises:
            DataError: if the file is damaged.
        """
        known = self._outcomes()
        for outcome in known:
            if (outcome.name, outcome.about) == (name, about):
                return outcome
        found = measure()
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(asdict(outcome)) + "\n" for outcome in (*known, found))
            with appearing_whole(self.path) as partial:
                partial.write_text("".join(lines), encoding="utf-8")
        return found

    def _outcomes(self) -> list[Outcome]:
        if self.path is None or not self.path.exists():
            return []
        try:
            lines = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
            return [_outcome(**line) for line in lines]
        except (OSError, AttributeError, TypeError, ValueError) as error:
            raise DataError(
                f"{self.path}: isn't a file of outcomes ({error}): remove it, or give another one"
            ) from error


def _outcome(name: str, about: str, right: dict[str, list[bool]], spent: float) -> Outcome:
    flags = {column: tuple(bool(flag) for flag in each) for column, each in right.items()}
    return Outcome(name, about, flags, spent)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table of outcomes, a line each, that is printed while they come.

    Attributes:
        first: to which the others are compared.
        blocks: of each column, where on Earth its queries lie: numbers of blocks ``[N]``.
        unit: of the time that was spent.
    """

    first: Outcome
    blocks: Mapping[str, Ints64]
    unit: str

    def header(self) -> str:
        """The names of the columns."""
        return self._row("", *self.blocks, self.unit)

    def row(self, outcome: Outcome) -> str:
        """The shares that were right, %, and by how many points each differs from the first's.

        With 95 % intervals by bootstrap over blocks: of the first line's shares, and of the others'
        differences.
        """
        cells = (self._cell(outcome, column) for column in self.blocks)
        return self._row(outcome.name, *cells, f"{outcome.spent:,.1f}")

    def _row(self, *cells: str) -> str:
        return columns((LABEL, *(CELL,) * len(self.blocks), SPENT), *cells)

    def _cell(self, outcome: Outcome, column: str) -> str:
        """Such as "61.2 [58.0, 64.1]" or "48.9  -12.3 [-15.0, -9.1]"."""
        right, first = (
            100 * np.array(each.right[column], np.float64) for each in (outcome, self.first)
        )
        if outcome is self.first:
            return block_mean(right, self.blocks[column]).text(".1f", " ")
        value, low, high = astuple(block_mean(right - first, self.blocks[column]))
        return f"{right.mean():.1f}  {value:+.1f} [{low:+.1f}, {high:+.1f}]"
