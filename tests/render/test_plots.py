"""Explanations as figures: complete, and drawn from any explanation."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from geowhy.explanation import ConceptScore, EvidenceMap, Explanation, Reference
from geowhy.types import LatLon

plots = pytest.importorskip("geowhy.render.plots")

PIXELS = np.full((30, 40, 3), 120, np.uint8)
CONCEPTS = tuple(ConceptScore(f"concept {i}", 1.0 - i / 10, True) for i in range(10))


def drawn(figure):
    """The figure on a canvas, as everything in it must go."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=50)
    return np.asarray(Image.open(file))


def test_the_bars_add_up_to_the_score():
    explanation = Explanation(
        5.2, CONCEPTS, -0.3, Reference("place", LatLon(48.9, 2.4), "near Paris, France")
    )
    figure = plots.plot_explanation(explanation)
    (axes,) = figure.axes
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(5.2)
    assert [label.get_text() for label in axes.get_yticklabels()][-2:] == [
        "4 other concepts",
        "what no concept carries",
    ]
    assert figure.get_suptitle() == "Log-odds +5.20 against the place near Paris, France"
    assert drawn(figure).std() > 0


def test_the_picture_is_beside_and_its_map_over_it():
    evidence = (EvidenceMap("the answer", np.eye(4, dtype=np.float32), "occlusion"),)
    alone = plots.plot_explanation(Explanation(1.0, CONCEPTS, 0.0), PIXELS)
    mapped = plots.plot_explanation(Explanation(1.0, CONCEPTS, 0.0, evidence=evidence), PIXELS)
    assert len(alone.axes) == 2
    assert (alone.axes[1].images[0].get_array() == PIXELS).all()
    picture, scale = mapped.axes[1:]
    assert picture.get_title() == "Evidence for the answer"
    assert (np.asarray(picture.images[0].get_array()) != PIXELS).any()
    assert scale.get_xlim() == (-1.0, 1.0)
    drawn(mapped)


def test_names_are_taken_as_they_are_and_nothing_is_too_little():
    names = (ConceptScore("$x^ <b> " + "long " * 30, -0.5, True),)
    drawn(
        plots.plot_explanation(
            Explanation(-0.5, names, 0.0, Reference("place", LatLon(0, 0), "$y_"))
        )
    )
    drawn(plots.plot_explanation(Explanation(0.0, (), 0.0), PIXELS))


def test_without_matplotlib_it_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from geowhy.errors import MissingExtraError\n"
        "try:\n    import geowhy.render.plots\n"
        "except MissingExtraError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'geowhy[plots]'" in done.stdout
