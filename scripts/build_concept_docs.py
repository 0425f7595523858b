"""Writes docs/concepts.md from the packaged vocabulary: python scripts/build_concept_docs.py.

The text above its tables is concept_docs.md, beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from geowhy.concepts.grounding import FUNCTIONS, LONGEST
from geowhy.concepts.vocabulary import (
    LARGEST_CORRELATION,
    LEAST_PROMPTS,
    RAREST,
    Concept,
    Vocabulary,
)

__all__ = ["concept_docs"]

TEXT = Path(__file__).parent / "concept_docs.md"  # with marks such as <<counts>>, filled in here
OUTPUT = Path(__file__).parent.parent / "docs" / "concepts.md"


def main() -> None:
    """Write the page."""
    OUTPUT.write_text(concept_docs(Vocabulary.load()), encoding="utf-8")
    print(OUTPUT)


def concept_docs(vocabulary: Vocabulary) -> str:
    """The page as Markdown."""
    told = {
        "counts": _counts(vocabulary),
        "prompts": str(LEAST_PROMPTS),
        "functions": ", ".join(f"`{name}`" for name in FUNCTIONS),
        "longest": str(LONGEST),
        "rarest": f"{RAREST:.1%}".replace("%", " %"),
        "correlation": str(LARGEST_CORRELATION),
    }
    text = TEXT.read_text(encoding="utf-8")
    for mark, value in told.items():
        text = text.replace(f"<<{mark}>>", value)
    tables = (_table(vocabulary, category) for category in vocabulary.categories)
    return text + "".join(chain.from_iterable(tables))


def _counts(vocabulary: Vocabulary) -> str:
    kinds = [c.grounding.kind for c in vocabulary.grounded.concepts if c.grounding]
    above = sum(concept.from_above for concept in vocabulary.concepts)
    return (
        f"The packaged one has {len(vocabulary.concepts)} concepts in {len(vocabulary.categories)} "
        f"categories:\n{len(kinds)} with a grounding ({kinds.count('class')} classes and "
        f"{kinds.count('degree')} degrees), {above} seen from above."
    )


def _table(vocabulary: Vocabulary, category: str) -> Iterator[str]:
    """The concepts of a category; their ids, which commands take, are in the first column too."""
    yield f"\n## {category[0].upper()}{category[1:]}\n\n"
    yield "| concept | definition | grounding | from above |\n|---|---|---|---|\n"
    for concept in vocabulary.concepts:
        if concept.category == category:
            yield f"| {' | '.join(_cells(concept))} |\n"


def _cells(concept: Concept) -> Iterator[str]:
    yield f"{_plain(concept.name)}<br>`{concept.id}`"
    yield _plain(concept.definition)
    yield f"`{concept.grounding.text}`" if concept.grounding else ""
    yield "yes" if concept.from_above else ""


def _plain(text: str) -> str:
    """A text in which Markdown finds nothing to set."""
    for sign in "\\|*_`<[":
        text = text.replace(sign, f"\\{sign}")
    return text


if __name__ == "__main__":
    main()
