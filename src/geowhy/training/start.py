"""What a fit starts from: a location encoder and an alignment, from scratch or as released."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import torch
from safetensors.numpy import load_file

from geowhy.concepts.bank import ConceptBank, fit_grounded
from geowhy.model.location import LocationArchitecture
from geowhy.model.surroundings import MAP_NAMES
from geowhy.registry import require
from geowhy.training.aligner import TorchAligner
from geowhy.training.config import FitConfig
from geowhy.training.dataset import AlignmentData
from geowhy.training.location_torch import TorchLocationEncoder, embed_places, pretrain_location
from geowhy.training.processes import StageBars

__all__ = ["initial_aligner", "initial_encoder"]

RIDGE_PLACES = 20_000


def initial_encoder(
    config: FitConfig,
    data: AlignmentData,
    device: str,
    bars: StageBars,
    maps: int = len(MAP_NAMES),
) -> TorchLocationEncoder:
    """GeoCLIP's location encoder, or one that the truth at training places gave its first shape.

    So many ``maps`` come first in what it reads of the surroundings.

    Raises:
        ModelNotFoundError: if the released weights are asked for but not installed.
    """
    location = config.location
    if location.init == "geoclip":
        tensors = load_file(require("geoclip") / "location.safetensors")
        return TorchLocationEncoder.from_tensors(tensors, LocationArchitecture()).to(device)
    sizes = location.model_dump(include={field.name for field in fields(LocationArchitecture)})
    if location.surroundings:
        sizes["reads"] = data.training.surroundings.shape[1]
    encoder = TorchLocationEncoder(LocationArchitecture(**sizes), config.seed, location.dropout)
    encoder.to(device)
    report = bars.stage("pretraining locations")
    if location.surroundings:
        encoder.surroundings.fit(data.training.surroundings, maps)
    pretrain_location(encoder, data.training, location, config.seed, report)
    return encoder


def initial_aligner(
    config: FitConfig, data: AlignmentData, encoder: TorchLocationEncoder
) -> TorchAligner:
    """An alignment whose concept basis is fitted in the location space.

    Raises:
        ModelNotFoundError: if the released head is asked for but not installed.
        ConfigError: if it has other sizes than the alignment.
    """
    places = data.training
    embeddings = embed_places(encoder, places, RIDGE_PLACES).cpu().numpy()
    released = config.alignment.init == "geoclip"
    # GeoCLIP compares plain embeddings; ours are centred.
    mean = embeddings.mean(axis=0) * np.float32(not released)
    truth = places.truth[:RIDGE_PLACES].cpu().numpy()
    ridge, names = config.location.ridge, data.seen.names
    directions = fit_grounded(embeddings - mean, truth, ridge, names)
    bank = ConceptBank.build(data.seen, directions, "grounded")
    torch.manual_seed(config.seed)
    aligner = TorchAligner(config.alignment, data.whitening, bank, mean)
    if released:
        aligner.take_released_head(load_file(require("geoclip") / "head.safetensors"))
    return aligner.to(places.lat_lon.device)
