"""``geowhy concepts``: what may be said about places, and how well a model says it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geowhy.cli.options import JsonLines, ModelName, OneJson, flag, option, progress, say, to_file

if TYPE_CHECKING:
    from geowhy.concepts.vocabulary import Vocabulary

__all__ = ["HELP", "VERBS"]

HELP = (
    "List what may be said about a place, look it up, map it and score it; these concepts are what "
    "a model explains its answers by."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Id or name of a concept, in any case.")]
VocabularyFolder = Annotated[
    Path | None,
    option(
        "--vocabulary",
        help="A folder of your own TOML files instead of the packaged vocabulary.",
        metavar="DIR",
    ),
]


def _list(
    vocabulary: VocabularyFolder = None,
    category: Annotated[
        str | None, option(help="Those of one category alone.", metavar="NAME")
    ] = None,
    grounded: Annotated[
        bool, flag("--grounded", "Those alone that the atlas can tell where they hold.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """All concepts by category."""
    from geowhy.cli.concept_answers import list_as_json, list_as_text
    from geowhy.concepts.facts import chosen_concepts

    chosen = chosen_concepts(_loaded(vocabulary), category, grounded)
    print((list_as_json if json else list_as_text)(chosen))


def _show(name: Name, vocabulary: VocabularyFolder = None, json: OneJson = False) -> None:
    """All about one concept."""
    from geowhy.cli.concept_answers import concept_as_json, concept_as_text
    from geowhy.concepts.facts import concept_facts, find_concept
    from geowhy.geo.atlas import Atlas

    concept = find_concept(_loaded(vocabulary), name)
    facts = concept_facts(concept, Atlas.load())
    print((concept_as_json if json else concept_as_text)(concept, facts))


def _map(
    name: Name,
    vocabulary: VocabularyFolder = None,
    model: ModelName = "embedded",
    output: Annotated[
        Path | None, to_file("A .png, .svg or .pdf (default: the concept's id, .png).")
    ] = None,
) -> None:
    """Draw where a model sees a concept beside where it holds."""
    from geowhy.cli.concept_answers import agreement
    from geowhy.cli.pages import check_output, write_whole
    from geowhy.concepts.facts import find_concept
    from geowhy.evaluation.concept_comparison import banks_of, compare
    from geowhy.geo.atlas import Atlas
    from geowhy.locator import Locator
    from geowhy.render.concept_map import FORMATS, draw_comparison, figure_bytes

    concepts = _loaded(vocabulary)
    concept = find_concept(concepts, name)
    output = output or Path(f"{concept.id}.png")
    check_output(output, FORMATS, "no such kind of figure")
    locator = Locator.from_pretrained(model)
    # Concepts are found by id, and an id may have meant something else to the model.
    banks = banks_of(locator.engine.model)
    if any(concepts.only(bank.ids).digest != bank.vocabulary_digest for bank in banks):
        say(
            f"note: {locator.name} was trained with another vocabulary, or another edition of it; "
            "a concept of the same id may have meant something else"
        )
    comparison = compare(concept, locator, Atlas.load())
    said = agreement(comparison)
    figure = draw_comparison(comparison, said)
    write_whole(output, figure_bytes(figure, output.suffix.lower()), "the map ")
    print(f"{concept.name}: {said}\nThe map: {output}")


def _score(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="The folder of a model of views, or geoclip.",
            show_default=False,
        ),
    ],
    json: OneJson = False,
) -> None:
    """Measure whether a model's concepts mean what they say."""
    from geowhy.evaluation.concept_scores import score_concepts

    report = score_concepts(model, say)
    print(report.to_json() if json else report.table())


def _embed(vocabulary: VocabularyFolder = None) -> None:
    """Embed all concepts by their texts, to explain what the model geoclip answers."""
    from geowhy.pretrained.geoclip.released import write_text_bank

    with progress("texts") as show:
        file = write_text_bank(_loaded(vocabulary), show)
    print(f"The texts of all concepts: {file}")
    print("Explain by them: geowhy locate IMAGE --model geoclip --concepts text")


def _loaded(folder: Path | None) -> Vocabulary:
    from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary

    return Vocabulary.load(folder or PACKAGED_VOCABULARY)


VERBS = (_list, _show, _map, _score, _embed)
