"""Options of verbs as frozen dataclasses, and the verbs made of them.

A field is ``name: Annotated[type, option(...)] = default``. What one model alone lets one choose is
added to every verb that loads one, from the entries of the catalogue.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from geowhy.errors import ConfigError
from geowhy.pretrained.catalogue import entries
from geowhy.pretrained.entry import choices

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["ImageOptions", "ModelOption", "add_verb", "flag", "load", "option", "say", "share"]

_Options = TypeVar("_Options")


def option(*names: str, help: str, **settings: Any) -> Any:
    """An option that takes a value; its help says the default."""
    return typer.Option(*names, help=help, show_default=False, **settings)


def flag(name: str, help: str) -> Any:
    """An option that is given or not."""
    return typer.Option(name, help=help, show_default=False)


def share(word: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise typer.BadParameter(f"{word!r} is no number from 0 to 1")
    return number


@dataclass(frozen=True, kw_only=True)
class ModelOption:
    """Of every verb with a model.

    Attributes:
        model: its name or folder.
    """

    model: Annotated[
        str,
        option(help="A model's name or folder (default: embedded).", metavar="NAME_OR_DIR"),
    ] = "embedded"


@dataclass(frozen=True, kw_only=True)
class ImageOptions(ModelOption):
    """Of every verb that locates images: which, by what model, among which places.

    Attributes:
        images: files, folders, or - for standard input.
        top_k: how many places to name.
        gallery: file of the places to choose among.
        region: where they are.
        outside: how much places elsewhere count.
        of_model: what that model alone lets one choose, by name.
    """

    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Image files, folders of images, or - for an image on standard input.",
            show_default=False,
        ),
    ]
    top_k: Annotated[int, option(help="How many places to name (default: 5).", min=1)] = 5
    gallery: Annotated[
        Path | None,
        option(
            help="CSV file with columns lat, latitude or y, and lon, lng, long, longitude or x: "
            "choose among these places.",
            metavar="FILE",
        ),
    ] = None
    region: Annotated[
        str | None,
        option(
            help="Only places there: countries, UN regions, continents or states with commas "
            "between, a box S,W,N,E or a .geojson file.",
        ),
    ] = None
    outside: Annotated[
        float | None,
        option(
            help="With --region: how much places elsewhere count, 0 to 1 (default: 0, not at all).",
            metavar="WEIGHT",
            parser=share,
        ),
    ] = None
    of_model: dict[str, object] = field(default_factory=dict)


def load(options: ImageOptions) -> Locator:
    """The locator that the options ask for.

    Raises:
        ConfigError: if options contradict each other; and whatever loading raises.
    """
    from geowhy.geo.regions import Region
    from geowhy.heads.gallery_file import read_gallery
    from geowhy.locator import Locator

    if options.outside is not None and options.region is None:
        raise ConfigError("--outside weighs places outside a region: give --region too")
    locator = Locator.from_pretrained(
        options.model,
        gallery=read_gallery(options.gallery, say) if options.gallery else None,
        on_progress=say,
        **options.of_model,
    )
    if not options.region:
        return locator
    region = Region.parse(options.region)
    if region.holds:
        say(f"{region.name} ({region.holds})")
    return locator.within(region, options.outside or 0.0)


def add_verb(
    app: typer.Typer,
    name: str,
    help: str,
    options: type[_Options],
    run: Callable[[_Options], int],
    guarded: Callable[[Callable[[], int]], int],
) -> None:
    """Adds a verb whose parameters are the fields of ``options`` (a dataclass) to an app."""

    def call(**given: Any) -> None:
        of_model = {n: given.pop(n) for n in of_models if n in given}
        if of_models:
            given["of_model"] = {n: value for n, value in of_model.items() if value is not None}
        raise typer.Exit(guarded(lambda: run(options(**given))))

    hints = get_type_hints(options, include_extras=True)
    parameters = [
        _parameter(each.name, hints[each.name], each.default)
        for each in fields(options)  # type: ignore[arg-type]  # a dataclass by contract
        if each.name != "of_model"
    ]
    of_models = _of_models() if "of_model" in hints else {}
    parameters += [_parameter(n, annotation, None) for n, annotation in of_models.items()]
    parameters.sort(key=lambda each: each.default is not inspect.Parameter.empty)
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    app.command(name, help=help, short_help=help.partition(";")[0].rstrip("."))(call)


def _parameter(name: str, annotation: Any, default: object) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    kind = inspect.Parameter.KEYWORD_ONLY
    value = empty if default is MISSING else default
    return inspect.Parameter(name, kind, default=value, annotation=annotation)


def _of_models() -> dict[str, Any]:
    """Annotations of the options that single models have, by name."""
    found: dict[str, Any] = {}
    for entry in entries():
        told = {each.name: each.metadata["help"] for each in fields(entry.options)}  # type: ignore[arg-type]
        for name, allowed in choices(entry.options).items():
            words = {str(each): each for each in allowed}
            settings = {"parser": _one_of(words), "metavar": "|".join(words)}
            found[name] = Annotated[
                str | None, option(help=f"{entry.name}: {told[name]}.", **settings)
            ]
    return found


def _one_of(words: dict[str, object]) -> Callable[[str], object]:
    def read(word: str) -> object:
        if word not in words:
            raise typer.BadParameter(f"{word!r} is none of {', '.join(words)}")
        return words[word]

    return read


def say(step: str) -> None:
    """Tells of long work on standard error."""
    print(step, file=sys.stderr, flush=True)
