"""A concept: something that may be said about a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geowhy.concepts.grounding import Grounding

__all__ = ["Concept"]


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that may be said about a place.

    Attributes:
        id: short identifier, unique in a vocabulary.
        name: as shown to people.
        category: the group that it belongs to.
        definition: one line.
        prompts: three or more texts for a text encoder.
        grounding: where on Earth it holds, if an atlas can tell.
        from_above: whether a view from above shows it; if not, it is told of places alone.
        where: file and line, for messages.
    """

    id: str
    name: str
    category: str
    definition: str
    prompts: tuple[str, ...]
    grounding: Grounding | None = None
    from_above: bool = False
    where: str = field(default="", compare=False)

    @property
    def content(self) -> dict[str, Any]:
        """Everything that is said, as JSON takes it."""
        return {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "definition": self.definition,
            "prompts": list(self.prompts),
            "grounding": self.grounding.text if self.grounding else None,
            "from_above": self.from_above,
        }
