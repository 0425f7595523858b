"""Makes the grounded concept bank of GeoCLIP's location space, which the package carries.

Directions are fitted on places of cells that aren't held out, so that `geowhy concepts score
geoclip` measures them where they never were. Needs `geowhy models get geoclip`.
"""

from __future__ import annotations

from safetensors.numpy import load_file

from geowhy.concepts.bank import ConceptBank, fit_grounded
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.evaluation.held_out import HeldOutPlaces, unit_embeddings
from geowhy.evaluation.protocol import training_config
from geowhy.geo.atlas import Atlas
from geowhy.model.location import LocationArchitecture, LocationEncoder
from geowhy.pretrained.geoclip.released import GROUNDED_BANK
from geowhy.registry import EMBEDDED, require

RIDGE = 1e-4  # as for the rivals of the embedded model


def main() -> None:
    """Fits and writes it."""
    vocabulary = Vocabulary.load().grounded
    places = HeldOutPlaces.sample(training_config(EMBEDDED), vocabulary, Atlas.load())
    tensors = load_file(require("geoclip") / "location.safetensors")
    encoder = LocationEncoder.from_tensors(tensors, LocationArchitecture())
    units = unit_embeddings(encoder, places.training)
    centred = units - units.mean(axis=0)
    directions = fit_grounded(centred, places.known, RIDGE, vocabulary.names)
    bank = ConceptBank.build(vocabulary, directions, "grounded")
    GROUNDED_BANK.parent.mkdir(exist_ok=True)
    GROUNDED_BANK.write_bytes(bank.to_bytes())
    print(f"{GROUNDED_BANK.name}: {len(bank.ids)} concepts, {bank.digest[:12]}")


if __name__ == "__main__":
    main()
