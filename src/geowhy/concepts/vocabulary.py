"""Reads the vocabulary: what may be said about a place, one TOML file a category.

::

    category = "climate"

    [[concept]]
    id = "hot_desert_climate"
    name = "hot desert climate"
    definition = "Hot and arid (Köppen BWh)."
    prompts = ["a hot desert", "bare ground under a blazing sun", "a dry wadi without a tree"]
    grounding = "koppen_30 == 'BWh'"  # optional: where on Earth it holds
    from_above = true                 # optional: whether a view from above shows it

Every file is checked when it is read: each mistake is named with its file, line and remedy.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32
from geowhy.concepts.concept import Concept, check_groundings, check_names
from geowhy.concepts.grounding import LayerValues, parse_grounding
from geowhy.errors import GroundingError, VocabularyError
from geowhy.geo.atlas import Atlas

__all__ = ["PACKAGED_VOCABULARY", "Vocabulary"]

PACKAGED_VOCABULARY = Path(__file__).parent / "vocabulary"

NEEDED = ("id", "name", "definition", "prompts")
OPTIONAL = ("grounding", "from_above")
LEAST_PROMPTS = 3
ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
HEADER = re.compile(r"\s*\[\[\s*concept\s*\]\]")
FILE_KEYS = {"category", "concept"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Concepts in a fixed order: that of the files' names, then that of their lines."""

    concepts: tuple[Concept, ...]

    @classmethod
    def load(cls, folder: Path = PACKAGED_VOCABULARY, atlas: Atlas | None = None) -> Vocabulary:
        """Reads and checks all TOML files of a folder against an atlas, by default the packaged.

        Raises:
            VocabularyError: with file, line and remedy.
        """
        files = sorted(folder.glob("*.toml"))
        if not files:
            raise VocabularyError(f"{folder} holds no .toml file: put one there for each category")
        atlas = atlas or Atlas.load()
        concepts = tuple(concept for file in files for concept in _File(file, atlas).concepts())
        check_names(concepts)
        check_groundings(concepts, atlas)
        return cls(concepts)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the concepts, in order."""
        return tuple(concept.name for concept in self.concepts)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, in order, each once."""
        return tuple(dict.fromkeys(concept.category for concept in self.concepts))

    @property
    def grounded(self) -> Vocabulary:
        """The concepts with a grounding alone."""
        return Vocabulary(tuple(c for c in self.concepts if c.grounding is not None))

    @property
    def seen(self) -> Vocabulary:
        """The concepts that a view from above shows."""
        return Vocabulary(tuple(c for c in self.concepts if c.from_above))

    @property
    def unseen(self) -> Vocabulary:
        """The concepts that no view from above shows, such as the language that people speak."""
        return Vocabulary(tuple(c for c in self.concepts if not c.from_above))

    def only(self, ids: Iterable[str]) -> Vocabulary:
        """The concepts with these ids alone, in the order of the vocabulary."""
        kept = frozenset(ids)
        return Vocabulary(tuple(c for c in self.concepts if c.id in kept))

    @property
    def digest(self) -> str:
        """SHA-256 of all that the vocabulary says; where it says so doesn't count."""
        text = json.dumps([concept.content for concept in self.concepts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def truth(self, atlas: Atlas, lat_lon: ArrayLike) -> Floats32:
        """What every concept is at degrees ``[N, 2]``, ``[N, k]``; NaN without a grounding.

        1 or 0 for a class, a number for a degree, NaN where the atlas is silent.
        """
        places = LayerValues(atlas, lat_lon)
        truth = np.full((len(places), len(self.concepts)), np.nan, np.float32)
        for column, concept in enumerate(self.concepts):
            if concept.grounding is not None:
                truth[:, column] = concept.grounding.at(places)
        return truth


class _File:
    """One TOML file, and where its entries stand."""

    def __init__(self, path: Path, atlas: Atlas) -> None:
        self.path, self._atlas = path, atlas
        try:
            text = path.read_text(encoding="utf-8")
            self._content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise VocabularyError(f"{path}: not valid TOML: {error}: mend that line") from error
        except UnicodeDecodeError as error:
            raise VocabularyError(f"{path}: not UTF-8 ({error}): save it as UTF-8") from error
        except OSError as error:
            raise VocabularyError(
                f"{path}: can't be read ({error.strerror}): mend its permissions or remove it"
            ) from error
        self._lines = text.splitlines()
        self._starts = [i for i, line in enumerate(self._lines, 1) if HEADER.match(line)]

    def concepts(self) -> list[Concept]:
        """All concepts of the file, checked one by one."""
        category = self._content.get("category")
        if not isinstance(category, str) or not category.strip():
            raise VocabularyError(f'{self.path}:1: no category: begin with category = "…"')
        unknown = sorted(set(self._content) - FILE_KEYS)
        if unknown:
            raise self._error(None, unknown[0], f"unknown key {unknown[0]!r}: remove it")
        entries = self._content.get("concept")
        if not isinstance(entries, list) or not entries:
            raise VocabularyError(f"{self.path}:1: no concept: add a [[concept]] table")
        return [self._concept(number, entry, category) for number, entry in enumerate(entries)]

    def _concept(self, number: int, entry: Mapping[str, Any], category: str) -> Concept:
        self._check_keys(number, entry)
        if not ID.fullmatch(entry["id"]):
            raise self._error(number, "id", f"{entry['id']!r} is no id: use a-z, 0-9 and _")
        grounding = None
        if "grounding" in entry:
            try:
                grounding = parse_grounding(self._text(number, entry, "grounding"), self._atlas)
            except GroundingError as error:
                raise self._error(number, "grounding", f"grounding, {error}") from error
        return Concept(
            id=entry["id"],
            name=self._text(number, entry, "name"),
            category=category,
            definition=self._text(number, entry, "definition"),
            prompts=self._prompts(number, entry["prompts"]),
            grounding=grounding,
            from_above=self._from_above(number, entry),
            where=f"{self.path}:{self._line(number, 'id')}",
        )

    def _check_keys(self, number: int, entry: Mapping[str, Any]) -> None:
        known = (*NEEDED, *OPTIONAL)
        for key in entry:
            if key not in known:
                raise self._error(number, key, f"unknown key {key!r}: known are {', '.join(known)}")
        missing = [key for key in NEEDED if key not in entry]
        if missing:
            raise self._error(number, "id", f"no {' and no '.join(missing)}: add it")
        self._text(number, entry, "id")

    def _text(self, number: int, entry: Mapping[str, Any], key: str) -> str:
        value = entry[key]
        if not isinstance(value, str) or not value.strip():
            raise self._error(number, key, f"{key} = {value!r} isn't a text: write one in quotes")
        return value.strip()

    def _prompts(self, number: int, value: object) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else []
        prompts = tuple(p.strip() for p in listed if isinstance(p, str) and p.strip())
        if len(set(prompts)) < LEAST_PROMPTS or len(prompts) != len(listed):
            raise self._error(
                number,
                "prompts",
                f"{len(set(prompts))} different prompts: list {LEAST_PROMPTS} or more texts",
            )
        return prompts

    def _from_above(self, number: int, entry: Mapping[str, Any]) -> bool:
        value = entry.get("from_above", False)
        if not isinstance(value, bool):
            raise self._error(number, "from_above", f"from_above = {value!r}: write true or false")
        if value and "grounding" not in entry:
            raise self._error(
                number, "from_above", "from_above without a grounding: add one, or remove it"
            )
        return value

    def _error(self, number: int | None, key: str, reason: str) -> VocabularyError:
        if number is None:
            return VocabularyError(f"{self.path}:{self._first(key, 0, len(self._lines))}: {reason}")
        entry = self._content["concept"][number]
        name = entry.get("id", f"number {number + 1}")
        return VocabularyError(f"{self.path}:{self._line(number, key)}: concept {name!r}: {reason}")

    def _line(self, number: int, key: str) -> int:
        """Line of a key of a concept; of the concept, if the key isn't there."""
        if number >= len(self._starts):  # written as an inline table
            return 1
        ends = [*self._starts[1:], len(self._lines) + 1]
        return self._first(key, self._starts[number], ends[number] - 1) or self._starts[number]

    def _first(self, key: str, start: int, end: int) -> int:
        """First line after ``start``, up to ``end``, that sets a key; 0 if none does."""
        sets_key = re.compile(rf'\s*"?{re.escape(key)}"?\s*=')
        lines = enumerate(self._lines[start:end], start + 1)
        return next((number for number, line in lines if sets_key.match(line)), 0)
