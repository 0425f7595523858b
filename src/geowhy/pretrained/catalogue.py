"""The models that can be named. Whoever has another one registers its entry.

What is heavy is imported by what loads a model, so that a command line can list options at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal, cast, get_args, get_origin, get_type_hints

from geowhy.errors import ConfigError, ModelFormatError

if TYPE_CHECKING:
    from geowhy.arrays import Points
    from geowhy.engine import Engine

__all__ = [
    "SMALLEST_SIDE",
    "GeoClipOptions",
    "ModelEntry",
    "ModelOptions",
    "choices",
    "chosen",
    "entries",
    "entry_of",
    "register",
]

VIEWS_AT_ONCE = 32
SMALLEST_SIDE = 256  # pixels; a JPEG need not be decoded any finer for a 128-pixel input
PHOTOGRAPHS_AT_ONCE = 4  # they come in full size, 36 MB for 12 megapixels


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


@dataclass(frozen=True, slots=True)
class GeoClipOptions(ModelOptions):
    """What one may choose of GeoCLIP; each field says what it does."""

    crops: Literal[1, 10] = field(
        default=1, metadata={"help": "mean score of ten crops (default: 1, the centre)"}
    )
    precision: Literal["fp32", "int8"] = field(
        default="fp32", metadata={"help": "int8 is faster and nearly the same (default: fp32)"}
    )
    concepts: Literal["grounded", "text"] = field(
        default="grounded", metadata={"help": "explain by groundings or by texts"}
    )


def _load_trained(
    name_or_dir: str, places: Points | None, _: ModelOptions, tell: Callable[[str], None]
) -> Engine:
    from geowhy.engine import Engine, InputPolicy
    from geowhy.heads.gallery import Gallery
    from geowhy.model.geomodel import GeoModel
    from geowhy.model.store import ModelFolder
    from geowhy.posterior import Calibration, NoveltyDetector
    from geowhy.registry import resolve_model

    folder = ModelFolder.open(resolve_model(name_or_dir))
    try:
        calibration = Calibration(**folder.section("calibration"))
        novelty = NoveltyDetector.from_tensors(folder.tensors("novelty"))
    except (KeyError, TypeError) as error:
        raise ModelFormatError(
            f"{folder.path}: the calibration lacks {error}: get or train the model anew"
        ) from error
    model = GeoModel.load(folder)
    if places is None:
        gallery = Gallery.from_tensors(folder.tensors("gallery"), model)
    else:
        tell(f"embedding a gallery of {len(places):,}")
        gallery = Gallery.build(places, model)
    policy = InputPolicy(SMALLEST_SIDE, VIEWS_AT_ONCE)
    return Engine(model, gallery, calibration, novelty, inputs=policy)


def _load_geoclip(
    _: str, places: Points | None, options: ModelOptions, tell: Callable[[str], None]
) -> Engine:
    from geowhy.engine import Engine, InputPolicy
    from geowhy.heads.retrieval import RetrievalHead
    from geowhy.posterior import Calibration
    from geowhy.pretrained.geoclip.released import ReleasedGeoClip, check_installed

    wanted = cast(GeoClipOptions, options)
    check_installed()
    released = ReleasedGeoClip.load(wanted.concepts)
    gallery = released.gallery(places, tell)
    model = released.with_clip(int8=wanted.precision == "int8")
    # How far off GeoCLIP is on photographs like yours, nobody measured here.
    calibration = Calibration(least_radius_km=0.0, is_fitted=False)
    # GeoCLIP's numbers are those of the whole picture, shrunk once.
    policy = InputPolicy(None, PHOTOGRAPHS_AT_ONCE, wanted.crops)
    return Engine(model, gallery, calibration, None, head=RetrievalHead, inputs=policy)


def _sha256_in(name_or_dir: str, file: str) -> str:
    from geowhy.assets.files import sha256_of
    from geowhy.registry import resolve_model

    return sha256_of(resolve_model(name_or_dir) / file)


_TRAINED = ModelEntry(
    "embedded",
    _load_trained,
    lambda name_or_dir: _sha256_in(name_or_dir, "config.json"),  # names the digests of all files
    sources=("blue-marble", "efficientnet-lite2"),
)
_GEOCLIP = ModelEntry(
    "geoclip",
    _load_geoclip,
    lambda name: _sha256_in(name, "location.safetensors"),
    GeoClipOptions,
    sources=("geoclip", "clip-vit-l-14"),
)
_ENTRIES = {entry.name: entry for entry in (_TRAINED, _GEOCLIP)}


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
    return _ENTRIES.get(name_or_dir, _TRAINED)


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
