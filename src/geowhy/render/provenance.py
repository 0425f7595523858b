"""What is behind the answers of a page: model, gallery, calibration, data, and how faithful."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Provenance"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made the answers; what is empty is left out.

    Attributes:
        model: its name.
        digest: of its weights or of its folder, such as "sha256 1f2e…".
        version: of geowhy.
        gallery: the places it chooses among, in words.
        places: how many they are; 0 if unknown.
        calibration: what its radii and probabilities were fitted on, in words.
        sources: data that it was made of, and their licences, a line each.
        faithfulness: how far explanations agree with what the model does: what was measured, and
            the figure, ready to be shown.
    """

    model: str
    digest: str = ""
    version: str = ""
    gallery: str = ""
    places: int = 0
    calibration: str = ""
    sources: tuple[str, ...] = ()
    faithfulness: tuple[tuple[str, str], ...] = ()

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Titles and what they say; empty where it is unknown."""
        counted = f"{self.places:,} places" if self.places else ""
        return (
            ("Model", self.model),
            ("Digest", self.digest),
            ("geowhy", self.version),
            ("Places it chooses among", ", ".join(filter(None, (self.gallery, counted)))),
            ("Radii and probabilities", self.calibration),
        )
