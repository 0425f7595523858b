"""Makes all parts of a model of a trained network: its concepts, its graph, its places."""

from __future__ import annotations

from pathlib import Path

import torch

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.orbit.gallery import OrbitGallery, gallery_places
from geowhy.training.orbit.concepts import train_concepts
from geowhy.training.orbit.config import OrbitConfig
from geowhy.training.orbit.describing import TurnedNetwork, describe_places, export_network
from geowhy.training.orbit.packaging import OrbitParts
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.queries import cut_queries
from geowhy.training.processes import StageBars

__all__ = ["assembled"]


def assembled(
    config: OrbitConfig,
    source: PairSource,
    module: TurnedNetwork,
    folder: Path,
    bars: StageBars,
    resume: bool,
) -> OrbitParts:
    """What a model folder holds of a trained network; checkpoints stay in ``folder``.

    Raises:
        DataError: if the concepts' checkpoint is damaged or another run's.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    pairs, side = config.pairs, config.network.side
    torch.manual_seed(config.seed)
    queries = cut_queries(
        config.concepts.queries,
        lambda count: source.poses(count, pairs.least_width_km, pairs.most_width_km),
        lambda poses: source.queries(poses, side),
        lambda pictures: module(pictures)[:, module.size :],
        bars.stage("cutting pictures for concepts"),
    )
    vocabulary = Vocabulary.load().seen
    concepts = train_concepts(
        queries, vocabulary, config.concepts, folder / "concepts", resume, bars
    )
    places = gallery_places(**config.places.model_dump())
    report = bars.stage("describing places")
    described = describe_places(module, source, places, side, report)
    graph = folder / "network.onnx"
    export_network(module, side, graph)
    sizes = list(module.network.sizes)
    gallery = OrbitGallery.of(places, described)
    return OrbitParts(config, graph.read_bytes(), sizes, gallery, concepts)
