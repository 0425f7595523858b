"""Embeds every view or photograph once, into shards on disk that a run reads memory-mapped.

The folder's name holds a digest of all that determines the numbers, so other views or another
backbone never meet old shards, and a broken extraction goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import Floats32, Ints
from geowhy.assets.files import appearing_whole
from geowhy.errors import ImageError
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.images.reading import read_image
from geowhy.model.backbone import ImageBackbone
from geowhy.pretrained.trained import SMALLEST_SIDE
from geowhy.training.photos import PhotoManifest
from geowhy.training.views import ViewManifest

__all__ = ["FeatureStore", "Progress", "embed_photos", "embed_views", "read_pixels"]

VIEWS_PER_SHARD = 4096
PHOTOS_PER_SHARD = 1024  # a broken extraction loses so many at most; CLIP takes a second each
PHOTOS_AT_ONCE = 64  # decoded: 0.2 MB each, or more where a format can't be decoded smaller

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FeatureStore:
    """Features of all images of a manifest, float16 on disk."""

    shards: tuple[Path, ...]  # [rows_per_shard, d] each, but the last may be shorter
    rows_per_shard: int = VIEWS_PER_SHARD
    unreadable: Mapping[int, str] = field(default_factory=dict)  # rows without features, and why

    def read(self, rows: Ints) -> Floats32:
        """Features of some images, ``[len(rows), d]``, in the order asked for."""
        arrays = [np.load(shard, mmap_mode="r") for shard in self.shards]
        found = np.empty((len(rows), arrays[0].shape[1]), np.float32)
        for number, array in enumerate(arrays):
            here = np.flatnonzero(rows // self.rows_per_shard == number)
            found[here] = array[rows[here] % self.rows_per_shard]
        return found


def embed_views(
    views: ViewManifest, world: WorldImage, backbone: ImageBackbone, cache: Path, report: Progress
) -> FeatureStore:
    """Embeds the views that have no shard yet; safe to break off at any moment."""
    cut = views.centres.tobytes() + f"{views.km_per_pixel} {views.size}".encode()
    read = f"{backbone.digest} {backbone.preprocessing}".encode()
    # All that the features depend on; splits are not among it.
    folder = cache / hashlib.sha256(cut + world.pixels.tobytes() + read).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    total = len(views.centres)
    starts = range(0, total, VIEWS_PER_SHARD)
    shards = tuple(folder / f"{start // VIEWS_PER_SHARD:05d}.npy" for start in starts)
    for start, shard in zip(starts, shards, strict=True):
        if not shard.exists():
            centres = views.centres[start : start + VIEWS_PER_SHARD]
            pixels = cut_views(world, centres, views.km_per_pixel, views.size)
            _write(shard, backbone.embed(pixels).astype(np.float16))
        report(min(start + VIEWS_PER_SHARD, total), total)
    return FeatureStore(shards)


def embed_photos(
    photos: PhotoManifest, backbone: ImageBackbone, digest: str, cache: Path, report: Progress
) -> FeatureStore:
    """Embeds the photographs that have no shard yet; safe to break off at any moment.

    One that can't be read stops nothing: its row says so. ``digest`` is of all files of the
    backbone, which may keep its weights beside its graph.
    """
    what = f"{photos.content_digest} {digest} {backbone.preprocessing} {SMALLEST_SIDE}"
    folder = cache / hashlib.sha256(what.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    total, shards, unreadable = len(photos.files), [], dict[int, str]()
    for start in range(0, total, PHOTOS_PER_SHARD):
        shard = folder / f"{start // PHOTOS_PER_SHARD:05d}.npy"
        reasons = shard.with_suffix(".unreadable.json")
        files = photos.files[start : start + PHOTOS_PER_SHARD]
        if not shard.exists():
            features = np.zeros((len(files), backbone.feature_size), np.float16)
            why = dict[int, str]()
            for first in range(0, len(files), PHOTOS_AT_ONCE):
                read = dict(enumerate(read_pixels(files[first : first + PHOTOS_AT_ONCE]), first))
                why |= {row: p.reason for row, p in read.items() if isinstance(p, ImageError)}
                good = {row: p for row, p in read.items() if not isinstance(p, ImageError)}
                if good:
                    features[[*good]] = backbone.embed([*good.values()])
                report(start + first + len(read), total)
            reasons.write_text(json.dumps(why), encoding="utf-8")  # first: a shard is complete
            _write(shard, features)
        kept = json.loads(reasons.read_text(encoding="utf-8"))
        unreadable |= {start + int(row): reason for row, reason in kept.items()}
        shards.append(shard)
        report(start + len(files), total)
    return FeatureStore(tuple(shards), PHOTOS_PER_SHARD, unreadable)


def read_pixels(files: tuple[str, ...]) -> list[NDArray[np.uint8] | ImageError]:
    """Pictures ``[H, W, 3]`` as a `Locator` would read them, or why they can't be; in threads."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_pixels, files))


def _pixels(file: str) -> NDArray[np.uint8] | ImageError:
    try:
        return read_image(file, min_side=SMALLEST_SIDE).pixels
    except ImageError as error:
        return error


def _write(path: Path, array: NDArray[np.float16]) -> None:
    with appearing_whole(path) as partial, partial.open("wb") as file:
        np.save(file, array)
