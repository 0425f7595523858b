"""The contract of a model that can be named: what `Locator.from_pretrained` needs to know of it.

Only the standard library is imported here, so that a command line can list options at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from geowhy.arrays import Points
    from geowhy.engine import Engine

__all__ = ["ModelEntry", "ModelOptions", "choices"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What one may choose of a model: here nothing, in a frozen dataclass of it one thing a field.

    Fields are `Literal` with defaults; ``metadata["help"]`` says what they do.
    """


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model, or one kind of model folder.

    Attributes:
        name: by which it is asked for.
        load: puts it to work, from a name or a folder, places, degrees ``[M, 2]``, or None for its
            own gallery, its options, and what is told of long work. Raises `ModelNotFoundError` if
            it isn't on this machine, with how to get it, `ModelFormatError` if its files are
            damaged, and `CoordinateError` if a place isn't on Earth.
        digest: SHA-256 that tells one set of weights from another, from a name or a folder.
        options: the class of its options.
        sources: names of the assets that it was made of, whose licences pages name.
    """

    name: str
    load: Callable[[str, Points | None, ModelOptions, Callable[[str], None]], Engine]
    digest: Callable[[str], str]
    options: type[ModelOptions] = ModelOptions
    sources: tuple[str, ...] = ()


def choices(options: type[ModelOptions]) -> dict[str, tuple[object, ...]]:
    """What may be chosen for each option, the default first."""
    hints = get_type_hints(options)
    allowed = {}
    for field in fields(options):
        if get_origin(hints[field.name]) is not Literal:
            raise TypeError(f"{options.__name__}.{field.name} must be a Literal")
        others = [each for each in get_args(hints[field.name]) if each != field.default]
        allowed[field.name] = (field.default, *others)
    return allowed
