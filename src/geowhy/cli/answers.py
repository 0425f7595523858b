"""Answers as text for people, laid out so that they can also be read aloud."""

from __future__ import annotations

from collections.abc import Iterator

from geowhy.explain.wording import (
    concept_words,
    coordinates,
    log_odds,
    percent,
    place_name,
    plainly,
    radius_sentence,
    reason_sentence,
    share_sentence,
    sure_of,
)
from geowhy.explanation import ConceptScore
from geowhy.types import Candidate, Prediction

__all__ = ["as_text"]

BAR_WIDTH = 24
BLOCKS = " ▏▎▍▌▋▊▉█"


def as_text(prediction: Prediction, count: int | None = None) -> str:
    """The answer as lines of text.

    ``count`` is how many concepts to show on either side; None shows none.
    """
    lines = [*_headline(prediction), *_others(prediction.candidates[1:])]
    if prediction.scope:
        lines.append(f"  {prediction.scope[0].upper()}{prediction.scope[1:]}.")
    if count is not None:
        lines += _reasons(prediction, count)
    return "\n".join(lines)


def _headline(prediction: Prediction) -> list[str]:
    name, place = plainly(prediction.image), place_name(prediction)
    best = sure_of(prediction)
    chance = f", {percent(best.probability)} probable" if best else ""
    where = coordinates(prediction.position)
    if prediction.abstained:
        return [
            f"{name}: no answer. {reason_sentence(prediction)}",
            f"  Only a guess: {place}{chance}, {where}",  # its radius would promise too much
        ]
    return [f"{name}: {place}{chance}", f"  {where}. {radius_sentence(prediction)}"]


def _others(candidates: tuple[Candidate, ...]) -> list[str]:
    if not candidates:
        return []
    shares = [percent(candidate.probability) for candidate in candidates]
    width = max(map(len, shares))
    return [
        "  It could also be",
        *(
            f"    {share:>{width}}  {candidate.place} ({coordinates(candidate.position)})"
            for share, candidate in zip(shares, candidates, strict=True)
        ),
    ]


def _reasons(prediction: Prediction, count: int) -> Iterator[str]:
    explanation = prediction.explanation
    shown = explanation.shown(count)
    if not shown:
        yield "  No concept speaks for or against it."
        return
    most = max(abs(concept.contribution) for concept in shown)
    for title, concepts in (
        ("  What speaks for it, in log-odds", explanation.speaking_for(count)),
        ("  What speaks against it", explanation.speaking_against(count)),
    ):
        if concepts:
            yield title
            yield from (_reason(concept, most) for concept in concepts)
    yield f"  {share_sentence(prediction, count)}"


def _reason(concept: ConceptScore, most: float) -> str:
    value = log_odds(concept.contribution)
    length = abs(concept.contribution) / most
    return f"    {value:>6}  {_bar(length):<{BAR_WIDTH}}  {concept_words(concept)}"


def _bar(share: float) -> str:
    """A bar of up to ``BAR_WIDTH`` characters, to an eighth of one; never nothing."""
    eighths = max(1, round(share * BAR_WIDTH * 8))
    full, rest = divmod(eighths, 8)
    return BLOCKS[8] * full + (BLOCKS[rest] if rest else "")
