"""The concept bank: concepts with one fixed direction of the location space each, as a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from geowhy.arrays import Floats32
from geowhy.concepts.sources import BankSource
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError

__all__ = ["BANK_FILE", "PLACE_BANK_FILE", "ConceptBank"]

BANK_FILE = "bank.safetensors"
PLACE_BANK_FILE = "place_bank.safetensors"
DIRECTIONS = "directions"
LISTS = ("ids", "names", "categories")


@dataclass(frozen=True, slots=True, eq=False)
class ConceptBank:
    """Concepts and their fixed directions, the ``E`` of arXiv 2509.01910, eq. 1.

    Attributes:
        ids: of the k concepts.
        names: as shown to people.
        categories: of each.
        directions: ``E``, ``[d, k]``, in the precision of float16, in which the file keeps them.
        source: how the directions were made: ``grounded`` or ``text``.
        vocabulary_digest: SHA-256 of the vocabulary behind them.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    categories: tuple[str, ...]
    directions: Floats32
    source: str
    vocabulary_digest: str

    @classmethod
    def build(cls, vocabulary: Vocabulary, source: BankSource) -> Self:
        """Directions of all concepts of a vocabulary, from one source or another.

        Raises:
            DataError: if the source can't tell a concept.
        """
        concepts = vocabulary.concepts
        return cls(
            ids=tuple(c.id for c in concepts),
            names=tuple(c.name for c in concepts),
            categories=tuple(c.category for c in concepts),
            directions=source.directions(vocabulary).astype(np.float16).astype(np.float32),
            source=source.name,
            vocabulary_digest=vocabulary.digest,
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads a bank.

        Raises:
            DataError: if the file is missing or isn't a bank.
        """
        try:
            with safe_open(file, framework="numpy") as opened:
                said: dict[str, Any] = dict(opened.metadata() or {})
                directions = opened.get_tensor(DIRECTIONS).astype(np.float32)
            said |= {key: tuple(json.loads(said[key])) for key in LISTS}
            bank = cls(directions=directions, **said)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{file}: not a readable concept bank ({error}): get or train its model anew"
            ) from error
        if any(len(getattr(bank, key)) != directions.shape[1] for key in LISTS):
            raise DataError(f"{file}: names and directions differ in number: get it anew")
        return bank

    def to_bytes(self) -> bytes:
        """The content of the file."""
        said = {key: json.dumps(getattr(self, key), ensure_ascii=False) for key in LISTS}
        said |= {"source": self.source, "vocabulary_digest": self.vocabulary_digest}
        return save({DIRECTIONS: self.directions.astype(np.float16)}, said)

    @property
    def digest(self) -> str:
        """SHA-256 of all that the bank says; models name the bank that they were trained with."""
        said = [getattr(self, key) for key in LISTS] + [self.source, self.vocabulary_digest]
        content = json.dumps(said).encode() + self.directions.astype(np.float16).tobytes()
        return hashlib.sha256(content).hexdigest()
