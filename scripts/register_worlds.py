"""Measures how far each world's things lie from where the reference shows them.

    geowhy models get worlds
    python scripts/register_worlds.py [NAME ...]

Views of coasts are cut at the same coordinates from the reference and from the world, and laid on
each other at all shifts of up to eight pixels. What is compared are orientation channels: the
strength of edges by their direction, whatever the sign, smoothed and normalised at each pixel (as
in CFOG: Ye et al. 2019, *Fast and robust matching for multimodal remote sensing image
registration*). A parabola goes through the highest correlation and its neighbours. The offset is
the median over views, found anew from views cut at the offset found before. It is fitted in one
half of all cells of ten degrees and verified in the other.

Only edges along coasts count: the correlation is weighted by how near the reference's coasts are.
Inland, worlds are drawn with light from the north-west, which moves the edges of mountains but not
the mountains: ``--inland`` shows by how much. In a coarse world that holds for coasts too, whose
dark side merges with the sea. There ``--colour`` compares how blue things are, which light doesn't
change; in finer ones what JPEG leaves of the colours is too little for that.

Of held-out worlds the offset alone is measured, since it defines what is true of them; how well
they match, and where, isn't printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats, Bools, Floats32, Floats64, Pixels, Points
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.images.worlds import (
    REFERENCE_HEIGHT,
    WORLDS_TO_GET,
    World,
    find_world,
    open_world,
    reference_world,
)

Look = Callable[[Pixels], Pixels]  # what of the colours is compared
Spectra = NDArray[np.complexfloating]  # of real maps, halves of them

VIEW = 96  # pixels
REACH = 8  # pixels of shift, each way
NEAR = 3.0  # pixels: what lies further is a view that was matched wrongly
DIRECTIONS = 6
FAINT = 4.0  # an edge of so many grey levels a pixel counts half
PX_DEG = 180 / REFERENCE_HEIGHT
PX_KM = np.radians(PX_DEG) * EARTH_RADIUS_KM  # north to south, and so of a view
ROUNDS = 2
MOST_NORTH = 66.0  # beyond, an offset in longitude is too little of a distance
CHUNK = 100
BANDS = (-60, -30, 0, 20, 40, 55, 66)
DRAWS = 1000
FEW = 10  # views of a band: too few to say anything of it


@dataclass(frozen=True, eq=False)
class Templates:
    """Views of the reference at N places, made ready to be found in others."""

    centres: Points  # [N, 2]
    spectra: list[Spectra]  # of weighted channels and of weights, [CHUNK, DIRECTIONS + 1, ...]


@dataclass(frozen=True, eq=False)
class Shifts:
    """How far a world's things lie from the reference's, at N places."""

    centres: Points  # [N, 2]
    offset_px: Floats64  # north and east, pixels of the reference [N, 2]
    matched: Bools  # [N]

    @property
    def median_px(self) -> Floats64:
        """Over the matched views: north, east."""
        return np.median(self.offset_px[self.matched], axis=0)

    def interval_px(self, seed: int = 0) -> Floats64:
        """Half of what holds the median in 95 of 100 draws of ten-degree cells: north, east."""
        cells = ten_degree_cell(self.centres[self.matched])
        blocks = [self.offset_px[self.matched][cells == cell] for cell in np.unique(cells)]
        draws = np.random.default_rng(seed).integers(0, len(blocks), (DRAWS, len(blocks)))
        drawn = [np.median(np.concatenate([blocks[i] for i in draw]), axis=0) for draw in draws]
        low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
        return np.asarray((high - low) / 2)


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of worlds (default: all)")
    parser.add_argument("--views", type=int, default=2000, help="half to fit, half to verify")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--colour", action="store_true", help="compare colours, not lightness")
    parser.add_argument("--inland", action="store_true", help="land without coasts, for comparison")
    given = parser.parse_args()
    worlds = [find_world(name) for name in given.names] or WORLDS_TO_GET
    rng = np.random.default_rng(given.seed)
    look = colour if given.colour else lightness
    centres = places(given.views, rng, inland=given.inland)
    fitting = rng.permutation(18 * 36)[ten_degree_cell(centres)] % 2 == 0
    fit, check = (
        prepare(reference_world(), part, look, coasts=not given.inland)
        for part in (centres[fitting], centres[~fitting])
    )
    kind = "inland" if given.inland else "of coasts"
    print(f"{len(fit.centres)} views {kind} to fit, {len(check.centres)} in other cells to verify")
    print(
        "pixels of the reference (7.42 km), north and east; ± is half the 95 % interval over cells"
    )
    print(f"{'world':<16} {'offset':^29} {'residual in the other cells':^29}")
    for world in worlds:
        register(world, fit, check, look)


def places(count: int, rng: np.random.Generator, *, inland: bool) -> Points:
    """Centres of views that show both land and sea, or land alone, degrees ``[count, 2]``."""
    found = np.empty((0, 2))
    while len(found) < count:
        tries = uniform_on_land(Atlas.load(), 2 * count, rng)
        tries = tries[np.abs(tries[:, 0]) < MOST_NORTH]
        small = cut_views(reference_world(), tries, 4 * PX_KM, VIEW // 4)
        share = water(small).mean(axis=(1, 2))
        fits = share < 0.01 if inland else (share > 0.15) & (share < 0.75)
        found = np.concatenate([found, tries[fits]])
    return found[:count]


def register(world: World, fit: Templates, check: Templates, look: Look) -> None:
    """Measures one world, and prints a line of it; with bands of latitude unless it's held out."""
    pixels = look(open_world(world.name).pixels)
    offset_px, shifts = fitted(fit, pixels)
    offset_px = offset_px.round(2)
    left = compare(check, moved(pixels, offset_px))
    same = np.abs(offset_px - world.offset_px).max() < 0.01
    print(
        f"{world.name:<16} {pair(offset_px)} {half(shifts)} {pair(left.median_px)} {half(left)} "
        f"{'as stated' if same else 'stated' + pair(np.array(world.offset_px))}",
        flush=True,
    )
    if world.role == "held_out":
        return
    print(f"  matched {left.matched.mean():.0%} of the views")
    for south, north in pairwise(BANDS):
        there = (left.centres[:, 0] >= south) & (left.centres[:, 0] < north)
        band = Shifts(left.centres[there], left.offset_px[there], left.matched[there])
        if band.matched.sum() < FEW:
            continue
        print(f"  {south:>3} to {north:>3}° N    {pair(band.median_px):>40} {half(band)}")


def fitted(templates: Templates, pixels: Pixels) -> tuple[Floats64, Shifts]:
    """Offset ``[2]`` of a grey world ``[H, W, 1]``, and what the last round found."""
    offset_px = np.zeros(2)
    for _ in range(ROUNDS):  # a parabola is right to a tenth only where it is at a whole pixel
        shifts = compare(templates, moved(pixels, offset_px))
        offset_px = offset_px + shifts.median_px
    return offset_px, shifts


def moved(pixels: Pixels, offset_px: Floats64) -> WorldImage:
    """A world's pixels ``[H, W, C]``, registered by an offset ``[2]``, north and east."""
    north, east = offset_px * PX_DEG
    return WorldImage(pixels, (float(north), float(east)))


def pair(offset_px: Floats64) -> str:
    """North and east ``[2]``, with signs."""
    return f"{offset_px[0]:+7.2f} {offset_px[1]:+6.2f}"


def half(shifts: Shifts) -> str:
    """Half the intervals."""
    north, east = shifts.interval_px()
    return f"±{north:.2f} ±{east:.2f}"


def chunks(centres: Points) -> Iterator[Points]:
    """Some centres ``[N, 2]`` at a time."""
    for start in range(0, len(centres), CHUNK):
        yield centres[start : start + CHUNK]


def prepare(reference: WorldImage, centres: Points, look: Look, *, coasts: bool) -> Templates:
    """Templates at centres ``[N, 2]``, of edges along coasts or of all."""
    spectra = []
    for some in chunks(centres):
        views = cut_views(reference, some, PX_KM, VIEW)
        weight = WINDOW * (coastal(views) if coasts else np.ones(views.shape[:3], np.float32))
        weight = (weight / np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1e-12))[:, None]
        found = channels(look(views))
        found = found - (found * weight).sum(axis=(2, 3), keepdims=True)
        both = np.concatenate([found * weight, weight], axis=1)
        spectra.append(np.conj(np.fft.rfft2(both)))
    return Templates(centres, spectra)


def compare(templates: Templates, world: WorldImage) -> Shifts:
    """Finds each template in the world's view of the same place."""
    found = [
        peaks(correlation(spectra, channels(cut_views(world, some, PX_KM, VIEW))))
        for spectra, some in zip(templates.spectra, chunks(templates.centres), strict=True)
    ]
    down, right = np.concatenate(found, axis=1)
    lat = np.radians(templates.centres[:, 0])
    offset_px = np.stack([-down, right / np.cos(lat)], axis=1)
    return Shifts(templates.centres, offset_px, np.hypot(down, right) < NEAR)


def correlation(spectra: Spectra, seen: Floats32) -> Floats32:
    """Of the templates with channels ``[N, C, S, S]``, by shift, ``[N, n, n]``, n = 2 REACH + 1.

    Weights move with the template, and mean and deviation are those under the weights: else the
    template would be drawn to wherever edges are strong. The template's own deviation is the same
    at every shift, and left out.
    """
    of_seen = np.fft.rfft2(seen)
    of_squares = np.fft.rfft2((seen**2).sum(axis=1))
    template, weight = spectra[:, :-1], spectra[:, -1:]
    product = shifted((template * of_seen).sum(axis=1))
    mean = shifted(weight * of_seen)
    variance = shifted(weight[:, 0] * of_squares) - (mean**2).sum(axis=1)
    return np.asarray(product / np.sqrt(np.maximum(variance, 1e-12)), np.float32)


def shifted(spectrum: Spectra) -> Floats32:
    """Back from spectra ``[..., S, S // 2 + 1]``, the middle ``[..., n, n]`` about no shift."""
    whole = np.roll(np.fft.irfft2(spectrum, s=(VIEW, VIEW)), (REACH, REACH), axis=(-2, -1))
    return np.asarray(whole[..., : 2 * REACH + 1, : 2 * REACH + 1], np.float32)


def peaks(surface: AnyFloats) -> Floats64:
    """The highest points of ``[N, n, n]`` to a fraction of a pixel, from the centre, ``[2, N]``."""
    count, side, _ = surface.shape
    row, column = np.divmod(surface.reshape(count, -1).argmax(axis=1), side)
    row, column = np.clip(row, 1, side - 2), np.clip(column, 1, side - 2)
    each, middle = np.arange(count), side // 2

    def top(before: AnyFloats, here: AnyFloats, after: AnyFloats) -> AnyFloats:
        return 0.5 * (before - after) / np.minimum(before - 2 * here + after, -1e-12)

    here = surface[each, row, column]
    down = top(surface[each, row - 1, column], here, surface[each, row + 1, column])
    right = top(surface[each, row, column - 1], here, surface[each, row, column + 1])
    return np.stack([row - middle + down, column - middle + right]).astype(np.float64)


def channels(views: Pixels) -> Floats32:
    """Strength of edges by direction, ``[N, DIRECTIONS, S, S]``, of grey views ``[N, S, S, 1]``."""
    light = views[..., 0].astype(np.float32)
    down, right = (np.asarray(slope, np.float32) for slope in np.gradient(light, axis=(1, 2)))
    angles = np.arange(DIRECTIONS, dtype=np.float32) * np.float32(np.pi / DIRECTIONS)
    cos, sin = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    strength = smooth(np.abs(right[:, None] * cos + down[:, None] * sin))
    length = np.sqrt((strength**2).sum(axis=1, keepdims=True))
    return np.asarray(strength / (length + FAINT), np.float32)


def lightness(pixels: Pixels) -> Pixels:
    """Lightness ``[..., 1]`` of colours ``[..., 3]``."""
    return by_part(pixels, lambda part: part @ np.array([0.299, 0.587, 0.114], np.float32))


def colour(pixels: Pixels) -> Pixels:
    """How blue colours ``[..., 3]`` are, however they are lit, ``[..., 1]``; 128 for any grey."""

    def blueness(part: Floats32) -> Floats32:
        blue = (part[..., 2] - part[..., 0]) / (part.sum(axis=-1) + 30)
        return np.asarray(128 + 127 * blue, np.float32)

    return by_part(pixels, blueness)


def by_part(pixels: Pixels, function: Callable[[Floats32], Floats32]) -> Pixels:
    """A function of colours ``[..., 3]``, a few rows at a time, rounded, ``[..., 1]``."""
    found = [function(part.astype(np.float32)) for part in np.array_split(pixels, 32)]
    return np.asarray(np.concatenate(found).round(), np.uint8)[..., None]


def water(views: Pixels) -> Bools:
    """Where the reference shows sea or a lake, ``[N, S, S]``, of views ``[N, S, S, 3]``."""
    return np.asarray(views[..., 2].astype(np.int16) - views[..., 0] > 20)


def coastal(views: Pixels) -> Floats32:
    """How near a coast each pixel is, ``[N, S, S]``, of views of the reference ``[N, S, S, 3]``."""
    edge = np.hypot(*np.gradient(water(views).astype(np.float32), axis=(1, 2)))
    for _ in range(4):  # to a deviation of two pixels
        edge = smooth(edge)
    return np.asarray(edge, np.float32)


def smooth(maps: Floats32) -> Floats32:
    """Maps ``[..., S, S]`` under a binomial filter with a deviation of one pixel."""
    for axis in (-2, -1):
        ends = [np.take(maps, [end, end], axis=axis) for end in (0, -1)]
        padded = np.concatenate([ends[0], maps, ends[1]], axis=axis)
        parts = [
            share * np.take(padded, np.arange(start, start + maps.shape[axis]), axis=axis)
            for start, share in enumerate(np.array([1, 4, 6, 4, 1], np.float32) / 16)
        ]
        maps = sum(parts[1:], parts[0])
    return maps


WINDOW = np.outer(*[np.hanning(VIEW + 2)[1:-1]] * 2).astype(np.float32)


if __name__ == "__main__":
    main()
