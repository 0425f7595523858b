"""Reads the vocabulary: concepts, and how each is grounded in the layers of the atlas.

One TOML file a category. A grounding names one layer and the values for which the concept holds:
``above`` and ``below`` (half-open, in the layer's unit), or ``is`` (class labels).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.errors import DataError, VocabularyError
from geowhy.geo.atlas import Atlas, Layer

__all__ = ["Concept", "Grounding", "Vocabulary"]

PACKAGED_VOCABULARY = Path(__file__).parent / "vocabulary"

CONCEPT_KEYS = {"id", "name", "definition", "grounding"}
GROUNDING_KEYS = {"layer", "above", "below", "is"}


@dataclass(frozen=True, slots=True)
class Grounding:
    """Where on Earth a concept holds: one layer, and the values that count.

    Attributes:
        layer: name of an atlas layer.
        above: lower bound, in the layer's unit, inclusive.
        below: upper bound, in the layer's unit, exclusive.
        labels: classes that count, for a class layer.
    """

    layer: str
    above: float = -np.inf
    below: float = np.inf
    labels: tuple[str, ...] = ()

    def truth(self, atlas: Atlas, lat_lon: ArrayLike) -> NDArray[np.float32]:
        """1 where the concept holds, 0 where not, NaN where the layer is silent; ``[N]``."""
        layer = atlas.layer(self.layer)
        values = layer.at(lat_lon)
        if self.labels:
            numbers = [layer.info.labels.index(label) for label in self.labels]
            return np.where(values < 0, np.nan, np.isin(values, numbers)).astype(np.float32)
        holds = (values >= self.above) & (values < self.below)
        return np.where(np.isnan(values), np.nan, holds).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that may be said about a place.

    Attributes:
        id: short identifier, unique in a vocabulary.
        name: as shown to people.
        category: the group that it belongs to.
        definition: one line.
        grounding: where on Earth it holds.
    """

    id: str
    name: str
    category: str
    definition: str
    grounding: Grounding


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Concepts in a fixed order: that of the files' names, then that of their lines."""

    concepts: tuple[Concept, ...]

    @classmethod
    def load(cls, folder: Path = PACKAGED_VOCABULARY) -> Vocabulary:
        """Reads and checks all TOML files of a folder.

        Raises:
            VocabularyError: with file, concept and remedy.
        """
        files = sorted(folder.glob("*.toml"))
        if not files:
            raise VocabularyError(f"{folder} holds no .toml file: put one there for each category")
        concepts = tuple(concept for file in files for concept in _read_file(file))
        _check_unique(concepts)
        return cls(concepts)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the concepts, in order."""
        return tuple(concept.name for concept in self.concepts)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that the vocabulary says."""
        text = json.dumps([asdict(concept) for concept in self.concepts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def truth(self, atlas: Atlas, lat_lon: ArrayLike) -> NDArray[np.float32]:
        """Truth of every concept at degrees ``[N, 2]``: 1, 0 or NaN, ``[N, k]``."""
        return np.stack([c.grounding.truth(atlas, lat_lon) for c in self.concepts], axis=1)


def _read_file(file: Path) -> list[Concept]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{file}: not valid TOML ({error}): mend that line") from error
    if not isinstance(content.get("category"), str):
        raise VocabularyError(f'{file}: no category: begin the file with category = "…"')
    entries = content.get("concept", [])
    if not isinstance(entries, list) or not entries:
        raise VocabularyError(f"{file}: no concept: add a [[concept]] table")
    return [_read_concept(entry, content["category"], file) for entry in entries]


def _read_concept(entry: Mapping[str, object], category: str, file: Path) -> Concept:
    where = f"{file}, concept {entry.get('id', '(without id)')!r}"
    _check_keys(entry, CONCEPT_KEYS, where)
    missing = sorted(CONCEPT_KEYS - set(entry))
    if missing:
        raise VocabularyError(f"{where}: no {' and no '.join(missing)}: add it")
    grounding = entry["grounding"]
    if not isinstance(grounding, dict):
        raise VocabularyError(f"{where}: the grounding is not a table: write {{ layer = … }}")
    return Concept(
        str(entry["id"]),
        str(entry["name"]),
        category,
        str(entry["definition"]),
        _read_grounding(grounding, where),
    )


def _read_grounding(table: Mapping[str, object], where: str) -> Grounding:
    _check_keys(table, GROUNDING_KEYS, where)
    layer = _layer(str(table.get("layer", "")), where)
    if layer.info.kind == "continuous":
        above, below = (_bound(table, key, where) for key in ("above", "below"))
        if "is" in table or (above is None and below is None):
            raise VocabularyError(
                f"{where}: {layer.info.name} is continuous: give above, below or both"
            )
        return Grounding(
            layer.info.name,
            -np.inf if above is None else above,
            np.inf if below is None else below,
        )
    labels = table.get("is")
    if not isinstance(labels, list) or not labels or "above" in table or "below" in table:
        raise VocabularyError(f'{where}: {layer.info.name} has classes: give is = ["…"]')
    for label in labels:
        if label not in layer.info.labels:
            known = ", ".join(layer.info.labels)
            raise VocabularyError(f"{where}: no class {label!r} in {layer.info.name}: {known}")
    return Grounding(layer.info.name, labels=tuple(labels))


def _layer(name: str, where: str) -> Layer:
    try:
        return Atlas.load().layer(name)
    except DataError as error:
        raise VocabularyError(f"{where}: {error}") from error


def _bound(table: Mapping[str, object], key: str, where: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise VocabularyError(f"{where}: {key} = {value!r} is not a number")
    return float(value)


def _check_keys(table: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise VocabularyError(
            f"{where}: unknown key {unknown[0]!r}: known are {', '.join(sorted(known))}"
        )


def _check_unique(concepts: tuple[Concept, ...]) -> None:
    for attribute in ("id", "name"):
        values = [getattr(concept, attribute) for concept in concepts]
        for value in values:
            if values.count(value) > 1:
                raise VocabularyError(
                    f"two concepts have the {attribute} {value!r}: rename or remove one"
                )
