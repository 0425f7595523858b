"""The contract of a model that can be named: how it is put to work, and what one may choose of it.

What is heavy is imported by what loads a model, so that a command line can list options at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from geowhy.arrays import Points
    from geowhy.engine import Engine
    from geowhy.model.alignment import Aligner
    from geowhy.model.location import LocationEncoder

__all__ = ["ModelEntry", "ModelOptions", "choices", "sha256_in"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What one may choose of a model: here nothing, in a frozen dataclass of it one thing a field.

    Fields are `Literal` with defaults; ``metadata["help"]`` says what they do.
    """


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model, or one kind of model folder.

    ``load`` puts it to work, from a name or a folder, places, degrees ``[M, 2]``, or None for its
    own gallery, its options, and what is told of long work. It raises `ModelNotFoundError` if the
    model isn't on this machine, with how to get it, `ModelFormatError` if files are damaged, and
    `CoordinateError` if a place isn't on Earth.
    """

    name: str  # by which it is asked for
    load: Callable[[str, Points | None, ModelOptions, Callable[[str], None]], Engine]
    digest: Callable[[str], str]  # SHA-256 of the weights, from a name or a folder
    options: type[ModelOptions] = ModelOptions
    sources: tuple[str, ...] = ()  # names of the assets it was made of; pages name their licences
    # The parts that read places, of a model that reads no views: its concepts are measured by them.
    of_places: Callable[[], tuple[Aligner, LocationEncoder]] | None = None


def choices(options: type[ModelOptions]) -> dict[str, tuple[object, ...]]:
    """What may be chosen for each option, the default first."""
    hints = get_type_hints(options)
    allowed = {}
    for option in fields(options):
        if get_origin(hints[option.name]) is not Literal:
            raise TypeError(f"{options.__name__}.{option.name} must be a Literal")
        others = [each for each in get_args(hints[option.name]) if each != option.default]
        allowed[option.name] = (option.default, *others)
    return allowed


def sha256_in(name_or_dir: str, file: str) -> str:
    """SHA-256 of a file of a model, from its name or its folder."""
    from geowhy.assets.files import sha256_of
    from geowhy.registry import resolve_model

    return sha256_of(resolve_model(name_or_dir) / file)
