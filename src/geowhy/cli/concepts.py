"""``geowhy concepts``: what may be said about places, and how well a model says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geowhy.cli.options import ModelOption, flag, option, say
from geowhy.cli.progress import progress

if TYPE_CHECKING:
    from geowhy.concepts.vocabulary import Vocabulary
    from geowhy.locator import Locator

__all__ = ["HELP", "VERBS"]

HELP = (
    "List what may be said about a place, look it up, map it and score it; these concepts are what "
    "a model explains its answers by."
)


Name = Annotated[str, typer.Argument(metavar="NAME", help="Id or name of a concept, in any case.")]


@dataclass(frozen=True, kw_only=True)
class VocabularyOptions:
    """Of every verb that reads a vocabulary."""

    vocabulary: Annotated[
        Path | None,
        option(
            help="A folder of your own TOML files instead of the packaged vocabulary.",
            metavar="DIR",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ListOptions(VocabularyOptions):
    """What ``geowhy concepts list`` takes."""

    category: Annotated[str | None, option(help="Those of one category alone.", metavar="NAME")] = (
        None
    )
    grounded: Annotated[
        bool, flag("--grounded", "Those alone that the atlas can tell where they hold.")
    ] = False
    json: Annotated[bool, flag("--json", "One JSON object a line.")] = False


@dataclass(frozen=True, kw_only=True)
class ShowOptions(VocabularyOptions):
    """What ``geowhy concepts show`` takes."""

    name: Name
    json: Annotated[bool, flag("--json", "One JSON object.")] = False


@dataclass(frozen=True, kw_only=True)
class MapOptions(ModelOption, VocabularyOptions):
    """What ``geowhy concepts map`` takes."""

    name: Name
    output: Annotated[
        Path | None,
        option(
            "-o",
            "--output",
            help="A .png, .svg or .pdf (default: the concept's id, .png).",
            metavar="FILE",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What ``geowhy concepts score`` takes."""

    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A model's name or folder (default: embedded).",
            show_default=False,
        ),
    ] = "embedded"
    json: Annotated[bool, flag("--json", "One JSON object.")] = False


def _list(given: ListOptions) -> int:
    from geowhy.cli.concept_answers import list_as_json, list_as_text
    from geowhy.concepts.facts import chosen_concepts

    vocabulary = _vocabulary(given)
    chosen = chosen_concepts(vocabulary, given.category, given.grounded)
    print((list_as_json if given.json else list_as_text)(chosen))
    return 0


def _show(given: ShowOptions) -> int:
    from geowhy.cli.concept_answers import concept_as_json, concept_as_text
    from geowhy.concepts.facts import concept_facts, find_concept
    from geowhy.geo.atlas import Atlas

    concept = find_concept(_vocabulary(given), given.name)
    facts = concept_facts(concept, Atlas.load())
    print((concept_as_json if given.json else concept_as_text)(concept, facts))
    return 0


def _map(given: MapOptions) -> int:
    from geowhy.cli.concept_answers import agreement
    from geowhy.cli.pages import check_output, write_whole
    from geowhy.concepts.facts import find_concept
    from geowhy.evaluation.concept_comparison import compare
    from geowhy.geo.atlas import Atlas
    from geowhy.locator import Locator
    from geowhy.render.concept_map import FORMATS, draw_comparison, figure_bytes

    vocabulary = _vocabulary(given)
    concept = find_concept(vocabulary, given.name)
    output = given.output or Path(f"{concept.id}.png")
    check_output(output, FORMATS, "no such kind of figure")  # before the model is loaded
    locator = Locator.from_pretrained(given.model)
    _warn_of_other_vocabulary(vocabulary, locator)
    comparison = compare(concept, locator, Atlas.load())
    said = agreement(comparison)
    figure = draw_comparison(comparison, said)
    write_whole(output, figure_bytes(figure, output.suffix.lower()), "the map ")
    print(f"{concept.name}: {said}\nThe map: {output}")
    return 0


def _score(given: ScoreOptions) -> int:
    from geowhy.evaluation.concept_scores import score_concepts

    report = score_concepts(given.model, say)
    print(report.to_json() if given.json else report.table())
    return 0


def _embed(given: VocabularyOptions) -> int:
    from geowhy.pretrained.geoclip.text_bank import write_text_bank

    with progress("texts") as show:
        file = write_text_bank(_vocabulary(given), show)
    print(f"The texts of all concepts: {file}")
    print("Explain by them: geowhy locate IMAGE --model geoclip --concepts text")
    return 0


def _vocabulary(given: VocabularyOptions) -> Vocabulary:
    from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary

    return Vocabulary.load(given.vocabulary or PACKAGED_VOCABULARY)


def _warn_of_other_vocabulary(vocabulary: Vocabulary, locator: Locator) -> None:
    """Concepts are found by id, and an id may have meant something else to the model."""
    from geowhy.model.geomodel import GeoModel, model_banks

    banks = model_banks(GeoModel.of(locator.engine.model)).values()
    if any(vocabulary.only(bank.ids).digest != bank.vocabulary_digest for bank in banks):
        say(
            f"note: {locator.name} was trained with another vocabulary, or another edition of it; "
            "a concept of the same id may have meant something else"
        )


VERBS: tuple[tuple[str, str, type[Any], Callable[[Any], int]], ...] = (
    ("list", "All concepts by category.", ListOptions, _list),
    ("show", "All about one concept.", ShowOptions, _show),
    ("map", "Draw where a model sees a concept beside where it holds.", MapOptions, _map),
    ("score", "Measure whether a model's concepts mean what they say.", ScoreOptions, _score),
    (
        "embed",
        "Embed all concepts by their texts, to explain what the model geoclip answers.",
        VocabularyOptions,
        _embed,
    ),
)
