"""Concepts, and the vocabulary that they are read from: what may be said about a place.

There is one TOML file a category, as docs/concepts.md shows. Every file is checked when it is read:
each mistake is named with its file, line and remedy.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32
from geowhy.concepts.grounding import Grounding, LayerValues, parse_grounding
from geowhy.errors import GroundingError, VocabularyError
from geowhy.geo.atlas import Atlas, uniform_on_land

__all__ = ["PACKAGED_VOCABULARY", "Concept", "Vocabulary"]

PACKAGED_VOCABULARY = Path(__file__).parent / "vocabulary"

TEXTS = ("id", "name", "definition", "grounding")
NEEDED = ("id", "name", "definition", "prompts")
KNOWN = (*NEEDED, "grounding", "from_above")
LEAST_PROMPTS = 3
ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
HEADER = re.compile(r"\s*\[\[\s*concept\s*\]\]")

SAMPLED_PLACES = 20_000
RAREST = 0.001  # of the land: too few places to learn or to measure anything
LARGEST_CORRELATION = 0.98  # above it, two groundings are one
LONG_NAME = 7  # one letter more or less tells shorter names apart, as in "rice" and "rices"
EMPTY_WORDS = frozenset({"a", "an", "the", "of", "and", "or", "in", "with"})


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that may be said about a place."""

    id: str  # unique in a vocabulary
    name: str  # as shown to people
    category: str
    definition: str  # one line
    prompts: tuple[str, ...]  # three or more texts for a text encoder
    grounding: Grounding | None = None  # where on Earth it holds, if an atlas can tell
    from_above: bool = False  # a view from above shows it; if not, it is told of places alone
    where: str = field(default="", compare=False)  # file and line, for messages

    @property
    def content(self) -> dict[str, Any]:
        """Everything that is said, as JSON takes it."""
        said = ("id", "name", "category", "definition", "prompts", "grounding", "from_above")
        grounding = self.grounding.text if self.grounding else None
        return {key: getattr(self, key) for key in said} | {"grounding": grounding}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Concepts in a fixed order: that of the files' names, then that of their lines."""

    concepts: tuple[Concept, ...]

    @classmethod
    def load(
        cls, folder: Path = PACKAGED_VOCABULARY, atlas: Atlas | None = None, compared: bool = True
    ) -> Vocabulary:
        """Reads and checks all TOML files of a folder against an atlas, by default the packaged.

        That concepts are also ``compared`` with each other, by their names and on the land of the
        Earth, takes a second; a vocabulary that was once needn't be again.

        Raises:
            VocabularyError: with file, line and remedy.
        """
        files = sorted(folder.glob("*.toml"))
        if not files:
            raise VocabularyError(f"{folder} holds no .toml file: put one there for each category")
        atlas = atlas or Atlas.load()
        concepts = tuple(concept for file in files for concept in _File(file, atlas).concepts())
        if compared:
            _check_names(concepts)
            _check_groundings(concepts, atlas)
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
        return LayerValues(atlas, lat_lon).truth([concept.grounding for concept in self.concepts])


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
        for key in sorted(self._content.keys() - {"category", "concept"}):
            line = self._line(key, 0, len(self._lines))
            raise VocabularyError(f"{self.path}:{line}: unknown key {key!r}: remove it")
        entries = self._content.get("concept")
        if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
            raise VocabularyError(f"{self.path}:1: no concept: add a [[concept]] table")
        return [self._concept(number, entry, category) for number, entry in enumerate(entries)]

    def _concept(self, number: int, entry: Mapping[str, Any], category: str) -> Concept:
        start, end = 1, 1  # as of an inline table
        if number < len(self._starts):
            start, end = [*self._starts, len(self._lines) + 1][number : number + 2]

        def wrong(key: str, reason: str) -> VocabularyError:
            name, line = entry.get("id", f"number {number + 1}"), self._line(key, start, end - 1)
            return VocabularyError(f"{self.path}:{line}: concept {name!r}: {reason}")

        for key, value in entry.items():
            if key not in KNOWN:
                raise wrong(key, f"unknown key {key!r}: known are {', '.join(KNOWN)}")
            if key in TEXTS and (not isinstance(value, str) or not value.strip()):
                raise wrong(key, f"{key} = {value!r} isn't a text: write one in quotes")
        missing = [key for key in NEEDED if key not in entry]
        if missing:
            raise wrong("id", f"no {' and no '.join(missing)}: add it")
        if not ID.fullmatch(entry["id"]):
            raise wrong("id", f"{entry['id']!r} is no id: use a-z, 0-9 and _")
        listed = entry["prompts"] if isinstance(entry["prompts"], list) else []
        prompts = tuple(p.strip() for p in listed if isinstance(p, str) and p.strip())
        if len(set(prompts)) < LEAST_PROMPTS or len(prompts) != len(listed):
            different = f"{len(set(prompts))} different prompts"
            raise wrong("prompts", f"{different}: list {LEAST_PROMPTS} or more texts")
        from_above = entry.get("from_above", False)
        if not isinstance(from_above, bool):
            raise wrong("from_above", f"from_above = {from_above!r}: write true or false")
        if from_above and "grounding" not in entry:
            raise wrong("from_above", "from_above without a grounding: add one, or remove it")
        grounding = None
        if "grounding" in entry:
            try:
                grounding = parse_grounding(entry["grounding"].strip(), self._atlas)
            except GroundingError as error:
                raise wrong("grounding", f"grounding, {error}") from error
        name, definition = entry["name"].strip(), entry["definition"].strip()
        where = f"{self.path}:{self._line('id', start, end - 1)}"
        return Concept(
            entry["id"], name, category, definition, prompts, grounding, from_above, where
        )

    def _line(self, key: str, start: int, end: int) -> int:
        """The first line after ``start``, up to ``end``, that sets a key; else ``start``."""
        sets_key = re.compile(rf'\s*"?{re.escape(key)}"?\s*=')
        lines = enumerate(self._lines[start:end], start + 1)
        return next((number for number, line in lines if sets_key.match(line)), start)


def _check_names(concepts: Sequence[Concept]) -> None:
    """Refuses two concepts of one id, or of names that are the same or nearly so.

    Names are nearly the same if they have the same words, whatever their order, number or spaces,
    or if one has a letter more, such as savanna and savannah.
    """
    ids: dict[str, Concept] = {}
    spelt: dict[str, Concept] = {}
    shortened: dict[str, Concept] = {}
    for concept in concepts:
        if concept.id in ids:
            raise _clash(concept, ids[concept.id], f"the id {concept.id!r} is taken")
        ids[concept.id] = concept
        words = re.findall(r"[^\W_]+", concept.name.casefold())
        stem = {word: word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words}
        together = "".join(stem[word] for word in words)
        telling = sorted(stem[word] for word in words if word not in EMPTY_WORDS)
        spellings = {" ".join(telling), together}
        shorter = {together[:i] + together[i + 1 :] for i in range(len(together))}
        if len(together) < LONG_NAME:
            shorter = set()
        seen = ((spelt, spellings), (shortened, spellings), (spelt, shorter))
        near = [known[name] for known, names in seen for name in sorted(names) if name in known]
        if near:
            raise _clash(concept, near[0], f"the name {concept.name!r} is nearly {near[0].name!r}")
        spelt |= dict.fromkeys(spellings, concept)
        shortened |= dict.fromkeys(shorter, concept)


def _check_groundings(concepts: Sequence[Concept], atlas: Atlas) -> None:
    """Refuses groundings that are constant, too rare, or nearly the same as another's, on land."""
    grounded = [concept for concept in concepts if concept.grounding is not None]
    land = uniform_on_land(atlas, SAMPLED_PLACES, np.random.default_rng(0))
    truth = Vocabulary(tuple(grounded)).truth(atlas, land)
    for concept, values in zip(grounded, truth.T, strict=True):
        known, reason = values[~np.isnan(values)], ""
        share = float(known.mean()) if len(known) else 0.0
        if len(known) < RAREST * len(truth):
            reason = "the atlas is silent almost everywhere: ground it in other layers"
        elif concept.grounding and concept.grounding.kind == "degree":
            if known.min() == known.max():
                reason = "the grounding is the same everywhere: make it tell places apart"
        elif share < RAREST:
            reason = f"it holds on {share:.2%} of the land, too little: widen it"
        elif share > 1 - RAREST:
            reason = f"it holds on {share:.2%} of the land, nearly everywhere: narrow it"
        if reason:
            raise VocabularyError(f"{concept.where}: concept {concept.id!r}: {reason}")
    centred = np.nan_to_num(truth - np.nanmean(truth, axis=0))
    length = np.linalg.norm(centred, axis=0)
    correlation = np.abs(centred.T @ centred) / np.outer(length, length)
    for one, other in np.argwhere(np.triu(correlation, 1) > LARGEST_CORRELATION).tolist():
        same = f"the grounding is nearly that of {grounded[one].id!r}"
        raise _clash(grounded[other], grounded[one], same)


def _clash(concept: Concept, other: Concept, reason: str) -> VocabularyError:
    return VocabularyError(
        f"{concept.where}: concept {concept.id!r}: {reason} ({other.where}): change or remove one"
    )
