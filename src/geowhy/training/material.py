"""What a run learns from: views cut from the world image, or photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from geowhy.arrays import Floats64
from geowhy.geo.atlas import Atlas
from geowhy.training.config import SplitConfig, TrainingConfig
from geowhy.training.features import FeatureStore, Progress, embed_photos, embed_views
from geowhy.training.photos import PhotoManifest, divide_photos, read_photos
from geowhy.training.sources import TrainingSources
from geowhy.training.views import (
    Manifest,
    ViewManifest,
    final_views,
    sample_views,
    split_views,
)

__all__ = ["Material", "open_material"]

FEW_TO_TUNE_ON = 30  # photographs

Say = Callable[[str], None]


class Material(Protocol):
    """Images with their positions."""

    @property
    def centres(self) -> Floats64:
        """Where they were taken, degrees ``[N, 2]``."""

    def embed(self, report: Progress) -> FeatureStore:
        """Their features; those on disk already are taken as they are."""

    def divided(self, features: FeatureStore) -> Manifest:
        """The splits under which a run is tuned."""

    def finally_divided(self, features: FeatureStore) -> Manifest:
        """The splits that the last weights see: after a refit nothing but test is held out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    manifest: ViewManifest
    config: SplitConfig
    sources: TrainingSources

    @property
    def centres(self) -> Floats64:
        return self.manifest.centres

    def embed(self, report: Progress) -> FeatureStore:
        world, backbone = self.sources.world, self.sources.open_backbone()
        return embed_views(self.manifest, world, backbone, self.sources.cache, report)

    def divided(self, features: FeatureStore) -> ViewManifest:
        return split_views(self.manifest, self.config, self.sources.world)

    def finally_divided(self, features: FeatureStore) -> ViewManifest:
        return final_views(self.manifest, self.config, self.sources.world)


@dataclass(frozen=True, slots=True, eq=False)
class _Photos:
    manifest: PhotoManifest
    config: SplitConfig
    sources: TrainingSources
    say: Say

    @property
    def centres(self) -> Floats64:
        return self.manifest.centres

    def embed(self, report: Progress) -> FeatureStore:
        backbone, digest = self.sources.open_backbone(), self.sources.digest
        return embed_photos(self.manifest, backbone, digest, self.sources.cache, report)

    def divided(self, features: FeatureStore) -> PhotoManifest:
        if features.unreadable:
            row, why = next(iter(features.unreadable.items()))
            self.say(
                f"left out {len(features.unreadable):,} of {len(self.manifest.files):,} photos: "
                f"unreadable; the first is {self.manifest.names[row]}, which {why}"
            )
        divided = divide_photos(self.manifest, features.unreadable, self.config)
        counts = [f"{len(divided.rows(name)):,} {name}" for name in ("train", "validation", "test")]
        self.say(f"photos by whole cells of 10°: {', '.join(counts)}")
        if len(divided.rows("validation")) < FEW_TO_TUNE_ON:
            self.say(
                f"fewer than {FEW_TO_TUNE_ON} validation photos: radii, probabilities and "
                "abstention, which are fitted on them, are rough guesses"
            )
        return divided

    def finally_divided(self, features: FeatureStore) -> PhotoManifest:
        held_out = ("test",) if self.config.refit else ("validation", "test")
        return divide_photos(self.manifest, features.unreadable, self.config, held_out)


def open_material(config: TrainingConfig, sources: TrainingSources, say: Say) -> Material:
    """The views or the photographs of a configuration; ``say`` is told what was left out.

    Raises:
        DataError: if the manifest of the photographs can't be used.
        ConfigError: if the configuration asks of it what it can't give.
    """
    if config.photos is None:
        return _Views(sample_views(config.views, Atlas.load()), config.split, sources)
    manifest, findings = read_photos(config.photos)
    say(findings.text())
    return _Photos(manifest, config.split, sources, say)
