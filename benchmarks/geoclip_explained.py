"""How much of GeoCLIP's scores its grounded concepts carry: prints a line.

An ideal image of a place has the embedding of the place. Its score is split into the shares of the
concepts and the rest, for some places of the gallery.
"""

from __future__ import annotations

import argparse

import numpy as np

from geowhy.model.attribution import LinearAttribution
from geowhy.model.concept_terms import EmbeddingImages
from geowhy.model.terms import Encoded
from geowhy.pretrained.geoclip.released import ReleasedGeoClip

SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=300, help="of the gallery (default: 300)")
    places = parser.parse_args().places
    released = ReleasedGeoClip.load()
    aligner, gallery = released.aligner, released.gallery(None, print)
    chosen = np.random.default_rng(SEED).choice(len(gallery.lat_lon), places, replace=False)
    evidence = LinearAttribution(aligner.terms, temperature=1.0)
    unexplained, spread = [], []
    for row in chosen:
        place = gallery.side.mean(np.array([row]), np.ones(1, np.float32))
        image = Encoded((EmbeddingImages(aligner.centred(place)),))
        found = evidence.explain(image, place, gallery.average)
        unexplained.append(found.unexplained / found.score)
        spread.append(sum(abs(c.contribution) for c in found.contributions) / found.score)
    print(
        f"{places} places, seed {SEED}: no concept carries {np.mean(unexplained):.0%} of the "
        f"score; shares of concepts, whatever their sign, add up to {np.mean(spread):.2f} of it"
    )


if __name__ == "__main__":
    main()
