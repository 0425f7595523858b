"""A small model of pictures from above that anyone can have in seconds; its network is random.

It knows some hundred places 2,000 km and more wide, as the packaged reference shows them. A random
network tells such places apart quite well, so pictures of the reference are mostly found.
"""

import numpy as np
import torch

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.images.worlds import reference_world
from geowhy.orbit.gallery import OrbitGallery, gallery_places
from geowhy.orbit.registration import FEATURES
from geowhy.orbit.verdict import Verdict
from geowhy.posterior import Calibration
from geowhy.training.config import AlignmentConfig, LocationConfig, OptimiserConfig
from geowhy.training.orbit.concepts import train_concepts
from geowhy.training.orbit.config import (
    ConceptsConfig,
    LookConfig,
    NetworkConfig,
    OrbitConfig,
    PairsConfig,
    VerdictConfig,
)
from geowhy.training.orbit.describing import TurnedNetwork, describe_places, export_network
from geowhy.training.orbit.network import RingNetwork
from geowhy.training.orbit.packaging import Fitted, OrbitParts
from geowhy.training.orbit.pairs import PairSource
from geowhy.training.orbit.queries import cut_queries

LEAST_KM, MOST_KM = 2_000.0, 2_600.0
IDS = ("arid_climate", "cold_climate", "coastal", "forest", "elevation", "warmth", "flat")
CONFIG = OrbitConfig(
    name="tiny",
    pairs=PairsConfig(worlds={"bmng": 1}, least_width_km=LEAST_KM, most_width_km=MOST_KM),
    look=LookConfig(plain=1.0, blend=0.0, band=0.0),
    verdict=VerdictConfig(candidates=(8,), kept=4),
    network=NetworkConfig(side=32, width=8, blocks=(1, 1), size=64),
    concepts=ConceptsConfig(
        location=LocationConfig(
            sigmas=(), surroundings=32, size=12, pretraining_steps=60, pretraining_batch=64
        ),
        alignment=AlignmentConfig(
            target_sigma_km=0.0, grounding_weight=2.0, whitened=16, hidden=32, concept_hidden=16
        ),
        optimiser=OptimiserConfig(steps=60, batch=64, queue=0, rate=3e-3, validate_every=50),
    ),
)
# Nats for what laying a picture shows; nothing is fitted, and some pictures are refused by these.
WORTH = {"likeness": 10.0, "lead": 10.0, "weakest quarter": 3.0}
ELSEWHERE = 24.0
NATS = {"search": 20.0, "rings": 20.0, "concepts": 0.1}
SURE = 0.9


class _NoBars:
    def stage(self, name):
        return lambda done, total: None


def write_tiny_model(folder):
    """Writes ``folder/model``, a model's folder, and gives it."""
    torch.manual_seed(0)
    side, bars = CONFIG.network.side, _NoBars()
    module = TurnedNetwork(RingNetwork(CONFIG.network)).eval()
    source = PairSource({"bmng": reference_world()}, CONFIG.pairs, CONFIG.look, "cpu")
    places = gallery_places(LEAST_KM, MOST_KM, 1.3, 0.4, 0.1)
    gallery = OrbitGallery.of(places, describe_places(module, source, places, side, bars.stage("")))
    graph = folder / "network.onnx"
    export_network(module, side, graph)
    concepts = _concepts(module, source, folder)
    parts = OrbitParts(CONFIG, graph.read_bytes(), list(module.network.sizes), gallery, concepts)
    zero, one = np.zeros(len(FEATURES), np.float32), np.ones(len(FEATURES), np.float32)
    weights = np.array([WORTH.get(name, 0.0) for name in FEATURES], np.float32)
    verdict = Verdict(zero, one, weights, np.array([ELSEWHERE], np.float32))
    radii = Calibration(least_radius_km=1.0, most_elsewhere=0.5)
    return parts.write(folder / "model", Fitted(verdict, radii, **NATS, sure=SURE)).path


def _concepts(module, source, folder):
    queries = cut_queries(
        400,
        lambda count: source.poses(count, LEAST_KM, MOST_KM),
        lambda poses: source.queries(poses, CONFIG.network.side),
        lambda pictures: module(pictures)[:, module.size :],
        lambda done, total: None,
    )
    vocabulary = Vocabulary.load(compared=False).only(IDS)
    return train_concepts(
        queries, vocabulary, CONFIG.concepts, folder / "concepts", False, _NoBars()
    )
