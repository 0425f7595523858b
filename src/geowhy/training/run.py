"""A whole training run, from a configuration file to a model folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from geowhy.concepts.bank import fit_grounded
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ConfigError
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.model.backbone import OnnxBackbone
from geowhy.model.map_reader import without_picture
from geowhy.model.surroundings import read_surroundings
from geowhy.training.aligner import TorchAligner, Whitening, fit_whitening
from geowhy.training.backbone_export import LAYOUT_GRID
from geowhy.training.config import TrainingConfig
from geowhy.training.dataset import GroundTruth, Places
from geowhy.training.features import FeatureStore, Progress, embed_views
from geowhy.training.location_pretraining import embed_places, pretrain_location
from geowhy.training.location_torch import TorchLocationEncoder
from geowhy.training.loop import AlignmentRun, train_alignment
from geowhy.training.packaging import TrainedParts, package_model
from geowhy.training.processes import Processes, joined_processes
from geowhy.training.reader_torch import TorchMapReader, train_reader
from geowhy.training.sources import TrainingSources, initial_encoder
from geowhy.training.views import ViewManifest, sample_views, split_views

__all__ = ["train"]

MANIFEST_FILE = "views.parquet"
RIDGE_PLACES = 20_000


def train(config_path: Path, output: Path | None, device: str, resume: bool) -> Path:
    """Trains a model and gives its folder, ``output/model``; ``output`` is ``runs/NAME`` if None.

    Raises:
        ConfigError: if the configuration or the device can't be used.
        ModelNotFoundError: if the backbone or the world image isn't there; says how to get it.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    config = TrainingConfig.load(config_path)
    if device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"--device {device}: torch sees no GPU here: use --device cpu")
    folder = output or Path("runs") / config.name
    with joined_processes() as processes, _progress_bars(processes) as bars:
        sources = TrainingSources.open(config)
        data = _prepare(config, sources, folder, device, processes, bars)
        encoder = initial_encoder(config).to(device)
        aligner = _initial_aligner(config, data, encoder, bars)
        run = AlignmentRun(
            config, data.training, data.validation, data.gallery, data.digest, folder
        )
        report = bars.stage("aligning")
        train_alignment(run, aligner, encoder, processes, resume, report)
        if processes.leads:
            reader = _trained_reader(config, data, bars)
            parts = TrainedParts(
                config, aligner.cpu(), encoder.cpu(), reader, sources.backbone_file
            )
            package_model(folder / "model", parts, data.features, data.manifest, bars.stage)
        processes.wait()
    return folder / "model"


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """Everything that the training stages read."""

    manifest: ViewManifest
    features: FeatureStore
    whitening: Whitening
    training: Places
    validation: Places
    gallery: Places
    digest: str


def _prepare(
    config: TrainingConfig,
    sources: TrainingSources,
    folder: Path,
    device: str,
    processes: Processes,
    bars: _Stages,
) -> _Prepared:
    """Views, their features, and the places of each split; the leading process works first."""
    folder.mkdir(parents=True, exist_ok=True)
    atlas = Atlas.load()
    manifest = split_views(sample_views(config.views, atlas), config.split, sources.world)
    if processes.leads:
        manifest.save(folder / MANIFEST_FILE)
        _embed(manifest, sources, bars.stage("embedding views"))
    processes.wait()
    features = _embed(manifest, sources, lambda done, total: None)
    rows = manifest.rows("train")
    raw = without_picture(features.read(rows))
    whitening = fit_whitening(raw, config.alignment.whitened, LAYOUT_GRID)
    vocabulary = Vocabulary.load()
    known = GroundTruth.fit(vocabulary.truth(atlas, manifest.centres[rows]))

    def places(lat_lon: NDArray[np.float64], images: NDArray[np.float32]) -> Places:
        truth = known.standardised(vocabulary.truth(atlas, lat_lon))
        surroundings = (
            read_surroundings(atlas, lat_lon)
            if config.location.surroundings or config.reader.steps
            else np.empty((len(lat_lon), 0), np.float32)
        )
        return Places.of(lat_lon, surroundings, images, truth, device)

    held_out = manifest.rows("validation")
    gallery = uniform_on_land(
        atlas, config.gallery.size, np.random.default_rng(config.gallery.seed)
    )
    training = places(manifest.centres[rows], whitening(raw))
    land = places(gallery, np.empty((len(gallery), 0), np.float32))
    if config.alignment.negatives == "land":
        land = land.with_prior(training, config.alignment.target_sigma_km)
    return _Prepared(
        manifest,
        features,
        whitening,
        training,
        places(manifest.centres[held_out], whitening(without_picture(features.read(held_out)))),
        land,
        _digest(config, vocabulary, features),
    )


def _embed(manifest: ViewManifest, sources: TrainingSources, report: Progress) -> FeatureStore:
    backbone = OnnxBackbone.load(sources.backbone_file, sources.preprocessing)
    return embed_views(manifest, sources.world, backbone, sources.cache, report)


def _initial_aligner(
    config: TrainingConfig, data: _Prepared, encoder: TorchLocationEncoder, bars: _Stages
) -> TorchAligner:
    """Shapes the location space if it starts from scratch, and fits the concept basis in it."""
    places = data.training
    if config.location.surroundings:
        encoder.fit_surroundings(places.surroundings)
    if config.location.init == "scratch":
        report = bars.stage("pretraining locations")
        pretrain_location(encoder, places, config.location, config.seed, report)
    embeddings = embed_places(encoder, places, RIDGE_PLACES).cpu().numpy()
    mean = embeddings.mean(axis=0)
    truth = places.truth[:RIDGE_PLACES].cpu().numpy()
    basis = fit_grounded(embeddings - mean, truth, config.location.ridge)
    torch.manual_seed(config.seed)
    aligner = TorchAligner(config.alignment, data.whitening, basis, mean)
    return aligner.to(places.lat_lon.device)


def _trained_reader(
    config: TrainingConfig, data: _Prepared, bars: _Stages
) -> TorchMapReader | None:
    """The map reader; it is small, and this process trains it alone."""
    if not config.reader.steps:
        return None
    return train_reader(
        data.features.read(data.manifest.rows("train")),
        data.training.images[:, : config.alignment.whitened].cpu().numpy(),
        data.training.surroundings.cpu().numpy(),
        config.reader,
        config.seed,
        bars.stage("learning to read maps"),
    )


def _digest(config: TrainingConfig, vocabulary: Vocabulary, features: FeatureStore) -> str:
    """Names the run: other settings, concepts or features make it another one."""
    parts = (config.model_dump_json(), vocabulary.digest, features.shards[0].parent.name)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


class _Stages:
    """Progress bars, one a stage; silent in all processes but the leading one."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def stage(self, name: str) -> Progress:
        """Begins a stage; the result takes done and total."""
        task = self._bars.add_task(name, total=None)
        return lambda done, total: self._bars.update(task, completed=done, total=total)


@contextmanager
def _progress_bars(processes: Processes) -> Iterator[_Stages]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, disable=not processes.leads) as bars:
        yield _Stages(bars)
