"""Embeds every view once, into shards on disk that a run reads memory-mapped.

The folder's name holds a digest of all that determines the numbers, so other views or another
backbone never meet old shards, and a broken extraction goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geowhy.images.overhead import WorldImage, cut_views
from geowhy.model.backbone import ImageBackbone
from geowhy.training.views import ViewManifest

__all__ = ["FeatureStore", "embed_views"]

VIEWS_PER_SHARD = 4096

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FeatureStore:
    """Features of all views of a manifest, float16 on disk.

    Attributes:
        shards: files in order, each ``[VIEWS_PER_SHARD, d]`` but the last.
    """

    shards: tuple[Path, ...]

    def read(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Features of some views, ``[len(rows), d]``, in the order asked for."""
        arrays = [np.load(shard, mmap_mode="r") for shard in self.shards]
        found = np.empty((len(rows), arrays[0].shape[1]), np.float32)
        for number, array in enumerate(arrays):
            here = np.flatnonzero(rows // VIEWS_PER_SHARD == number)
            found[here] = array[rows[here] % VIEWS_PER_SHARD]
        return found


def embed_views(
    manifest: ViewManifest,
    world: WorldImage,
    backbone: ImageBackbone,
    cache: Path,
    on_progress: Progress,
) -> FeatureStore:
    """Embeds the views that have no shard yet; safe to break off at any moment."""
    folder = cache / _digest(manifest, world, backbone)
    folder.mkdir(parents=True, exist_ok=True)
    total = len(manifest.centres)
    starts = range(0, total, VIEWS_PER_SHARD)
    shards = tuple(folder / f"{start // VIEWS_PER_SHARD:05d}.npy" for start in starts)
    for start, shard in zip(starts, shards, strict=True):
        if not shard.exists():
            centres = manifest.centres[start : start + VIEWS_PER_SHARD]
            views = cut_views(world, centres, manifest.km_per_pixel, manifest.size)
            _write(shard, backbone.embed(views).astype(np.float16))
        on_progress(min(start + VIEWS_PER_SHARD, total), total)
    return FeatureStore(shards)


def _write(path: Path, array: NDArray[np.float16]) -> None:
    """Writes beside the target and renames, so that a shard is there whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            np.save(file, array)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _digest(manifest: ViewManifest, world: WorldImage, backbone: ImageBackbone) -> str:
    """Names all that the features depend on; splits are not among it."""
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(manifest.centres).tobytes())
    digest.update(f"{manifest.km_per_pixel} {manifest.size}".encode())
    digest.update(np.ascontiguousarray(world.pixels).tobytes())
    digest.update(f"{backbone.digest} {backbone.preprocessing}".encode())
    return digest.hexdigest()[:16]
