"""Answers as text for people, laid out so that they can also be read aloud."""

from __future__ import annotations

from collections.abc import Iterator

from geowhy.answer import Candidate, Prediction
from geowhy.explanation import ConceptScore, Explanation
from geowhy.render.wording import (
    among_words,
    concept_words,
    coordinates,
    log_odds,
    other_evidence_sentence,
    percent,
    place_name,
    plainly,
    radius_sentence,
    reason_sentence,
    reference_words,
    scope_sentence,
    share_sentence,
    sparse_sentence,
    stated_sentence,
    sure_of,
    what_if_sentence,
)

__all__ = ["as_text", "explained_text"]

BAR_WIDTH = 24
LEAST_SUM = 0.005  # of a category, in log-odds: what shows in two digits
BLOCKS = " ▏▎▍▌▋▊▉█"


def as_text(prediction: Prediction, count: int | None = None, *, guess: bool = False) -> str:
    """The answer as lines of text.

    ``count`` is how many concepts to show on either side; None shows none. After an
    abstention there is no place and no reason for one, unless the ``guess`` is asked for.
    """
    lines = _headline(prediction, guess)
    if prediction.abstained and not guess:
        return "\n".join(lines)
    if not prediction.abstained:
        lines += _others(prediction.candidates[1:])
    if narrowed := scope_sentence(prediction.scope):
        lines.append(f"  {narrowed}")
    if beside := other_evidence_sentence(prediction):
        lines.append(f"  {beside}")
    if count is not None:
        lines += _reasons(prediction, count)
    return "\n".join(lines)


def explained_text(prediction: Prediction, count: int, *, guess: bool = False) -> str:
    """The answer and all that was said about why, as lines of text; maps are for pages."""
    lines = [as_text(prediction, count, guess=guess)]
    if prediction.abstained and not guess:
        return lines[0]
    lines += _categories(prediction.explanation)
    if stated := stated_sentence(prediction.explanation, count):
        lines.append(f"  {stated}")
    sparse = prediction.explanation.sparse
    if sparse:
        lines += [f"  {sparse_sentence(sparse)}", f"    {_list_of(sparse.concepts)}"]
    if prediction.explanation.what_if:
        lines.append("  What if the picture were")
        lines += [
            f"    {what_if_sentence(each, chances=not prediction.abstained)}"
            for each in prediction.explanation.what_if
        ]
    return "\n".join(lines)


def _categories(explanation: Explanation) -> list[str]:
    told = [(n, x) for n, x in explanation.by_category.items() if n and abs(x) >= LEAST_SUM]
    if not told:
        return []
    sums = ", ".join(f"{name} {log_odds(value)}" for name, value in told)
    return [f"  By category: {sums}"]


def _list_of(concepts: tuple[ConceptScore, ...]) -> str:
    return ", ".join(f"{concept_words(c)} {log_odds(c.contribution)}" for c in concepts)


def _headline(prediction: Prediction, guess: bool) -> list[str]:
    name, place = plainly(prediction.image), place_name(prediction)
    where = coordinates(prediction.position)
    if prediction.abstention:
        said = f"{name}: no answer. {reason_sentence(prediction.abstention)}"
        # Its radius and probability would promise too much: they were measured on answers.
        return [said, f"  Only a guess, and no answer: {place}, {where}"] if guess else [said]
    chance = _chance(prediction)
    return [f"{name}: {place}{chance}", f"  {where}. {radius_sentence(prediction)}"]


def _chance(prediction: Prediction) -> str:
    """How probable the answer is; of a single place that says nothing, and isn't said."""
    best, among = sure_of(prediction), among_words(prediction.scope)
    if best is None:
        return ""
    if prediction.scope.is_chosen and prediction.scope.places == 1:
        return f", {among}"
    return f", {percent(best.probability)} probable{f' {among}' if among else ''}"


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
    against = reference_words(explanation.against)
    for title, concepts in (
        (f"  What speaks for it against {against}, in log-odds", explanation.speaking_for(count)),
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
