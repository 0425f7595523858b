"""Why a picture from above is of a footprint, in concepts: arXiv 2509.01910 on the orbit encoder.

``z_img = f_img(x_img)`` (eq. 2) is read off what the network pooled of the picture, whole and ring
by ring. ``x_loc`` is the embedding of what the atlas says of a footprint at its own width, and
``z_loc = x_loc B`` (eq. 3). Both are in standard deviations of the truth over footprints, so that a
`Statements` can tell how probable a concept is by what the picture alone shows.
`geowhy.training.orbit.concepts` trains all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from geowhy.arrays import Floats32, Floats64, Ints, Rows
from geowhy.concepts.bank import BANK_FILE, ConceptBank
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ModelFormatError
from geowhy.geo.pose import Poses
from geowhy.model.alignment import ConceptAligner
from geowhy.model.concept_terms import ConceptImages, ConceptPlaces, ConceptTerm
from geowhy.model.geomodel import folder_bank
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.model.store import ModelFolder, required_tensors
from geowhy.model.terms import Encoded
from geowhy.orbit.footprint_facts import FootprintFacts, FootprintReader

__all__ = ["OrbitConcepts", "Statements"]

SECTION = "concepts"  # of config.json
REMEMBERED = 4_096  # places: 5 MB
READ_AT_ONCE = 2_000  # footprints
STATED = ("slope", "offset")  # tensors of `Statements`


@dataclass(frozen=True, slots=True, eq=False)
class Statements:
    """How probable it is that concepts hold in the footprint of a picture, given its ``z_img``.

    A logistic curve for each of k concepts (Platt, "Probabilistic Outputs for Support Vector
    Machines", 1999), never falling.
    """

    slope: Floats32  # [k]
    offset: Floats32  # [k]

    def probabilities(self, scores: Floats32) -> Floats64:
        """Of concepts in N pictures by their ``z_img`` ``[N, k]``, ``[N, k]``."""
        log_odds = scores.astype(np.float64) * self.slope + self.offset
        return np.asarray(1 / (1 + np.exp(-log_odds)))


class OrbitConcepts:
    """Pictures and footprints as the concept term of a score takes them.

    Attributes:
        aligner: the image head, and the concept basis.
        encoder: embeds the facts of footprints.
        statements: what the scores of a picture promise.
        reader: asks the atlas about footprints, by the k concepts of the bank.
    """

    PLACES = ConceptPlaces  # what it makes of footprints

    def __init__(
        self, aligner: ConceptAligner, encoder: LocationEncoder, statements: Statements
    ) -> None:
        """Takes the parts.

        Raises:
            ModelFormatError: if the packaged vocabulary isn't the one of the bank.
        """
        bank = aligner.bank
        vocabulary = Vocabulary.load(compared=False).only(bank.ids)
        if vocabulary.digest != bank.vocabulary_digest:
            raise ModelFormatError(
                f"the concepts of the model are those of the vocabulary "
                f"{bank.vocabulary_digest[:12]}, but here it is {vocabulary.digest[:12]}: get or "
                "train the model anew"
            )
        self.aligner, self.encoder, self.statements = aligner, encoder, statements
        self.reader = FootprintReader(vocabulary)
        self._known: dict[int, ConceptPlaces] = {}  # of a gallery's places, by their numbers

    @classmethod
    def load(cls, folder: ModelFolder) -> OrbitConcepts:
        """From an opened folder.

        Raises:
            ModelFormatError: if a part is missing or doesn't fit the others.
        """
        groups = dict[str, dict[str, Floats32]]()
        for path, array in folder.tensors("model").items():
            group, _, tensor = path.partition("/")
            groups.setdefault(group, {})[tensor] = array
        try:
            architecture = LocationArchitecture(
                **{
                    **folder.section(SECTION)["location"],
                    "sigmas": tuple(folder.section(SECTION)["location"]["sigmas"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise ModelFormatError(
                f"{folder.path}: config.json lacks {error}: get or train the model anew"
            ) from error
        bank = folder_bank(folder, BANK_FILE, SECTION)
        said = required_tensors("what concepts promise", groups.get("statements", {}), STATED)
        return cls(
            ConceptAligner(groups.get("alignment", {}), bank, "concept"),
            LocationEncoder.from_tensors(groups.get("location", {}), architecture),
            Statements(**said),
        )

    def with_aligner(self, aligner: ConceptAligner) -> OrbitConcepts:
        """The same with another image head and basis."""
        return OrbitConcepts(aligner, self.encoder, self.statements)

    @property
    def config(self) -> dict[str, Any]:
        """The section ``concepts`` of config.json."""
        architecture, bank = asdict(self.encoder.architecture), self.bank
        return {"location": architecture, "banks": {BANK_FILE: bank.digest}}

    @property
    def tensors(self) -> dict[str, Floats32]:
        """Its part of model.safetensors."""
        groups = {
            "alignment": self.aligner.tensors,
            "location": self.encoder.to_tensors(),
            "statements": {name: getattr(self.statements, name) for name in STATED},
        }
        return {
            f"{group}/{n}": array for group, part in groups.items() for n, array in part.items()
        }

    @property
    def bank(self) -> ConceptBank:
        """The concepts; its content is the file `BANK_FILE` of the folder."""
        return self.aligner.bank

    def term(self, weight: float = 1.0) -> ConceptTerm:
        """Its addend of the score, so many times what it was trained to say."""
        bank, aligner = self.bank, self.aligner
        return ConceptTerm(bank.names, bank.categories, aligner.basis, aligner.scale * weight)

    def images(self, pooled: Floats32) -> ConceptImages:
        """Pictures by what the network pooled of them, ``[N, f]``."""
        return ConceptImages.of(self.aligner.outputs(pooled)[1])

    def places(self, poses: Poses, shape: tuple[int, int] = (1, 1)) -> ConceptPlaces:
        """Footprints of pictures of that height and width, M of them."""
        return self.places_of(self.reader.read(poses, shape))

    def of_gallery(self, numbers: Rows, poses: Callable[[Rows], Poses]) -> ConceptPlaces:
        """Places of a gallery, always the same one, by their numbers ``[M]``; it tells the poses.

        One answer asks of the same places several times, so what was read last is kept.
        """
        known, asked = self._known, numbers.tolist()
        if len(known) > REMEMBERED:
            known = self._known = {}
        if new := [number for number in dict.fromkeys(asked) if number not in known]:
            read = self.places(poses(np.array(new, np.intp)))
            known |= {number: read.rows(slice(n, n + 1)) for n, number in enumerate(new)}
        return Encoded.joined([Encoded((known[number],)) for number in asked]).part(ConceptPlaces)

    def places_of(self, facts: FootprintFacts) -> ConceptPlaces:
        """Footprints by what is known of them, M of them."""
        nowhere = np.zeros((len(facts), 2))
        embedded = self.encoder.embed(nowhere, facts.numbers)
        return self.aligner.location_side(embedded).part(ConceptPlaces)

    def scores(self, poses: Poses, columns: Ints) -> Floats32:
        """``z_loc`` of some columns ``[c]`` of the concepts in M footprints, ``[M, c]``."""
        found = []
        for start in range(0, len(poses), READ_AT_ONCE):
            some = self.places(poses[slice(start, start + READ_AT_ONCE)])
            found.append(self.aligner.concept_scores(Encoded((some,)), columns))
        return np.concatenate(found)

    def probabilities(self, images: ConceptImages) -> Floats64:
        """That each concept holds where each of N pictures was taken, ``[N, k]``."""
        return self.statements.probabilities(images.concepts)
