"""``geowhy concepts``: what may be said about places, and how well a model says it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from geowhy.cli.loading import add_model

if TYPE_CHECKING:
    from geowhy.concepts.vocabulary import Vocabulary
    from geowhy.locator import Locator

__all__ = ["HELP", "add_arguments", "run"]

HELP = (
    "List what may be said about a place, look it up, map it and score it; these concepts are what "
    "a model explains its answers by."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="list|show|map|score|embed"
    )
    _add_list(actions.add_parser("list", help="all concepts by category", allow_abbrev=False))
    _add_show(actions.add_parser("show", help="all about one concept", allow_abbrev=False))
    drawn = "draw where a model sees a concept beside where it holds"
    _add_map(actions.add_parser("map", help=drawn, allow_abbrev=False))
    measured = "measure whether a model's concepts mean what they say"
    _add_score(actions.add_parser("score", help=measured, allow_abbrev=False))
    embedded = "embed all concepts by their texts, to explain what the model geoclip answers"
    _add_vocabulary(actions.add_parser("embed", help=embedded, allow_abbrev=False))


def run(given: Namespace) -> int:
    """List, show, map, score or embed."""
    actions = {"list": _list, "show": _show, "map": _map, "score": _score, "embed": _embed}
    actions[given.action](given)
    return 0


def _add_list(parser: ArgumentParser) -> None:
    parser.add_argument("--category", metavar="NAME", help="those of one category alone")
    grounded = "those alone that the atlas can tell where they hold"
    parser.add_argument("--grounded", action="store_true", help=grounded)
    _add_vocabulary(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_show(parser: ArgumentParser) -> None:
    _add_name(parser)
    _add_vocabulary(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _add_map(parser: ArgumentParser) -> None:
    _add_name(parser)
    output = "a .png, .svg or .pdf (default: the concept's id, .png)"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=output)
    add_model(parser)
    _add_vocabulary(parser)


def _add_score(parser: ArgumentParser) -> None:
    model = "a model's name or folder (default: embedded)"
    parser.add_argument("model", nargs="?", default="embedded", metavar="MODEL", help=model)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _add_name(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="id or name of a concept, in any case")


def _add_vocabulary(parser: ArgumentParser) -> None:
    own = "a folder of your own TOML files instead of the packaged vocabulary"
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help=own)


def _list(given: Namespace) -> None:
    from geowhy.cli.concept_answers import list_as_json, list_as_text
    from geowhy.concepts.facts import chosen_concepts

    vocabulary = _vocabulary(given)
    chosen = chosen_concepts(vocabulary, given.category, given.grounded)
    print((list_as_json if given.json else list_as_text)(chosen))


def _show(given: Namespace) -> None:
    from geowhy.cli.concept_answers import concept_as_json, concept_as_text
    from geowhy.concepts.facts import concept_facts, find_concept
    from geowhy.geo.atlas import Atlas

    concept = find_concept(_vocabulary(given), given.name)
    facts = concept_facts(concept, Atlas.load())
    print((concept_as_json if given.json else concept_as_text)(concept, facts))


def _map(given: Namespace) -> None:
    from geowhy.cli.concept_answers import agreement
    from geowhy.concepts.facts import find_concept
    from geowhy.evaluation.concept_comparison import compare
    from geowhy.geo.atlas import Atlas
    from geowhy.locator import Locator
    from geowhy.render.concept_map import check_output, draw_comparison, save_figure

    vocabulary = _vocabulary(given)
    concept = find_concept(vocabulary, given.name)
    output = given.output or Path(f"{concept.id}.png")
    check_output(output)  # before the model is loaded
    locator = Locator.from_pretrained(given.model)
    _warn_of_other_vocabulary(vocabulary, locator)
    comparison = compare(concept, locator, Atlas.load())
    said = agreement(comparison)
    save_figure(draw_comparison(comparison, said), output)
    print(f"{concept.name}: {said}\nThe map: {output}")


def _score(given: Namespace) -> None:
    from geowhy.evaluation.concept_scores import score_concepts

    report = score_concepts(given.model, _say)
    print(report.to_json() if given.json else report.table())


def _embed(given: Namespace) -> None:
    from geowhy.pretrained.geoclip.text_bank import write_text_bank

    file = write_text_bank(_vocabulary(given), _say_how_far)
    print(f"The texts of all concepts: {file}")
    print("Explain by them: geowhy locate IMAGE --model geoclip --concepts text")


def _vocabulary(given: Namespace) -> Vocabulary:
    from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary

    return Vocabulary.load(given.vocabulary or PACKAGED_VOCABULARY)


def _warn_of_other_vocabulary(vocabulary: Vocabulary, locator: Locator) -> None:
    """Concepts are found by id, and an id may have meant something else to the model."""
    from geowhy.model.geomodel import GeoModel, model_banks

    banks = model_banks(GeoModel.of(locator.engine.model)).values()
    if any(vocabulary.only(bank.ids).digest != bank.vocabulary_digest for bank in banks):
        _say(
            f"note: {locator.name} was trained with another vocabulary, or another edition of it; "
            "a concept of the same id may have meant something else"
        )


def _say_how_far(done: int, total: int) -> None:
    end = "\n" if done == total else "\r"
    print(f"{done:,} of {total:,} texts", end=end, file=sys.stderr, flush=True)


def _say(stage: str) -> None:
    print(stage, file=sys.stderr, flush=True)
