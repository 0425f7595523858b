"""The contract of a model that can be named: what `Locator.from_pretrained` needs to know of it.

Only the standard library is imported here, so that a command line can list options at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, Protocol, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from geowhy.engine import Engine

__all__ = ["ModelEntry", "ModelOptions", "NoOptions", "choices"]


class ModelOptions:
    """What one may choose of a model: a frozen dataclass whose fields are `Literal` with defaults.

    ``metadata["help"]`` of a field says what it does.
    """


@dataclass(frozen=True, slots=True)
class NoOptions(ModelOptions):
    """Of a model that lets one choose nothing."""


class ModelEntry(Protocol):
    """One model, or one kind of model folder.

    Attributes:
        name: by which it is asked for.
        options: the class of its options.
        sources: names of the assets that it was made of, whose licences pages name.
    """

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...

    @property
    def options(self) -> type[ModelOptions]:
        """The class of its options."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the assets that it was made of."""
        ...

    def load(
        self,
        name_or_dir: str,
        places: NDArray[np.float64] | None,
        options: ModelOptions,
        tell: Callable[[str], None],
    ) -> Engine:
        """Puts it to work; ``places``, degrees ``[M, 2]``, replace its own gallery.

        Raises:
            ModelNotFoundError: if it isn't on this machine; the message says how to get it.
            ModelFormatError: if its files are damaged.
            CoordinateError: if a place isn't on Earth.
        """
        ...

    def digest(self, name_or_dir: str) -> str:
        """SHA-256 that tells one set of weights from another."""
        ...


def choices(options: type[ModelOptions]) -> dict[str, tuple[object, ...]]:
    """What may be chosen for each option, the default first."""
    hints = get_type_hints(options)
    allowed = {}
    for field in fields(options):  # type: ignore[arg-type]  # a dataclass by contract
        if get_origin(hints[field.name]) is not Literal:
            raise TypeError(f"{options.__name__}.{field.name} must be a Literal")
        others = [each for each in get_args(hints[field.name]) if each != field.default]
        allowed[field.name] = (field.default, *others)
    return allowed
