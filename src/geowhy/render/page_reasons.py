"""Why a place, on a page: concepts for and against, other places, and what if."""

from __future__ import annotations

from geowhy.answer import Candidate, Prediction, Scope
from geowhy.explanation import Counterfactual, Explanation, SparseForm
from geowhy.render.page_html import bar_row, text, unbroken
from geowhy.render.wording import (
    SAME_PLACE_KM,
    among_words,
    changes_words,
    concept_words,
    coordinates,
    kilometres,
    log_odds,
    percent,
    reference_words,
    share_sentence,
    sparse_sentence,
    stated_sentence,
)

__all__ = [
    "candidates_table",
    "categories_table",
    "concepts_table",
    "probability_fact",
    "sparse_list",
    "what_if_table",
]

SHOWN_CONCEPTS = 6  # on either side
SHOWS = 0.005  # a part of the score from which on two digits show it


def concepts_table(prediction: Prediction) -> str:
    """Bars of the strongest concepts and of all the rest; the rows add up to the score."""
    explanation = prediction.explanation
    against = text(reference_words(explanation.against))
    heading = f"<h3>For and against it, compared with {against}</h3>"
    shown = explanation.shown(SHOWN_CONCEPTS)
    rest = _rest(explanation)
    if not shown and not rest:
        return f"{heading}<p>No concept speaks for or against it.</p>"
    most = max(abs(value) for value in (*(c.contribution for c in shown), *rest.values()))
    rows = [bar_row(text(concept_words(each)), each.contribution, most) for each in shown]
    rows += [bar_row(words, value, most, "rest") for words, value in rest.items()]
    none = "" if shown else "<p>No concept speaks for or against it.</p>"
    return (
        f'{heading}{none}<table class="concepts"><thead><tr><th scope="col">Concept</th>'
        '<th scope="col" class="bars">against · for</th><th scope="col" class="number">Log-odds'
        f"</th></tr></thead><tbody>{''.join(rows)}</tbody>"
        f'<tfoot><tr><th scope="row" colspan="2">Together, against {against}</th>'
        f'<td class="number">{log_odds(explanation.score)}</td></tr></tfoot></table>'
        f'<p class="soft small">{unbroken(share_sentence(prediction, SHOWN_CONCEPTS))}</p>'
        f"{_stated(explanation)}"
    )


def _stated(explanation: Explanation) -> str:
    sentence = stated_sentence(explanation, SHOWN_CONCEPTS)
    return f"<p>{text(sentence)}</p>" if sentence else ""


def _rest(explanation: Explanation) -> dict[str, float]:
    """What the concepts that aren't shown add together, and what none carries: never hidden."""
    shown = explanation.shown(SHOWN_CONCEPTS)
    others = len(explanation.contributions) - len(shown)
    total = sum(concept.contribution for concept in explanation.contributions)
    parts = {}
    if others > 0:
        words = "1 other concept" if others == 1 else f"{others} other concepts"
        parts[words] = total - sum(concept.contribution for concept in shown)
    if abs(explanation.unexplained) >= SHOWS:
        parts["What no concept carries"] = explanation.unexplained
    return parts


def categories_table(explanation: Explanation) -> str:
    """What the concepts of each kind add together; empty if there is but one kind."""
    sums = {name: value for name, value in explanation.by_category.items() if abs(value) >= SHOWS}
    if len(sums) < 2:
        return ""
    most = max(abs(value) for value in sums.values())
    rows = (
        bar_row(text(name) if name else "of no kind", value, most) for name, value in sums.items()
    )
    return (
        '<section><h3>By kind of concept</h3><table class="concepts"><thead class="unseen"><tr>'
        '<th scope="col">Kind</th><th scope="col" class="bars">against · for</th>'
        '<th scope="col" class="number">Log-odds</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></section>"
    )


def probability_fact(best: Candidate, scope: Scope) -> tuple[str, str]:
    """How probable the answer is, and among what; of a single place only that it is one."""
    among = among_words(scope)
    if not among:
        return "Probability of this place", percent(best.probability)
    if scope.places == 1:
        return "Probability of this place", among
    return f"Probability {among}", percent(best.probability)


def candidates_table(candidates: tuple[Candidate, ...], scope: Scope) -> str:
    """The modes, numbered as on the map if there are several."""
    among = among_words(scope)
    is_alone = bool(among) and scope.places == 1
    is_among = bool(among) and not is_alone
    note = f'<p class="soft small">Probabilities are {among}.</p>' if is_among else ""
    rows = (
        f'<tr>{_badge(number) if len(candidates) > 1 else ""}<th scope="row">'
        f'{unbroken(each.place or "no name")}<br><span class="soft small">'
        f"{unbroken(coordinates(each.position))}</span></th>"
        f'<td class="number">{among if is_alone else percent(each.probability)}</td></tr>'
        for number, each in enumerate(candidates, start=1)
    )
    first = '<th scope="col"><span class="unseen">Number on the map</span></th>'
    return (
        f'<h3>Where it may be</h3><table class="places"><thead><tr>'
        f'{first if len(candidates) > 1 else ""}<th scope="col">Place</th>'
        '<th scope="col" class="number">Probability</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
        f"{note}"
    )


def _badge(number: int) -> str:
    kind = "badge first" if number == 1 else "badge"
    return f'<td class="of-badge"><span class="{kind}">{number}</span></td>'


def what_if_table(found: tuple[Counterfactual, ...]) -> str:
    """What the model would say of a changed picture; empty if nothing was asked."""
    if not found:
        return ""
    rows = "".join(_what_if_row(each) for each in found)
    return (
        '<section><h3>What if it showed something else</h3><table class="what-if"><thead><tr>'
        '<th scope="col">Change, and the place then</th><th scope="col" class="number">Moved</th>'
        '<th scope="col" class="number">Probability</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        '<p class="soft small">The probability is that of the answer’s region, '
        "before the change → after it.</p></section>"
    )


def _what_if_row(found: Counterfactual) -> str:
    words = text(_capital(changes_words(found.changes)))
    stays = found.moved_km < SAME_PLACE_KM
    place = f"{found.place or coordinates(found.position)} ({percent(found.probability_there)})"
    there = "the same place" if stays else unbroken(place)
    moved = "stays" if stays else kilometres(found.moved_km)
    return (
        f'<tr><th scope="row">{words}<br><span class="soft small">{there}</span></th>'
        f'<td class="number">{moved}</td><td class="number">{percent(found.probability_before)} '
        f"→ {percent(found.probability_after)}</td></tr>"
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def sparse_list(form: SparseForm | None) -> str:
    """The fewest concepts that say nearly the same; empty if they weren't asked for."""
    if form is None:
        return ""
    items = "".join(
        f'<li>{text(concept_words(each))} <span class="number">{log_odds(each.contribution)}'
        "</span></li>"
        for each in form.concepts
    )
    return (
        f"<section><h3>In the fewest concepts</h3><p>{unbroken(sparse_sentence(form))}</p>"
        f'<ul class="chips">{items}</ul><p class="soft small">Each counts as much as is best; '
        f"together they give the place {log_odds(form.score)}.</p></section>"
    )
