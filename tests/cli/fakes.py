"""A locator that needs no model: it answers by the name of the image."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np

from geowhy.answer import Abstention, Candidate, Prediction, Scope
from geowhy.errors import ImageError, ModelNotFoundError
from geowhy.explanation import ConceptScore, Explanation
from geowhy.hints import NO_HINTS, Hints
from geowhy.images.reading import read_image
from geowhy.types import LatLon

CONCEPTS = (
    ConceptScore("savanna", 1.5, True),
    ConceptScore("snow", 0.75, False),
    ConceptScore("coast", -0.5, True),
)


def prediction(image, abstained=False, **changes):
    values = {
        "image": image,
        "position": LatLon(9.4075, -0.8393),
        "radius_50_km": 312.0,
        "radius_90_km": 1849.0,
        "abstention": Abstention("novel", 3.0, 1.5) if abstained else None,
        "scope": Scope(192_000),
        "candidates": (
            Candidate(LatLon(9.4075, -0.8393), 0.34, "near Tamale, Ghana"),
            Candidate(LatLon(-12.0, 8.52), 0.004, "at sea, 500 km west of Lobito, Angola"),
        ),
        "explanation": Explanation(2.0, CONCEPTS, 0.25),
        "model": "fake",
    }
    return Prediction(**{**values, **changes})


class FakeLocator:
    """Reads the images and calls cats unlike the training images."""

    name = "fake"

    @classmethod
    def from_pretrained(cls, name_or_dir="embedded", **options):
        if name_or_dir == "missing":
            raise ModelNotFoundError("missing: there is no such model;\nsee geowhy models list")
        return cls()

    hints = NO_HINTS

    def within(self, region, outside=0.0):
        return self

    def with_hints(self, width_km=None, heading_deg=None):
        self.hints = Hints(width_km, heading_deg)
        return self

    def locate(self, image):
        scope = Scope(192_000, hints=self.hints)
        return prediction(read_image(image).name, abstained="cat" in str(image), scope=scope)

    def locate_each(self, images, top_k=5):
        for image in images:
            try:
                answer = self.locate(image)
            except ImageError as error:
                yield error
            else:
                yield prediction(
                    answer.image,
                    answer.abstained,
                    candidates=answer.candidates[:top_k],
                    scope=answer.scope,
                )

    def density(self, image):
        cells = np.array([0x8275A7FFFFFFFFF, 0x82754FFFFFFFFFF], np.uint64)
        return SimpleNamespace(cells=cells, probability=np.array([0.6, 0.4]), centres=None)


def module(name, **content):
    """A module of this name with the given content."""
    made = ModuleType(name)
    vars(made).update(content)
    return made


if __name__ == "__main__":
    from geowhy.cli.main import main

    sys.modules["geowhy.locator"] = module("locator", Locator=FakeLocator)
    sys.exit(main())
