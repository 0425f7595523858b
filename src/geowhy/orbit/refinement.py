"""From a rough pose to a fraction of a pixel: the pose at which edge structures agree best.

Gauss-Newton steps on the correlation of two edge structures (as Evangelidis and Psarakis, 2008, do
on brightness). Before each step the reference is cut anew at the pose found so far, as EarthMatch
(Berton et al., 2024) does, so that what remains to be found is always small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.geo.pose import Poses, apply_homography, picture_corners, picture_plane
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.structure import edge_structure

__all__ = [
    "MOTIONS",
    "SIMILARITY",
    "TILT_SPREAD",
    "Agreement",
    "agreement",
    "refine",
    "stepped",
    "tilt_of",
    "with_prior",
]

# What a picture can do on the ground, in this order; tilt is the last four.
MOTIONS = ("right", "up", "wider", "clockwise", "stretch", "shear", "far up", "far right")
SIMILARITY = 4  # of them
RIM = 3  # pixels cut around the picture, so that its own pixels have gradients
# How far tilt is from none, as a rule: of a logarithm, of an angle, of two slopes of the scale.
TILT_SPREAD = np.array([0.15, 0.15, 0.2, 0.2])
MOST_TILT = 0.8  # of each: beyond it the horizon comes into the picture
LONGEST_STEP = np.array([0.06, 0.06, 0.08, 0.12, 0.08, 0.08, 0.1, 0.1])
CLOSE_PX = 0.02  # a step that moves no corner further is the last
LEAST_SLOPE = 0.15  # of the picture's structure on the reference's, however little they agree
CORRELATED_PIXELS = 12.0  # that smoothing makes one independent one


@dataclass(frozen=True)
class Agreement:
    """How a picture agrees with the reference at N poses.

    Attributes:
        products: ``[N, H, W]``: sum over channels of picture times reference, pixel by pixel.
        reference_energy: ``[N, H, W]``, squares of the reference's structure.
        picture_energy: ``[H, W]``, of the picture's.
        information: ``[N, P, P]``: inverse covariance of the motions.
        pull: ``[N, P]``: information times the step that would make them agree best.
        moments: ``[5, N, H, W]``, pixel by pixel: products of the reference's slopes to the right
            and up (right right, right up, up up), then of each of them with what is left over.
    """

    products: Floats32
    reference_energy: Floats32
    picture_energy: Floats32
    information: Floats64
    pull: Floats64
    moments: Floats32

    @property
    def scores(self) -> Floats32:
        """Normalised correlation ``[N]``, in [-1, 1]."""
        own = self.picture_energy.sum()
        energy = self.reference_energy.sum((1, 2)) * own
        return np.asarray(self.products.sum((1, 2)) / np.sqrt(energy + 1e-9), np.float32)

    @property
    def evidence(self) -> Floats64:
        """How well the pose is fixed, ``[N]``: logarithm of the information's determinant.

        That of the four motions without tilt. It grows with the likeness and with the structure
        that is alike, and tells right poses from wrong ones better than the likeness does.
        """
        similar = self.information[:, :SIMILARITY, :SIMILARITY] + np.eye(SIMILARITY)
        return np.asarray(np.linalg.slogdet(similar)[1])

    def parts(self, masks: Floats32) -> tuple[Floats64, Floats64]:
        """Normalised correlations ``[N, M]`` within masks ``[M, H, W]`` of the picture.

        And the steps right and up ``[N, M, 2]``, in widths, that each part would take on its own.
        """
        flat = masks.reshape(len(masks), -1).T.astype(np.float64)
        count = len(self.products)
        own = self.picture_energy.reshape(-1) @ flat
        theirs = self.reference_energy.reshape(count, -1) @ flat
        likeness = self.products.reshape(count, -1) @ flat / np.sqrt(own * theirs + 1e-6)
        xx, xy, yy, x, y = (m.reshape(count, -1) @ flat for m in self.moments.astype(np.float64))
        ridge = 0.1 * (xx + yy).mean() + 1e-9  # a part without edges stays where it is
        xx, yy = xx + ridge, yy + ridge
        steps = np.stack([yy * x - xy * y, xx * y - xy * x], axis=-1)
        return likeness, steps / (xx * yy - xy * xy)[..., None]


def agreement(
    structure: Floats32, poses: Poses, pyramid: WorldPyramid, strides: tuple[int, ...], motions: int
) -> Agreement:
    """How a picture's ``structure`` ``[4, H, W]`` agrees with the reference at ``poses``.

    ``strides`` are those with which the structure was smoothed; the first ``motions`` of `MOTIONS`
    are looked at.
    """
    shape = (structure.shape[1], structure.shape[2])
    reference = _cut_structure(poses, shape, pyramid, strides)
    inner = reference[..., RIM:-RIM, RIM:-RIM]
    products = np.einsum("fhw,fnhw->nhw", structure, inner)
    energy = np.einsum("fnhw,fnhw->nhw", inner, inner)
    slope = products.sum((1, 2)) / np.maximum(energy.sum((1, 2)), 1e-9)
    slope = np.maximum(slope, LEAST_SLOPE)[:, None, None].astype(np.float32)
    residual = structure[:, None] / slope - inner
    information, pull, moments = _normal_equations(reference, residual, motions)
    variance = np.square(residual).mean((0, 2, 3)) * CORRELATED_PIXELS
    information /= variance[:, None, None]
    pull /= variance[:, None]
    return Agreement(products, energy, np.square(structure).sum(0), information, pull, moments)


def refine(
    structure: Floats32,
    poses: Poses,
    pyramid: WorldPyramid,
    strides: tuple[int, ...],
    motions: int,
    steps: int,
) -> Poses:
    """``poses`` after at most ``steps`` towards where the structure ``[4, H, W]`` agrees best."""
    for _ in range(steps):
        found = agreement(structure, poses, pyramid, strides, motions)
        poses, moved_px = stepped(found, poses)
        if moved_px < CLOSE_PX:
            break
    return poses


def stepped(agreed: Agreement, poses: Poses) -> tuple[Poses, float]:
    """``poses`` after the step that their agreement asks for, and how many pixels it moves most.

    A step is no longer than what edges can be followed over, and leads to no tilt that shows the
    horizon.
    """
    shape = (agreed.picture_energy.shape[0], agreed.picture_energy.shape[1])
    information, pull = with_prior(agreed.information, agreed.pull, poses)
    step = np.linalg.solve(information, pull[..., None])[..., 0]
    motions = step.shape[1]
    excess = np.abs(step) / LONGEST_STEP[:motions]
    step /= np.maximum(excess.max(1, keepdims=True), 1.0)
    if motions > SIMILARITY:
        tilt = tilt_of(poses)
        step[:, SIMILARITY:] = np.clip(step[:, SIMILARITY:] + tilt, -MOST_TILT, MOST_TILT) - tilt
    fields = _fields(picture_corners(shape))[:, :motions]  # [4, P, 2]
    moves = np.einsum("np,cpx->ncx", step, fields)
    return poses.moved(moves, shape), float(np.abs(moves).max(initial=0.0) * max(shape))


def with_prior(information: Floats64, pull: Floats64, poses: Poses) -> tuple[Floats64, Floats64]:
    """``information`` ``[N, P, P]`` and ``pull`` ``[N, P]`` with what is known of tilts before."""
    motions = pull.shape[1]
    information = information + np.eye(motions) * 1.0
    if motions > SIMILARITY:
        weights = TILT_SPREAD**-2.0
        tilt = np.arange(SIMILARITY, motions)
        information[:, tilt, tilt] += weights
        pull = pull.copy()
        pull[:, SIMILARITY:] -= weights * tilt_of(poses)
    return information, pull


def tilt_of(poses: Poses) -> Floats64:
    """Stretch, shear and the two slopes of each pose's homography: [N, 4]."""
    h = poses.homography
    return np.stack([np.log(np.abs(h[:, 0, 0])), h[:, 1, 0], -h[:, 2, 1], -h[:, 2, 0]], axis=-1)


def _fields(plane: Floats64) -> Floats64:
    """How points ``[M, 2]`` of the picture's plane move with each motion: [M, P, 2]."""
    x, y = plane[:, 0], plane[:, 1]
    one, no = np.ones_like(x), np.zeros_like(x)
    motions = [
        (one, no),
        (no, one),
        (x, y),
        (y, -x),
        (x, -y),
        (no, x),
        (x * y, y * y),
        (x * x, x * y),
    ]
    return np.stack([np.stack(motion, axis=-1) for motion in motions], axis=1)


def _cut_structure(
    poses: Poses, shape: tuple[int, int], pyramid: WorldPyramid, strides: tuple[int, ...]
) -> Floats32:
    """Structure ``[4, N, H + 2 RIM, W + 2 RIM]`` of the reference in the frame of each pose."""
    height, width = (side + 2 * RIM for side in shape)
    plane = picture_plane((height, width)).reshape(-1, 2) * (max(height, width) / max(shape))
    east_north = apply_homography(poses.to_map, plane).astype(np.float32)
    spacing = (poses.width_km / max(shape)).astype(np.float32)
    colours = pyramid.look_up(poses.lat_lon.astype(np.float32), east_north, spacing)
    return edge_structure(colours.reshape(3, len(poses), height, width), strides)


def _normal_equations(
    reference: Floats32, residual: Floats32, motions: int
) -> tuple[Floats64, Floats64, Floats32]:
    """``[N, P, P]`` and ``[N, P]`` of how the ``reference`` should move to lose the ``residual``.

    Last, the moments of `Agreement`.

    Each pixel moves to the right, up, and turns; edges that turn change their numbers, beside being
    elsewhere. A motion is a field of those three, so products are summed over channels first.
    """
    height, width = residual.shape[-2:]
    half = np.float32(max(height, width) / 2)
    near, after, before = slice(RIM, -RIM), slice(RIM + 1, 1 - RIM), slice(RIM - 1, -RIM - 1)
    here = reference[..., near, near]
    right = (reference[..., near, after] - reference[..., near, before]) * half
    up = (reference[..., before, near] - reference[..., after, near]) * half
    turn = np.stack([-2 * here[1], 2 * here[0], -4 * here[3], 4 * here[2]])
    changes = (right, up, turn)
    single, paired = _motion_fields((height, width), motions)
    count = residual.shape[1]
    pull = np.zeros((count, motions), np.float32)
    information = np.zeros((count, motions * motions), np.float32)
    moments = []
    pairs = iter(paired)
    for i, change in enumerate(changes):
        left = np.einsum("fnhw,fnhw->nhw", change, residual)
        pull += left.reshape(count, -1) @ single[i]
        moments.append(left)
        for other in changes[: i + 1]:
            both = np.einsum("fnhw,fnhw->nhw", change, other)
            information += both.reshape(count, -1) @ next(pairs)
            moments.append(both)
    x, xx, y, xy, yy = moments[:5]
    square = information.reshape(count, motions, motions).astype(np.float64)
    return square, pull.astype(np.float64), np.stack([xx, xy, yy, x, y])


@lru_cache(maxsize=8)
def _motion_fields(shape: tuple[int, int], motions: int) -> tuple[Floats32, Floats32]:
    """How each pixel moves right, up and turns with each motion: ``[3, H W, P]``.

    Also products of two of the three, ``[6, H W, P P]``, in the order 00, 10, 11, 20, 21, 22.
    """
    fields = _fields(picture_plane(shape).reshape(-1, 2))[:, :motions]
    turning = np.zeros((*fields.shape[:2], 1))
    turning[:, MOTIONS.index("clockwise")] = 1.0
    single = np.moveaxis(np.concatenate([fields, turning], axis=-1), -1, 0).astype(np.float32)
    paired = []
    for i in range(3):
        for j in range(i + 1):
            pairs = single[i][:, :, None] * single[j][:, None, :]
            pairs = pairs if i == j else pairs + np.swapaxes(pairs, 1, 2)
            paired.append(pairs.reshape(len(pairs), -1))
    return single, np.stack(paired)
