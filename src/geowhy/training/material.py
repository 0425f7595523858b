"""What a run learns from: views cut from the world image, or photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from geowhy.geo.atlas import Atlas
from geowhy.training.config import SplitConfig, TrainingConfig
from geowhy.training.features import FeatureStore, Progress, embed_photos, embed_views
from geowhy.training.photos import PhotoManifest, divide_photos, read_photos
from geowhy.training.sources import TrainingSources
from geowhy.training.views import ViewManifest, sample_views, split_views

__all__ = ["PhotoMaterial", "ViewMaterial", "open_material"]

FEW_TO_TUNE_ON = 30  # photographs

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class ViewMaterial:
    """A pool of views."""

    manifest: ViewManifest
    config: SplitConfig
    sources: TrainingSources

    def embed(self, report: Progress) -> FeatureStore:
        """Their features; those on disk already are taken as they are."""
        world, backbone = self.sources.world, self.sources.open_backbone()
        return embed_views(self.manifest, world, backbone, self.sources.cache, report)

    def divided(self, _features: FeatureStore, *, final: bool = False) -> ViewManifest:
        """The splits under which a run is tuned, or the ``final`` ones of its last weights."""
        return split_views(self.manifest, self.config, self.sources.world, final=final)


@dataclass(frozen=True, slots=True, eq=False)
class PhotoMaterial:
    """All photographs of a manifest that are there."""

    manifest: PhotoManifest
    config: SplitConfig
    sources: TrainingSources
    say: Say

    def embed(self, report: Progress) -> FeatureStore:
        """Their features; those on disk already are taken as they are."""
        backbone, digest = self.sources.open_backbone(), self.sources.digest
        return embed_photos(self.manifest, backbone, digest, self.sources.cache, report)

    def divided(self, features: FeatureStore, *, final: bool = False) -> PhotoManifest:
        """The splits under which a run is tuned, told in words, or the ``final`` ones, in silence.

        Raises:
            ConfigError: if the readable ones are too few or too close together to be divided.
        """
        unreadable = features.unreadable
        if final:
            return divide_photos(self.manifest, unreadable, self.config, final=True)
        if unreadable:
            row, why = next(iter(unreadable.items()))
            self.say(
                f"left out {len(unreadable):,} of {len(self.manifest.files):,} photos: "
                f"unreadable; the first is {self.manifest.names[row]}, which {why}"
            )
        divided = divide_photos(self.manifest, unreadable, self.config)
        counts = [f"{len(divided.rows(name)):,} {name}" for name in ("train", "validation", "test")]
        self.say(f"photos by whole cells of 10°: {', '.join(counts)}")
        if len(divided.rows("validation")) < FEW_TO_TUNE_ON:
            self.say(
                f"fewer than {FEW_TO_TUNE_ON} validation photos: radii, probabilities and "
                "abstention, which are fitted on them, are rough guesses"
            )
        return divided


def open_material(
    config: TrainingConfig, sources: TrainingSources, say: Say
) -> ViewMaterial | PhotoMaterial:
    """The views or the photographs of a configuration; ``say`` is told what was left out.

    Raises:
        DataError: if the manifest of the photographs can't be used.
        ConfigError: if the configuration asks of it what it can't give.
    """
    if config.photos is None:
        return ViewMaterial(sample_views(config.views, Atlas.load()), config.split, sources)
    manifest, findings = read_photos(config.photos)
    say(findings.text())
    return PhotoMaterial(manifest, config.split, sources, say)
