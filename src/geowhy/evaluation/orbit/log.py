"""Answers on disk, one a line of JSON, written as they come.

Who stops and starts again goes on behind the last one, and who doubts a number can measure it anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from geowhy.errors import DataError
from geowhy.evaluation.orbit.answers import PoseAnswer
from geowhy.evaluation.orbit.queries import Look, QueryRow

__all__ = ["AnswerLog", "Asked"]

Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model was asked about which pictures; all of a file belongs to it."""

    model: str  # its name
    digest: str  # SHA-256 of its weights
    world: str
    look: Look
    seed: int
    concepts: tuple[str, ...]  # ids of those that it may state


@dataclass(slots=True)
class AnswerLog:
    """Answers by row, in the order of the queries; in a file too, if there is one."""

    asked: Asked
    path: Path | None = None
    _answers: dict[QueryRow, list[PoseAnswer]] = field(default_factory=dict)

    @classmethod
    def begin(cls, asked: Asked, path: Path | None) -> Self:
        """A new one, or one that goes on behind what its file has.

        Raises:
            DataError: if the file can't be written, is damaged, or has answers to something else.
        """
        if path is None:
            return cls(asked)
        if not path.exists():
            log = cls(asked, path)
            log._append([{"asked": asdict(asked)}])
            return log
        log = cls.load(path)
        if log.asked != asked:
            theirs = log.asked
            raise DataError(
                f"{path}: has answers of {theirs.model} ({theirs.digest[:12]}) on "
                f"{theirs.world}, {theirs.look}, seed {theirs.seed}, not of {asked.model} "
                f"({asked.digest[:12]}) on {asked.world}, {asked.look}, seed {asked.seed}: choose "
                "another file"
            )
        return log

    @classmethod
    def load(cls, path: Path) -> Self:
        """What a file has; a line that was being written when its run stopped is cut off.

        Raises:
            DataError: if it can't be read, or isn't such a file.
        """
        try:
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            first, *others = (json.loads(line) for line in whole.splitlines())
            about = first["asked"]
            log = cls(Asked(**about | {"concepts": tuple(about["concepts"])}), path)
            for line in others:
                if line == first:  # joined files
                    continue
                row = QueryRow(tuple(line["widths_km"]), line["tilt"])
                log._answers.setdefault(row, []).append(PoseAnswer.from_json(line))
            if len(whole) < len(content):
                path.write_bytes(whole)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path}: isn't a file of answers ({error}): give one that geowhy evaluate MODEL "
                "--world NAME --predictions FILE wrote, or the name of a new one"
            ) from error
        return log

    @property
    def rows(self) -> tuple[QueryRow, ...]:
        """Those that have answers."""
        return tuple(self._answers)

    def of(self, row: QueryRow) -> Sequence[PoseAnswer]:
        """What was answered to the first queries of a row."""
        return self._answers.get(row, [])

    def add(self, row: QueryRow, answers: Sequence[PoseAnswer]) -> None:
        """What was answered to the next ones.

        Raises:
            DataError: if they can't be written.
        """
        self._append([asdict(row) | answer.to_json() for answer in answers])
        self._answers.setdefault(row, []).extend(answers)

    def _append(self, lines: Lines) -> None:
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(line) + "\n" for line in lines))
        except OSError as error:
            raise DataError(
                f"{self.path}: can't be written ({error}): choose another file"
            ) from error
