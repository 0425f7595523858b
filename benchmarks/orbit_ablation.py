"""What each part of a model of pictures from above gives: the same without it.

``--model FOLDER`` switches parts of a finished model off while it answers: no registration, no
rings, no search for the heading, other numbers of candidates. ``--train FOLDER`` trains the recipe
anew, but for one part, with few steps: one ring, kinds of changes of the look, tilt, worlds, and
longer and shorter. It is measured by searching a fixed cut of places, of which each query has one
as a gallery would; places and queries are described once, without quarter turns. What was measured
is kept in a file of JSON lines and not measured again; a training that was broken off goes on.

Queries are those of ``geowhy evaluate --world``, 150 to 2,500 km wide and slightly tilted, of the
worlds for calibration alone: no network was trained on them, and nothing here is held out. Right is
a centre within 0.35 widths. Other lines than the first tell how much they differ from it, query by
query, with 95 % intervals by bootstrap over blocks of 10°. These tell of the chance of queries;
the line of another seed tells of that of training. Time is the processor's, since a training was
last gone on with.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from geowhy.arrays import Bools, Ints64, Pixels, Points
from geowhy.engine import Engine
from geowhy.errors import ConfigError
from geowhy.evaluation.orbit.answers import RIGHT_WIDTHS, SEARCHED
from geowhy.evaluation.orbit.comparison import Comparison, Outcome, OutcomeFile
from geowhy.evaluation.orbit.queries import Look, QueryRow, cut_queries, drawn_poses
from geowhy.evaluation.orbit.subject import OrbitSubject
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.pose import Poses
from geowhy.geo.sphere import destination, distance_km, distance_matrix_km
from geowhy.heads.orbit import OrbitHead
from geowhy.hints import HeadingRange, Hints
from geowhy.images.overhead import WorldImage
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import open_world, reference_world, worlds
from geowhy.locator import Locator
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.terms import Encoded
from geowhy.orbit.hint_term import HintTerm
from geowhy.orbit.terms import RingImages
from geowhy.pretrained.catalogue import entry_of
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.orbit.config import OrbitConfig
from geowhy.training.orbit.cutting import PoseBatch
from geowhy.training.orbit.network import RingNetwork
from geowhy.training.orbit.pairs import REFERENCE, PairSource
from geowhy.training.orbit.task import OrbitTask
from geowhy.training.processes import Processes

WIDTHS_KM = (150.0, 2_500.0)
WIDE_KM = 600.0
LOOKS: tuple[Look, ...] = ("plain", "hard")
CUT_AT_ONCE, ANSWERED_AT_ONCE, DESCRIBED_AT_ONCE = 64, 8, 512
PLACE_WITHIN, WIDTH_RATIO = 0.18, 1.3  # widths from a query to the next place of a gallery
NORTH = Hints(heading=HeadingRange(0.0, 0.0))
SAVE_EVERY = 50  # steps
LOGGED = 200  # steps
WHOLE = "whole-training"
AMONG = {"first": 1, f"in first {SEARCHED}": SEARCHED}  # places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="folder of a finished model, whose parts are switched off")
    parser.add_argument("--outcomes", type=Path, help="file that keeps what --model measures")
    parser.add_argument("--train", type=Path, help="folder for short trainings, which keeps theirs")
    parser.add_argument("--config", type=Path, default=Path("configs/orbit.toml"))
    parser.add_argument("--run", type=Path, help="folder of a whole training, measured beside them")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--places", type=int, default=20_000, help="that trained networks search")
    parser.add_argument("--queries", type=int, default=400, help="of each world and look")
    parser.add_argument("--seed", type=int, default=0, help="of queries and places")
    names = (*ANSWERING, *TRAINING)
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="variations")
    shown = [world.name for world in worlds("calibration")]
    parser.add_argument("--worlds", nargs="+", choices=shown, default=shown)
    given = parser.parse_args()
    queries = Queries.cut(given.worlds, given.queries, given.seed)
    print(f"queries   {given.queries:,} of each of {', '.join(given.worlds)}, seed {given.seed}")
    print(f"right     a centre within {RIGHT_WIDTHS} widths, %, and points beside the first line's")
    print("interval  95 %, bootstrap over blocks of 10°")
    answering, training = (
        [name for name in variations if not given.only or name in given.only]
        for variations in (ANSWERING, TRAINING)
    )
    if given.model and answering:
        _answer(given.model, queries, OutcomeFile(given.outcomes), answering)
    if given.train and training:
        trial = Trial.cut(queries, OrbitConfig.load(given.config), given.places, given.seed)
        _train(given, trial, training)


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Pictures of N poses on some worlds, plain and hard."""

    about: str  # which
    truth: Poses  # [N]
    pictures: dict[Look, tuple[Pixels, ...]]  # of each world, [N, H, H, 3]

    @classmethod
    def cut(cls, names: Sequence[str], count: int, seed: int) -> Queries:
        """They are the first ones of `geowhy.evaluation.orbit.queries`."""
        truth = drawn_poses(QueryRow(WIDTHS_KM), count, seed)
        pyramids = [WorldPyramid(open_world(name)) for name in names]
        starts = range(0, count, CUT_AT_ONCE)
        some = [np.arange(start, min(start + CUT_AT_ONCE, count)) for start in starts]

        def pictures(world: WorldPyramid, look: Look) -> Pixels:
            parts = (cut_queries(world, truth[rows], look, seed, rows.tolist()) for rows in some)
            return np.concatenate(list(parts))

        about = f"{count} of {' '.join(names)}, seed {seed}"
        looks = {look: tuple(pictures(world, look) for world in pyramids) for look in LOOKS}
        return cls(about, truth, looks)

    def blocks(self, rows: Bools | slice = slice(None)) -> Ints64:
        """Of 10 degrees, in which some of them ``[N]`` lie, world by world."""
        of_one = ten_degree_cell(self.truth.lat_lon[rows])
        return np.tile(of_one, len(self.pictures["plain"]))


def _print_table(outcomes: Iterator[Outcome], blocks: Mapping[str, Ints64], unit: str) -> None:
    """Compares all with the first one, while they come."""
    first = next(outcomes)
    table = Comparison(first, blocks, unit)
    print(f"\n{table.header()}\n{table.row(first)}", flush=True)
    for outcome in outcomes:
        print(table.row(outcome), flush=True)


@dataclass(frozen=True, slots=True)
class Answering:
    """Parts of a model that answer."""

    candidates: tuple[int, ...] | None = None  # as usual if None; without any, it isn't laid
    rings: bool = True  # or the whole picture alone
    headings: bool = True  # or what is near north alone


ANSWERING = {
    "as-it-is": Answering(),
    "no-registration": Answering(candidates=()),
    "no-rings": Answering(rings=False),
    "neither": Answering(candidates=(), rings=False),
    "no-polar-heading": Answering(headings=False),
    "12-candidates": Answering(candidates=(12,)),
    "96-candidates": Answering(candidates=(96,)),
}


class PartialHead(OrbitHead):
    """A head without some of its parts."""

    def __init__(self, whole: OrbitHead, parts: Answering) -> None:
        vars(self).update(vars(whole))
        self._parts = parts
        most = parts.candidates or self._settings.candidates
        self._settings = replace(self._settings, candidates=most)
        if not parts.headings:  # where it is begun; no term weighs what comes of it
            self._hints = HintTerm(NORTH, self._settings.gallery.places.width_km)

    def perceive(self, images: Encoded) -> Encoded:
        """Images with what laying them on the map told."""
        return super().perceive(images if self._parts.rings else _without_rings(images))


def _without_rings(images: Encoded) -> Encoded:
    """Images whose descriptions count by the whole picture alone."""
    seen = images.part(RingImages)
    whole = np.arange(seen.shares.shape[1]) == 0
    masked = replace(seen, shares=(seen.shares * whole).astype(np.float32))
    return Encoded(tuple(masked if part is seen else part for part in images.parts))


def _answer(model: str, queries: Queries, file: OutcomeFile, names: list[str]) -> None:
    """Prints what a model answers without some of its parts."""
    subject = OrbitSubject(Locator.from_pretrained(model).engine)
    about = f"{entry_of(model).digest(model)}, {queries.about}"
    wide = queries.truth.width_km >= WIDE_KM
    bands = {f"under {WIDE_KM:.0f} km": ~wide, "wider": wide}

    def outcome(name: str) -> Outcome:
        start, right = time.process_time(), dict[str, tuple[bool, ...]]()
        for look, by_world in queries.pictures.items():
            found = [_is_right(subject, ANSWERING[name], p, queries.truth) for p in by_world]
            for band, rows in bands.items():
                right[f"{look}, {band}"] = tuple(np.concatenate([f[rows] for f in found]).tolist())
        asked = len(queries.truth) * sum(map(len, queries.pictures.values()))
        return Outcome(name, about, right, 1000 * (time.process_time() - start) / asked)

    blocks = {f"{look}, {b}": queries.blocks(rows) for look in LOOKS for b, rows in bands.items()}
    outcomes = (file.of(name, about, partial(outcome, name)) for name in names)
    _print_table(outcomes, blocks, "ms a picture")


def _is_right(subject: OrbitSubject, parts: Answering, pixels: Pixels, truth: Poses) -> Bools:
    """Whether answers to pictures ``[N, H, H, 3]`` are right, ``[N]``."""
    starts = range(0, len(pixels), ANSWERED_AT_ONCE)
    some = (pixels[start : start + ANSWERED_AT_ONCE] for start in starts)
    if parts.candidates == ():
        answers = [_likest(subject, parts, each) for each in some]
    else:
        engine = _without(subject.engine, parts)
        answers = [_laid(engine, each) for each in some]
    away = distance_km(np.concatenate(answers), truth.lat_lon)
    return np.asarray(away <= RIGHT_WIDTHS * truth.width_km)


def _without(engine: Engine, parts: Answering) -> Engine:
    """The same engine, but for some parts of its head."""
    if not isinstance(engine.head, OrbitHead):
        raise TypeError(f"{engine.model.name} has no head that lays pictures on the map")
    changed = engine.with_evidence()
    changed.head = PartialHead(engine.head, parts)
    return changed


def _laid(engine: Engine, pixels: Pixels) -> Points:
    """Where pictures ``[N, H, H, 3]`` lie: degrees ``[N, 2]``."""
    return np.array([each.estimate.lat_lon for each in engine.decode(list(pixels), top_k=1)])


def _likest(subject: OrbitSubject, parts: Answering, pixels: Pixels) -> Points:
    """The places that look most like pictures ``[N, H, H, 3]``: degrees ``[N, 2]``."""
    model = subject.model
    images = model.image_side(model.features(list(pixels)))
    seen = (images if parts.rings else _without_rings(images)).part(RingImages)
    shares = np.repeat(seen.shares, model.rings.sizes, axis=1)
    found, _ = model.gallery.search(seen.units * shares, 1)
    return model.gallery.places.lat_lon[np.concatenate(found)]


@dataclass(frozen=True, slots=True)
class Training:
    """How a training differs from the recipe."""

    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: float = 1.0  # share of the steps of the others
    seed: int = 0  # beside the recipe's own


def _without_looks(*names: str) -> Training:
    return Training({"look": dict.fromkeys(names, 0.0)})


TRAINING = {  # in the order of what is asked first: a long run may be stopped
    "recipe": Training(),
    "another-seed": Training(seed=1),
    "one-ring": Training({"network": {"rings": 1}}),
    "one-world": Training({"pairs": {"worlds": {"bmng": 1}}}),
    "three-worlds": Training({"pairs": {"worlds": {"bmng": 3, "shadedrelief": 2, "marble": 3}}}),
    "no-change-of-look": Training({"look": {"plain": 1.0, "blend": 0.0, "band": 0.0}}),
    "no-colour-no-gamma": _without_looks("colour", "gamma"),
    "no-grey-no-band": _without_looks("grey", "band"),
    "no-haze-no-clouds": _without_looks("haze", "clouds"),
    "no-light": _without_looks("light"),
    "no-blur-no-noise": _without_looks("blur", "noise"),
    "no-blend-of-worlds": _without_looks("blend"),
    "no-collar": _without_looks("collar"),
    "no-tilt": Training({"pairs": {"tilt_deg": 0.0}}),
    "quarter-of-the-time": Training(steps=0.25),
    "half-the-time": Training(steps=0.5),
    "twice-the-time": Training(steps=2.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Queries for networks, and the places that they are searched among."""

    about: str
    queries: dict[Look, tuple[Tensor, ...]]  # of each world, [N, 3, side, side], 0 to 1
    places: Tensor  # what the reference shows of them, [M, 3, side, side]
    is_right: Tensor  # which are right for each query [N, M]
    blocks: dict[str, Ints64]  # of each column of a table, where queries lie

    @classmethod
    def cut(cls, queries: Queries, config: OrbitConfig, count: int, seed: int) -> Trial:
        """With one place near each query, and others all over the land."""
        truth, side = queries.truth, config.network.side
        places = Poses.joined([_next_places(truth, seed), _others(count - len(truth), seed)])
        away = distance_matrix_km(truth.lat_lon, places.lat_lon)
        shrink = Preprocessing(side, 0.0, 255.0)
        seen = {
            look: tuple(torch.from_numpy(shrink(pixels)).half() for pixels in by_world)
            for look, by_world in queries.pictures.items()
        }
        source = PairSource({REFERENCE: reference_world()}, config.pairs, config.look, "cpu")
        return cls(
            f"{queries.about}, among {count} places",
            seen,
            _shown(source, places, side),
            torch.from_numpy(away <= RIGHT_WIDTHS * truth.width_km[:, None]),
            {f"{look}, {name}": queries.blocks() for look in LOOKS for name in AMONG},
        )

    def right(self, network: RingNetwork) -> dict[str, tuple[bool, ...]]:
        """Whether the first place is right, and one of those that registration would look at."""
        places, found = _described(network.eval(), self.places), dict[str, tuple[bool, ...]]()
        for look, by_world in self.queries.items():
            ranks = torch.cat([self._ranks(_described(network, x) @ places.T) for x in by_world])
            for name, most in AMONG.items():
                found[f"{look}, {name}"] = tuple((ranks < most).tolist())
        return found

    def _ranks(self, scores: Tensor) -> Tensor:
        """How many places score higher than the best right one, ``[N]``, by scores ``[N, M]``."""
        best = scores.masked_fill(~self.is_right, -torch.inf).amax(1, keepdim=True)
        return (scores > best).sum(1)


def _next_places(truth: Poses, seed: int) -> Poses:
    """What a gallery would have next to each of N queries."""
    count = len(truth)
    rng = np.random.default_rng([seed, count])
    away = truth.width_km * PLACE_WITHIN * np.sqrt(rng.uniform(size=count))
    centres = destination(truth.lat_lon, rng.uniform(0, 360, count), away)
    widths = truth.width_km * WIDTH_RATIO ** rng.uniform(-0.5, 0.5, count)
    return Poses(centres, widths, np.zeros(count))


def _others(count: int, seed: int) -> Poses:
    poses = drawn_poses(QueryRow(WIDTHS_KM), count, seed + 1)
    return Poses(poses.lat_lon, poses.width_km, np.zeros(count))


def _shown(source: PairSource, places: Poses, side: int) -> Tensor:
    """What the reference shows of places north up, ``[M, 3, side, side]``."""
    lat_lon = torch.tensor(np.radians(places.lat_lon), dtype=torch.float32)
    width_km = torch.tensor(np.array(places.width_km), dtype=torch.float32)
    parts = zip(lat_lon.split(DESCRIBED_AT_ONCE), width_km.split(DESCRIBED_AT_ONCE), strict=True)
    poses = (PoseBatch.from_above(*part, torch.zeros_like(part[1])) for part in parts)
    return torch.cat([source.pictures(REFERENCE, each, side).half() for each in poses])


@torch.no_grad()
def _described(network: RingNetwork, pictures: Tensor) -> Tensor:
    """Descriptions ``[N, d]`` of pictures ``[N, 3, side, side]``."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [network(some.float()).float() for some in pictures.split(DESCRIBED_AT_ONCE)]
    return torch.cat(parts)


def _train(given: argparse.Namespace, trial: Trial, names: list[str]) -> None:
    """Prints what short trainings reach without some part of the recipe."""
    recipe, file = OrbitConfig.load(given.config), OutcomeFile(given.train / "outcomes.jsonl")
    configs = {name: _changed(recipe, TRAINING[name], given.steps, given.batch) for name in names}
    if given.run:
        configs[WHOLE] = recipe
        _copy_finished(given.run, given.train / WHOLE, recipe)
    shown = {name: open_world(name) for name in sorted({REFERENCE, *recipe.pairs.worlds})}

    def outcome(name: str, about: str) -> Outcome:
        start = time.process_time()
        network = _trained(configs[name], shown, given.train / name)
        right, spent = trial.right(network), (time.process_time() - start) / 60
        return Outcome(name, about, right, math.nan if name == WHOLE else spent)

    abouts = {name: f"{config.digest}, {trial.about}" for name, config in configs.items()}
    outcomes = (
        file.of(name, about, partial(outcome, name, about)) for name, about in abouts.items()
    )
    print(f"\n{given.steps} steps of {given.batch} pairs; searched among {given.places:,} places")
    _print_table(outcomes, trial.blocks, "minutes")
    if given.run:
        lines = [line for line in _log(given.run) if line["step"] % LOGGED == 0]
        print(f"\n{WHOLE}, step by step: first among 1,024 pairs of its own worlds, %")
        print("".join(f"{line['step']:8,}" for line in lines))
        print("".join(f"{100 * line['held']:8.1f}" for line in lines))


def _trained(config: OrbitConfig, shown: dict[str, WorldImage], folder: Path) -> RingNetwork:
    """A network that is trained in a folder, or goes on there."""
    used = {name: shown[name] for name in {REFERENCE, *config.pairs.worlds}}
    task = OrbitTask(config, PairSource(used, config.pairs, config.look, "cpu"), "cpu")
    folder.mkdir(parents=True, exist_ok=True)
    steps = config.optimiser.steps
    run = TrainingRun(config.optimiser, config.seed, steps, config.digest, folder)
    train_task(run, task, Processes(), resume=True, on_progress=lambda done, total: None)
    return task.network


def _changed(recipe: OrbitConfig, training: Training, steps: int, batch: int) -> OrbitConfig:
    """The recipe with few steps, and what a variation changes of it."""
    content = recipe.model_dump()
    for section, changes in training.changes.items():
        content[section] |= changes
    steps = round(steps * training.steps)
    content["optimiser"] |= {"steps": steps, "batch": batch, "validate_every": SAVE_EVERY}
    content["seed"] += training.seed
    return OrbitConfig(**content)


def _copy_finished(run: Path, folder: Path, recipe: OrbitConfig) -> None:
    """Takes the checkpoint of a training that needs no further step, and leaves the rest alone."""
    last, steps = _log(run)[-1]["step"], recipe.optimiser.steps
    if last != steps:
        raise ConfigError(f"{run}: is at step {last} of {steps}: give the folder of a whole run")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(run / "checkpoint.safetensors", folder)


def _log(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


if __name__ == "__main__":
    main()
