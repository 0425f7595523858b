"""The models that can be named. Whoever has another one registers its entry."""

from __future__ import annotations

from collections.abc import Mapping

from geowhy.errors import ConfigError
from geowhy.pretrained.entry import ModelEntry, ModelOptions, choices
from geowhy.pretrained.geoclip.entry import GEOCLIP
from geowhy.pretrained.trained import TRAINED

__all__ = ["choices", "chosen", "entries", "entry_of", "register"]

_ENTRIES = {entry.name: entry for entry in (TRAINED, GEOCLIP)}


def register(entry: ModelEntry) -> None:
    """Lets a model be asked for by its name.

    Raises:
        ConfigError: if another model has that name.
    """
    if _ENTRIES.get(entry.name, entry) is not entry:
        raise ConfigError(f"a model named {entry.name!r} is there already: give it another name")
    _ENTRIES[entry.name] = entry


def entries() -> tuple[ModelEntry, ...]:
    """All of them."""
    return tuple(_ENTRIES.values())


def entry_of(name_or_dir: str) -> ModelEntry:
    """The entry of a name; of anything else, that of folders which ``geowhy train`` made."""
    return _ENTRIES.get(name_or_dir, TRAINED)


def chosen(entry: ModelEntry, given: Mapping[str, object]) -> ModelOptions:
    """The options of a model from those that were given by name.

    Raises:
        ConfigError: if the model has no such option, or no such choice.
    """
    allowed = choices(entry.options)
    for name, value in given.items():
        if name not in allowed:
            others = [each.name for each in entries() if name in choices(each.options)]
            whose = f"it is one of {', '.join(others)}" if others else "no model has it"
            raise ConfigError(f"the model {entry.name} has no option {name!r}: {whose}")
        if value not in allowed[name]:
            listed = ", ".join(str(each) for each in allowed[name])
            raise ConfigError(f"{name} {value!r} of the model {entry.name}: give one of {listed}")
    return entry.options(**given)
