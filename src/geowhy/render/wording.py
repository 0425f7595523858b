"""Answers in words: sentences for every face, and how they stand as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from geowhy.answer import Abstention, Prediction, Scope
from geowhy.explanation import ConceptChange, ConceptScore, Explanation, Reference, SparseForm
from geowhy.hints import Hints
from geowhy.types import LatLon

__all__ = [
    "among_words", "as_text", "changes_words", "concept_words", "coordinates", "counted_words",
    "direction",
    "explained_text", "file_sentences", "kilometres", "kinds_of", "log_odds",
    "other_evidence_sentence", "percent",
    "place_name", "plainly", "pose_sentence", "radius_sentence", "reason_sentence",
    "reasons_title",
    "reference_words", "rest_of", "scope_sentence", "share_sentence", "sparse_sentence",
    "stated_sentence", "verdict_sentence",
]  # fmt: skip

SAME_PLACE_KM = 25.0  # nearer than this, a place has not moved
MINUS = "\N{MINUS SIGN}"
SHOWS = 0.005  # log-odds from which on two digits show them
BAR_WIDTH = 24
COMPASS = (
    "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west",
)  # fmt: skip


def coordinates(position: LatLon) -> str:
    """A point with hemispheres, to about 1 km: "9.41° N, 0.84° W"."""
    north = "N" if position.lat >= 0 else "S"
    east = "E" if position.lon >= 0 else "W"
    return f"{abs(position.lat):.2f}° {north}, {abs(position.lon):.2f}° {east}"


def kilometres(km: float) -> str:
    """A distance to two digits that mean something: "7 km", "310 km", "1,900 km"."""
    if km < 1:
        return "under 1 km"
    step = 1 if km < 100 else 10 if km < 1000 else 100
    return f"{step * round(km / step):,} km"


def direction(heading_deg: float) -> str:
    """A heading in words, and in degrees clockwise from north: "north-east (40°)"."""
    whole = round(heading_deg) % 360
    return f"{COMPASS[round(whole / 45) % 8]} ({whole}°)"


def percent(share: float) -> str:
    """A share of 1 in whole percent; never 0 or 100 for what only comes near."""
    if 0.0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1.0:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def log_odds(contribution: float) -> str:
    """A contribution with its sign, three digits or more: "+0.82", "−20.4", "+204"."""
    places = 2 if abs(contribution) < 9.995 else 1 if abs(contribution) < 99.95 else 0
    return f"{contribution:+.{places}f}".replace("-", MINUS)


def concept_words(concept: ConceptScore) -> str:
    """A concept as the place has it: "savanna", or "less warm" than its reference."""
    if not concept.is_concept:
        return f"{concept.name} ({concept.category})" if concept.category else concept.name
    # "Less" goes with every name: things, qualities and quantities.
    return concept.name if concept.present else f"less {concept.name}"


def counted_words(contributions: Sequence[ConceptScore], other: str = "") -> str:
    """How many concepts there are, and what else: "2 other concepts and 1 other reason"."""
    concepts = sum(each.is_concept for each in contributions)
    rest = len(contributions) - concepts
    parts = [f"{concepts} {other}concept{'s' * (concepts > 1)}"] if concepts else []
    if rest:
        # Beside concepts a reason is another one anyhow.
        another = other or ("other " if concepts else "")
        parts.append(f"{rest} {another}reason{'s' * (rest > 1)}")
    return " and ".join(parts)


def reasons_title(contributions: Sequence[ConceptScore]) -> str:
    """What heads a list of them: "Concept", if they are nothing else."""
    return "Concept" if all(each.is_concept for each in contributions) else "Reason"


def place_name(prediction: Prediction) -> str:
    """The answer in words; its coordinates if it has no name."""
    names = [best.place for best in prediction.candidates[:1] if best.place]
    return names[0] if names else coordinates(prediction.position)


def radius_sentence(prediction: Prediction) -> str:
    """How far off such answers are."""
    half, nearly = kilometres(prediction.radius_50_km), kilometres(prediction.radius_90_km)
    if not prediction.calibrated:
        return (
            f"The model puts half of its probability within {half} and nine tenths within "
            f"{nearly}; how often that holds was never measured."
        )
    return f"Half of such answers are within {half} of the truth, nine in ten within {nearly}."


def pose_sentence(prediction: Prediction) -> str:
    """How the picture lies on the ground; empty if the model doesn't tell."""
    width, heading = prediction.width_km, prediction.heading_deg
    parts = []
    if width is not None:
        parts.append(f"the picture is {kilometres(width)} wide")
    if heading is not None:
        of = "its top" if parts else "the picture's top"
        parts.append(f"{of} points {direction(heading)}")
    sentence = " and ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def verdict_sentence(prediction: Prediction) -> str:
    """Whether the picture was found to agree with the map; empty if that wasn't asked."""
    if prediction.verified is None:
        return ""
    found, measured = prediction.agreement, ""
    if found:
        there = "" if found.next_best is None else f"; next best place {found.next_best:.2f}"
        measured = f" (edges: {found.here:.2f}{there})"
    if prediction.verified:
        return f"Laid over the map, the picture agrees with it{measured}: verified."
    return (
        f"Not verified: laid over the map, the picture doesn't agree with it well enough{measured}."
    )


def reason_sentence(abstention: Abstention) -> str:
    """Why the model abstained: what was measured, and the limit."""
    value, limit = abstention.value, abstention.limit
    if abstention.kind == "novel":
        return (
            "The image is unlike those that the model was trained on "
            f"(novelty {value:.1f}, limit {limit:.1f})."
        )
    if abstention.kind == "no_match":
        return (
            "It agrees with no place on Earth that the model knows "
            f"({percent(value)} probable that it is of none, limit {percent(limit)})."
        )
    return f"It could be almost anywhere (radius {value:,.0f} km at 50 %, limit {limit:,.0f} km)."


def scope_sentence(scope: Scope) -> str:
    """How the user narrowed the choice of places and poses; empty if it wasn't narrowed."""
    return " ".join(filter(None, (_places_sentence(scope), _hints_sentence(scope.hints))))


def _places_sentence(scope: Scope) -> str:
    if scope.region and scope.outside_weight > 0.0:
        those = "Only the given places were considered; those" if scope.is_own else "Places"
        return f"{those} outside {scope.region} counted {scope.outside_weight:g} of one inside."
    if not scope.is_chosen:
        return ""
    places = "the given places" if scope.is_own else "places"
    return f"Only {places}{f' in {scope.region}' if scope.region else ''} were considered."


def _hints_sentence(hints: Hints) -> str:
    told = []
    if width := hints.width:
        told.append(f"is {width.least_km:,.6g} to {width.most_km:,.6g} km wide")
    if heading := hints.heading:
        middle, tolerance = heading.middle_deg, heading.tolerance_deg
        told.append(f"has its top {middle:g}° ± {tolerance:g}° clockwise from north")
    return f"It counted that, as you told, the picture {' and '.join(told)}." if told else ""


def other_evidence_sentence(prediction: Prediction) -> str:
    """What counted beside the picture; empty if nothing did."""
    if not prediction.other_evidence:
        return ""
    return f"Beside the picture, this counted: {', '.join(prediction.other_evidence)}."


def file_sentences(prediction: Prediction) -> list[str]:
    """How the image was read where that isn't plain, and what its file says of its own place."""
    notes = [f"Note: {plainly(note)}." for note in prediction.notes]
    if said := prediction.file_says:
        wide = "" if said.width_km is None else f", {kilometres(said.width_km)} wide"
        notes.append(
            f"The file itself says {coordinates(said.position)}{wide} ({said.origin}); "
            "that took no part in the answer."
        )
    return notes


def among_words(scope: Scope) -> str:
    """What a probability is one among, where the user left places out; else empty."""
    if not scope.is_chosen:
        return ""
    alone = scope.places == 1
    return "the only place considered" if alone else f"among the {scope.places:,} places considered"


def share_sentence(prediction: Prediction, count: int) -> str:
    """How much of the evidence the ``count`` strongest concepts on either side are.

    What no concept carries is named, if it shows in two digits.
    """
    explanation = prediction.explanation
    shown = explanation.shown(count)
    share = percent(explanation.explained_share(count))
    counted = f"These {counted_words(shown)} are"
    if len(shown) == 1:
        counted = f"This one {'concept' if shown[0].is_concept else 'reason'} is"
    sentence = f"{counted} {share} of the evidence"
    if abs(explanation.unexplained) < SHOWS:
        return f"{sentence}."
    return f"{sentence}; what no concept carries adds {log_odds(explanation.unexplained)}."


def stated_sentence(explanation: Explanation, count: int) -> str:
    """What the picture makes more likely than not, of what speaks for the place; or that none is.

    Empty for a model that gives no probabilities.
    """
    if all(concept.probability is None for concept in explanation.contributions):
        return ""
    stated = [
        f"{concept.name} ({percent(concept.probability)})"
        for concept in explanation.stated(count)
        if concept.probability is not None
    ]
    if not stated:
        return "Of what speaks for it, the picture makes nothing more likely than not."
    return f"Likely there, by the picture alone: {', '.join(stated)}."


def sparse_sentence(form: SparseForm) -> str:
    """How few concepts say nearly the same, and how nearly."""
    counted = f"{counted_words(form.concepts)} tell"
    if len(form.concepts) == 1:
        counted = f"One {'concept' if form.concepts[0].is_concept else 'reason'} tells"
    sentence = (
        f"{counted} {percent(form.reproduced)} of what tells these places apart "
        f"(cosine {form.cosine:.2f})"
    )
    if form.reproduced < form.asked:
        sentence += f"; {percent(form.asked)} can't be reached, for the rest is unexplained"
    return f"{sentence}."


def changes_words(changes: Sequence[ConceptChange]) -> str:
    """What the picture would show then: "without desert and with coast"."""
    before = {"without": "without", "with": "with", "twice": "with twice the"}
    return " and ".join(f"{before[change.kind]} {change.name}" for change in changes)


def plainly(text: str) -> str:
    r"""A foreign text such as a file name on one line; what steers a terminal is escaped: \n."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def reference_words(reference: Reference) -> str:
    """What a place is held against: "everywhere else", "the place near Paris, France"."""
    if reference.kind == "runner-up":
        return f"the runner-up, {reference.place}"
    if reference.kind == "place":
        return f"the place {reference.place}"
    return "everywhere else" if reference.kind == "elsewhere" else "the average place"


def rest_of(explanation: Explanation, count: int) -> dict[str, float]:
    """What the concepts beside the ``count`` shown add together, and what none carries."""
    shown = explanation.shown(count)
    others = [each for each in explanation.contributions if each not in shown]
    parts = {}
    for are_concepts in (True, False):
        some = [each for each in others if each.is_concept == are_concepts]
        if some:
            parts[counted_words(some, "other ")] = sum(each.contribution for each in some)
    if abs(explanation.unexplained) >= SHOWS:
        parts["what no concept carries"] = explanation.unexplained
    return parts


def kinds_of(explanation: Explanation) -> dict[str, float]:
    """What the concepts of each kind add together, as far as two digits show it."""
    return {name: value for name, value in explanation.by_category.items() if abs(value) >= SHOWS}


def as_text(prediction: Prediction, count: int | None = None, *, guess: bool = False) -> str:
    """The answer as lines of text.

    ``count`` is how many concepts to show on either side; None shows none. After an
    abstention there is no place and no reason for one, unless the ``guess`` is asked for.
    """
    name, place = plainly(prediction.image), place_name(prediction)
    where = coordinates(prediction.position)
    if prediction.abstention:
        lines = [f"{name}: no answer. {reason_sentence(prediction.abstention)}"]
        if not guess:
            return "\n".join(
                [*lines, *(f"  {sentence}" for sentence in file_sentences(prediction))]
            )
        # Its radius and probability would promise too much: they were measured on answers.
        lines.append(f"  Only a guess, and no answer: {place}, {where}")
    else:
        lines = [f"{name}: {place}{_chance(prediction)}"]
        lines.append(f"  {where}. {radius_sentence(prediction)}")
        posed = pose_sentence(prediction), verdict_sentence(prediction)
        lines += [f"  {sentence}" for sentence in posed if sentence]
        others = prediction.candidates[1:]
        shares = [percent(each.probability) for each in others]
        if others:
            lines.append("  It could also be")
        for share, other in zip(shares, others, strict=True):
            also = f"{other.place} ({coordinates(other.position)})"
            lines.append(f"    {share:>{max(map(len, shares))}}  {also}")
    said = scope_sentence(prediction.scope), other_evidence_sentence(prediction)
    lines += [f"  {sentence}" for sentence in (*said, *file_sentences(prediction)) if sentence]
    if count is not None:
        lines += _reasons(prediction, count)
    return "\n".join(lines)


def explained_text(prediction: Prediction, count: int, *, guess: bool = False) -> str:
    """The answer and all that was said about why, as lines of text; maps are for pages."""
    lines = [as_text(prediction, count, guess=guess)]
    if prediction.abstained and not guess:
        return lines[0]
    explanation = prediction.explanation
    kinds = [f"{name} {log_odds(value)}" for name, value in kinds_of(explanation).items() if name]
    if kinds:
        lines.append(f"  By category: {', '.join(kinds)}")
    if stated := stated_sentence(explanation, count):
        lines.append(f"  {stated}")
    if form := explanation.sparse:
        few = [f"{concept_words(each)} {log_odds(each.contribution)}" for each in form.concepts]
        lines += [f"  {sparse_sentence(form)}", f"    {', '.join(few)}"]
    if explanation.what_if:
        lines.append("  What if the picture were")
    for found in explanation.what_if:
        stays = found.moved_km < SAME_PLACE_KM
        then = "the same place" if stays else f"{found.place}, {kilometres(found.moved_km)} away"
        if not prediction.abstained:  # the probabilities of a guess promise too much
            there = f" ({percent(found.probability_there)}); the first place"
            chance = f"{percent(found.probability_before)} → {percent(found.probability_after)}"
            then += f"{'; its probability' if stays else there} {chance}"
        lines.append(f"    {changes_words(found.changes)}: {then}")
    return "\n".join(lines)


def _chance(prediction: Prediction) -> str:
    """How probable the answer is; of a single place that says nothing, and isn't said."""
    among = among_words(prediction.scope)
    if not prediction.candidates:
        return ""
    if among and prediction.scope.places == 1:
        return f", {among}"
    return f", {percent(prediction.candidates[0].probability)} probable {among}".rstrip()


def _reasons(prediction: Prediction, count: int) -> Iterator[str]:
    explanation = prediction.explanation
    shown = explanation.shown(count)
    if not shown:
        yield "  No concept speaks for or against it."
        return
    most = max(abs(concept.contribution) for concept in shown)
    against = reference_words(explanation.against)
    eighths = ("", *"▏▎▍▌▋▊▉")  # of a character
    for title, concepts in (
        (f"  What speaks for it against {against}, in log-odds", explanation.speaking_for(count)),
        ("  What speaks against it", explanation.speaking_against(count)),
    ):
        if concepts:
            yield title
        for concept in concepts:
            length = max(1, round(abs(concept.contribution) / most * BAR_WIDTH * 8))
            bar = "█" * (length // 8) + eighths[length % 8]
            value = log_odds(concept.contribution)
            yield f"    {value:>6}  {bar:<{BAR_WIDTH}}  {concept_words(concept)}"
    yield f"  {share_sentence(prediction, count)}"
