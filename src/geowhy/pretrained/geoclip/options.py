"""What one may choose of GeoCLIP, and its names. Light, so that options list at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from geowhy.pretrained.entry import ModelOptions

__all__ = ["CLIP", "GEOCLIP", "Concepts", "GeoClipOptions", "Precision"]

GEOCLIP, CLIP = "geoclip", "clip-vit-l-14"

Precision = Literal["fp32", "int8"]
Concepts = Literal["grounded", "text"]


@dataclass(frozen=True, slots=True)
class GeoClipOptions(ModelOptions):
    """What one may choose of GeoCLIP; each field says what it does."""

    crops: Literal[1, 10] = field(
        default=1, metadata={"help": "mean score of ten crops (default: 1, the centre)"}
    )
    precision: Precision = field(
        default="fp32", metadata={"help": "int8 is faster and nearly the same (default: fp32)"}
    )
    concepts: Concepts = field(
        default="grounded", metadata={"help": "explain by groundings or by texts"}
    )
