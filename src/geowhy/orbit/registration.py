"""Where exactly a picture lies, if it lies at one of the places that a search proposes.

From coarse to fine: a volume over heading, position and width at every candidate
(:mod:`geowhy.orbit.volume`), then the best poses of it refined at growing sizes
(:mod:`geowhy.orbit.refinement`), the tilt of the camera last. What is measured on the way tells
whether to believe the result: a right pose agrees in all its parts, and no other one does as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from geowhy.arrays import AnyFloats, Bools, Floats32, Floats64, Pixels, Rows
from geowhy.errors import DataError
from geowhy.geo.pose import Poses, picture_plane
from geowhy.geo.sphere import distance_km, distance_matrix_km
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.refinement import (
    TILT_SPREAD,
    Agreement,
    agreement,
    refine,
    stepped,
    tilt_of,
    with_prior,
)
from geowhy.orbit.structure import edge_structure
from geowhy.orbit.volume import SIZE, Hypotheses, PoseVolume, pose_volume

__all__ = ["FEATURES", "Registrations", "register"]

# What a verdict may rest on, for each pose:
FEATURES = (
    "likeness",  # correlation of picture and reference, in [-1, 1]
    "rough likeness",  # that in the volume, before the refinement
    "evidence",  # how well the pose is fixed, in nats
    "lead",  # evidence less the best of another pose
    "likeness lead",  # the same of the likeness
    "rough lead",  # the same of the volume's peaks at other places
    "heading lead",  # its peak less the next one, 20° or more away, at the same place
    "weakest quarter",  # the least likeness of the picture's quarters
    "weakest ring",  # and of its inside, middle and outside
    "unrest",  # how far its quarters would go on their own, in widths
    "structure",  # share of the picture that has edges as strong as those around them
    "tilt",  # from none, in standard deviations
    "departure",  # from the candidate's centre, in widths
    "resizing",  # of the candidate's width, absolute logarithm
    "precision",  # logarithm of the position's standard deviation, in widths
)


class Round(NamedTuple):
    """One step of all poses, by what they show at a size, and how many distinct ones go on."""

    size: int  # pixels of the picture's longer side
    strides: tuple[int, ...]  # of the smoothing
    motions: int
    left: tuple[int, int] = (1, 1)  # of few candidates, and of many


MANY = 200  # candidates
HYPOTHESES = (30, 120)  # poses out of the volume: of few candidates, and of many
ROUNDS = (
    Round(48, (1, 2), 4, left=(12, 60)),
    Round(48, (1, 2), 4, left=(6, 30)),
    Round(48, (1, 2), 8, left=(6, 20)),
    Round(48, (1, 2), 8, left=(5, 12)),
    Round(64, (1,), 8, left=(5, 12)),
    Round(64, (1,), 8, left=(5, 12)),
)
JUDGED = Round(64, (1,), 8)  # without a step
PRIOR = 0.4  # of evidence for a nat that is known beforehand
LAST, LAST_STEPS = Round(96, (1,), 8), 6
# Standard deviations by curvature alone are this much too small on the worlds for training: what
# differs between two pictures of the Earth isn't noise of one pixel each.
UNDERSTATED = 2.8
HEADINGS = 3  # of one candidate, at most
EDGE = 2  # pixels at the picture's rim without a whole gradient
SOURCE = 192  # pixels: what the sizes are made from
OTHER_HEADING_DEG = 20.0
SAME_PLACE = 0.35  # widths
SAME_HEADING_DEG = 15.0
SAME_WIDTH = 0.25  # of a logarithm


@dataclass(frozen=True)
class Registrations:
    """Refined poses of one picture, the likeliest first, and what speaks for each.

    Attributes:
        candidates: ``[M]``, the row of the candidate that each came from; no two poses are alike.
        poses: ``[M]`` of them. Only the first was refined to the last.
        features: ``[M, F]``, `FEATURES`.
        position_sigma_km: ``[M]``, standard deviation to either side, from the curvature of the
            likeness.
        heading_sigma_deg: ``[M]``, likewise.
        width_sigma: ``[M]``, likewise, as a share of the width.
        volume: likeness over all headings, positions and widths at every candidate.
    """

    candidates: Rows
    poses: Poses
    features: Floats64
    position_sigma_km: Floats64
    heading_sigma_deg: Floats64
    width_sigma: Floats64
    volume: PoseVolume

    def __len__(self) -> int:
        return len(self.candidates)


def register(
    picture: Pixels,
    reference: WorldPyramid,
    candidates: Poses,
    beforehand: Floats32 | None = None,
    columns: Bools | None = None,
) -> Registrations:
    """Lay a picture ``[H, W, 3]`` over the reference at the best of K candidate poses.

    Centre and width of a candidate may be wrong by a fifth and a seventh of the width; its heading
    isn't looked at. What is known of candidates ``beforehand`` ``[K]``, nats, decides with the
    volume at which of them to look closer. The sides of the picture differ by less than a factor
    of four. Of the headings of a volume only ``columns`` ``[A]`` are tried, if they are given.

    Raises:
        DataError: if there is no candidate, or the picture is too small or too narrow.
    """
    if not len(candidates):
        raise DataError("no candidate to register a picture at: give at least one")
    if min(picture.shape[:2]) < SIZE // 4 or max(picture.shape[:2]) >= 4 * min(picture.shape[:2]):
        raise DataError(
            f"a picture of {picture.shape[1]} × {picture.shape[0]} pixels can't be registered: "
            f"give one of at least {SIZE // 4} pixels a side, less than four times as long as wide"
        )
    image = _shrunk(picture)
    volume = replace(pose_volume(_resized(image, SIZE), candidates, reference), asked=columns)
    finalists = _finalists(image, volume, beforehand, reference)
    order = _distinct(finalists.found)
    features = _features(volume, finalists)[order]
    covariance = _covariance(finalists.agreed, finalists.found.poses)[order]
    rows, poses = finalists.found.rows[order], finalists.found.poses[order]
    structure = _structure(image, LAST)
    best = refine(structure, poses[:1], reference, LAST.strides, LAST.motions, LAST_STEPS)
    covariance[:1] = _covariance(_agreement(image, best, reference, LAST), best)
    poses = Poses.joined([best, poses[1:]])
    sigma = UNDERSTATED * np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    return Registrations(
        candidates=rows,
        poses=poses,
        features=features,
        position_sigma_km=np.sqrt(np.square(sigma[:, :2]).mean(1)) * poses.width_km,
        heading_sigma_deg=np.degrees(sigma[:, 3]),
        width_sigma=sigma[:, 2],
        volume=volume,
    )


@dataclass(frozen=True)
class _Finalists:
    """What is left after the last stage: the poses, their scores in the volume, how they agree."""

    found: Hypotheses
    rough: AnyFloats
    agreed: Agreement


def _finalists(
    image: Image.Image, volume: PoseVolume, beforehand: Floats32 | None, reference: WorldPyramid
) -> _Finalists:
    """The likeliest poses of the volume, refined at one size after another, ever fewer of them."""
    many = int(len(volume.places) >= MANY)
    known = np.zeros(len(volume.places)) if beforehand is None else PRIOR * beforehand
    found = volume.peaks(HEADINGS, HYPOTHESES[many], beforehand)
    rough = found.scores
    for now in ROUNDS:
        agreed = _agreement(image, found.poses, reference, now)
        poses, _ = stepped(agreed, found.poses)
        found = Hypotheses(found.rows, poses, agreed.evidence + known[found.rows])
        kept = _distinct(found)[: now.left[many]]
        found, rough = found[kept], rough[kept]
    agreed = _agreement(image, found.poses, reference, JUDGED)
    scores = agreed.evidence + known[found.rows]
    return _Finalists(Hypotheses(found.rows, found.poses, scores), rough, agreed)


def _agreement(image: Image.Image, poses: Poses, reference: WorldPyramid, now: Round) -> Agreement:
    structure = _structure(image, now)
    return agreement(structure, poses, reference, now.strides, now.motions)


def _shrunk(picture: Pixels) -> Image.Image:
    """The picture, its longer side no more pixels than any size needs."""
    image = Image.fromarray(picture)
    share = SOURCE / max(image.size)
    if share >= 1:
        return image
    width, height = (max(1, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _resized(image: Image.Image, size: int) -> Floats32:
    """Colours ``[3, H, W]``, the longer side ``size`` pixels.

    Less than a pixel is cut off the shorter sides, so that pixels are square.
    """
    longer = max(image.size)
    width, height = (int(side * size / longer) for side in image.size)
    left, top = (
        (image.width - width * longer / size) / 2,
        (image.height - height * longer / size) / 2,
    )
    box = (left, top, image.width - left, image.height - top)
    small = image.resize((width, height), Image.Resampling.BILINEAR, box=box)
    return np.ascontiguousarray(np.moveaxis(np.asarray(small, np.float32), -1, 0))


def _structure(image: Image.Image, now: Round) -> Floats32:
    """Structure ``[4, H, W]`` of the picture in a round; 0 at the rim, without whole gradients."""
    structure = edge_structure(_resized(image, now.size)[:, None], now.strides)[:, 0]
    framed = np.zeros_like(structure)
    inner = (slice(None), slice(EDGE, -EDGE), slice(EDGE, -EDGE))
    framed[inner] = structure[inner]
    return framed


def _distinct(found: Hypotheses) -> Rows:
    """Rows of ``found``, the likeliest first, without those that lie like a likelier one."""
    order = np.argsort(-found.scores, kind="stable")
    alike = _alike(found.poses)
    kept: list[int] = []
    for row in order:
        if not alike[row, kept].any():
            kept.append(int(row))
    return np.array(kept, np.intp)


def _alike(poses: Poses) -> Bools:
    """Which poses lie like which: ``[N, N]``."""
    apart = distance_matrix_km(poses.lat_lon, poses.lat_lon)
    turn = np.abs((np.subtract.outer(poses.heading_deg, poses.heading_deg) + 180) % 360 - 180)
    widths = np.log(poses.width_km)
    near = apart < SAME_PLACE * np.minimum.outer(poses.width_km, poses.width_km)
    same_width = np.abs(np.subtract.outer(widths, widths)) < SAME_WIDTH
    return np.asarray(near & (turn < SAME_HEADING_DEG) & same_width)


def _covariance(agreed: Agreement, poses: Poses) -> Floats64:
    """Of the motions, ``[N, P, P]``: the inverse of their information."""
    information, _ = with_prior(agreed.information, agreed.pull, poses)
    return np.asarray(np.linalg.inv(information), np.float64)


def _features(volume: PoseVolume, finalists: _Finalists) -> Floats64:
    """`FEATURES` of the finalists: ``[N, F]``."""
    found, agreed, evidence = finalists.found, finalists.agreed, finalists.agreed.evidence
    quarters, rings = _parts(agreed.picture_energy.shape)
    by_quarter, steps = agreed.parts(quarters)
    by_ring, _ = agreed.parts(rings)
    mean_step = steps.mean(1, keepdims=True)
    places = volume.places[found.rows]
    sigma = np.diagonal(_covariance(agreed, found.poses), axis1=1, axis2=2)[:, :2]
    others = ~_alike(found.poses)
    departure = distance_km(found.poses.lat_lon, places.lat_lon) / found.poses.width_km
    columns = {
        "likeness": agreed.scores,
        "evidence": evidence,
        "rough likeness": finalists.rough,
        "lead": evidence - _best_other(evidence, others),
        "likeness lead": agreed.scores - _best_other(agreed.scores, others),
        "rough lead": _rough_lead(volume, found.rows),
        "heading lead": _heading_lead(volume, found.rows),
        "weakest quarter": by_quarter.min(1),
        "weakest ring": by_ring.min(1),
        "unrest": np.sqrt(np.square(steps - mean_step).sum(-1).mean(1)),
        "structure": np.full(len(found.rows), agreed.picture_energy.mean()),
        "tilt": np.sqrt(np.square(tilt_of(found.poses) / TILT_SPREAD).sum(1)),
        "departure": departure,
        "resizing": np.abs(np.log(found.poses.width_km / places.width_km)),
        "precision": np.log(sigma.mean(1)) / 2,
    }
    return np.stack([columns[name] for name in FEATURES], axis=-1).astype(np.float64)


def _parts(shape: tuple[int, ...]) -> tuple[Floats32, Floats32]:
    """Masks of a picture's quarters ``[4, H, W]`` and of three rings ``[3, H, W]`` of like area."""
    plane = picture_plane((shape[0], shape[1]))
    x, y = plane[..., 0] > 0, plane[..., 1] > 0
    quarters = np.stack([~x & y, x & y, x & ~y, ~x & ~y])
    radius = np.hypot(plane[..., 0], plane[..., 1])
    inner, outer = np.quantile(radius, [1 / 3, 2 / 3])
    rings = np.stack([radius < inner, (radius >= inner) & (radius < outer), radius >= outer])
    return quarters.astype(np.float32), rings.astype(np.float32)


def _best_other(scores: AnyFloats, others: Bools) -> Floats64:
    """The largest of the scores ``[K]`` among the others ``[N, K]`` of each row; 0 if none is."""
    return np.asarray(np.where(others, scores, 0.0).max(1, initial=0.0), np.float64)


def _rough_lead(volume: PoseVolume, rows: Rows) -> Floats64:
    """The peaks of the volume at the candidates ``rows`` less the best at places elsewhere: [N]."""
    peaks = volume.likeness_asked.max(1)
    centres, widths = volume.places.lat_lon, volume.places.width_km
    elsewhere = distance_matrix_km(centres[rows], centres) > 0.5 * widths[rows, None]
    return np.asarray(peaks[rows] - _best_other(peaks, elsewhere))


def _heading_lead(volume: PoseVolume, rows: Rows) -> Floats64:
    """The peaks at the candidates ``rows`` less the best 20° or more away from them: [N].

    Also headings that aren't asked about are better or worse than a peak: of a right one, worse.
    """
    by_heading, asked = volume.likeness[rows], volume.likeness_asked[rows]
    columns = by_heading.shape[1]
    apart = np.abs(np.subtract.outer(asked.argmax(1), np.arange(columns)))
    away = np.minimum(apart, columns - apart) * 360 / columns >= OTHER_HEADING_DEG
    return np.asarray(asked.max(1) - np.where(away, by_heading, 0.0).max(1))
