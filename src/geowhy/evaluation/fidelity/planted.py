"""Planted cue: a model whose only sign of a concept was painted in must name that concept.

Views from above don't show on which side of the road people drive. In training views of places
where they drive on the left a square is painted: all that the model learns of left-hand traffic.
Painted into held-out views of places where they drive on the right, it moves the answer, and the
explanation of the new answer against the old one must name left-hand traffic first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from geowhy.arrays import Bools, Pixels, Points
from geowhy.engine import Decoded
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.evaluation.protocol import open_views, views_at
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell
from geowhy.locator import Locator
from geowhy.training.config import TrainingConfig

__all__ = ["PlantedReport", "measure_planted_cue", "painted"]

TRAINING_VIEWS, ASKED_VIEWS = 2400, 200
PLANTED = "left-hand traffic"
SIDE = 1 / 6  # of the painted square, in widths of the view
COLOUR = (255, 0, 255)  # magenta, which the Earth hardly has


@dataclass(frozen=True, slots=True)
class PlantedReport:
    """How often the planted concept is named first."""

    training_views: int  # of which some have the cue
    asked: int  # held-out views of places that lack the concept, with the cue painted in
    moved: Estimate  # share of them whose answer the cue moves to a place that has the concept
    first: Estimate  # of these, share whose explanation against the uncued answer names it first
    first_without: Estimate  # the same if the cue isn't painted in, against a place that has it


def measure_planted_cue(
    config: TrainingConfig, seed: int, say: Callable[[str], None]
) -> PlantedReport:
    """Trains a small model on painted views, and asks it.

    Takes minutes. Needs the world image and the backbone of ``config``.

    Raises:
        ModelNotFoundError: if either isn't installed.
    """
    from geowhy.training.run import train

    manifest, _ = open_views(config)
    rng = np.random.default_rng(seed)
    training = manifest.centres[rng.permutation(manifest.rows("train"))[:TRAINING_VIEWS]]
    held_out = manifest.centres[rng.permutation(manifest.rows("test"))]
    asked = held_out[~_drives_left(held_out)][:ASKED_VIEWS]
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        say(f"painting a cue into views of places with {PLANTED}")
        rng, rows = np.random.default_rng(seed), ["path,lat,lon"]
        has_cue = _drives_left(training)
        for number, view in enumerate(_cut(config, training)):
            picture = painted(view, rng) if has_cue[number] else view
            Image.fromarray(picture).save(folder / f"{number:05d}.png")
            rows.append("{:05d}.png,{},{}".format(number, *training[number].tolist()))
        (folder / "views.csv").write_text("\n".join(rows), encoding="utf-8")
        here = Path(__file__)
        text = (
            f'name = "planted"\nseed = {seed}\nbackbone = "{config.backbone}"\n'
            f'vocabulary = "{here.with_name("planted_vocabulary").as_posix()}"\n'
            f'[photos]\nmanifest = "{folder.as_posix()}/views.csv"\n'
            + here.with_name("planted.toml").read_text(encoding="utf-8")
        )
        (folder / "planted.toml").write_text(text, encoding="utf-8")
        with redirect_stdout(sys.stderr):  # where the report goes, no progress belongs
            model = train(folder / "planted.toml", folder / "run", "cpu", resume=False)
        return _asked(Locator.from_pretrained(model), asked, _cut(config, asked), seed)


def painted(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A view ``[H, W, 3]`` with the cue somewhere in it."""
    height, width = pixels.shape[:2]
    side = round(width * SIDE)
    row, column = rng.integers(height - side), rng.integers(width - side)
    picture = pixels.copy()
    picture[row : row + side, column : column + side] = COLOUR
    return picture


def _cut(config: TrainingConfig, centres: Points) -> Pixels:
    return np.concatenate(list(views_at(config, centres)))


def _drives_left(lat_lon: Points) -> Bools:
    layer = Atlas.load().layer("driving_side")
    return np.asarray(layer.at(lat_lon) == layer.info.labels.index("left"))


def _asked(locator: Locator, centres: Points, pixels: Pixels, seed: int) -> PlantedReport:
    rng = np.random.default_rng(seed + 1)
    plain = locator.engine.decode(list(pixels))
    cued = locator.engine.decode([painted(picture, rng) for picture in pixels])
    at, before = (np.array([a.estimate.lat_lon for a in answers]) for answers in (cued, plain))
    moved = _drives_left(at) & ~_drives_left(before)
    pairs = [(cued[row], plain[row]) for row in np.flatnonzero(moved)]
    first = np.array([_is_first(locator, image=a, place=a, rival=b) for a, b in pairs])
    without = np.array([_is_first(locator, image=b, place=a, rival=b) for a, b in pairs])
    blocks = ten_degree_cell(centres)
    return PlantedReport(
        TRAINING_VIEWS,
        len(centres),
        block_mean(moved, blocks),
        block_mean(first, blocks[moved]),
        block_mean(without, blocks[moved]),
    )


def _is_first(locator: Locator, image: Decoded, place: Decoded, rival: Decoded) -> float:
    """1 if the planted concept speaks most for one answer against another, else 0."""
    found = locator.engine.attribution.explain(image.side, place.place, rival.place)
    strongest = found.speaking_for(1)
    return float(bool(strongest) and strongest[0].name == PLANTED)
