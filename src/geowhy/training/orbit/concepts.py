"""Teaches the concepts of pictures from above, once the network that describes them is done.

The network is frozen: queries are cut once, in every look, and what it pools of them is kept. Head
and basis are then aligned with what the atlas says of the footprints, by the objective of
arXiv 2509.01910 as `geowhy.training.objectives` has it. Pictures of held-back cells of 10 degrees
calibrate how probable a concept is to hold.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.orbit.concepts import OrbitConcepts
from geowhy.training.aligner import fit_whitening
from geowhy.training.dataset import AlignmentData, GroundTruth, Places
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.objectives import ConceptTask
from geowhy.training.orbit.config import ConceptsConfig
from geowhy.training.orbit.queries import Queries, learnable_facts
from geowhy.training.orbit.statements import fit_statements
from geowhy.training.processes import Processes, StageBars
from geowhy.training.start import initial_aligner, initial_encoder

__all__ = ["train_concepts"]


def train_concepts(
    queries: Queries,
    vocabulary: Vocabulary,
    config: ConceptsConfig,
    folder: Path,
    resume: bool,
    bars: StageBars,
) -> OrbitConcepts:
    """Aligns pictures with their footprints; checkpoint and log stay in ``folder``.

    It takes minutes on one core, and one process has all of it.

    Raises:
        DataError: if the pictures tell no concept, or the checkpoint is damaged or another run's.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held_back = queries.in_cells(config.held_back, config.seed)
    reader, facts = learnable_facts(vocabulary, queries, ~held_back)
    shown, there = queries[~held_back], facts[~held_back]
    whitening = fit_whitening(shown.pooled, config.alignment.whitened, 0)
    truth = GroundTruth.fit(there.truth).standardised(there.truth)
    training = Places.of(shown.lat_lon, there.numbers, whitening(shown.pooled), truth, device="cpu")
    data = AlignmentData(reader.vocabulary, whitening, training, None, training[:0])
    encoder = initial_encoder(config, data, "cpu", bars, maps=0)
    task = ConceptTask(config, data, initial_aligner(config, data, encoder), encoder)
    said = f"{config.model_dump_json()}\n{reader.vocabulary.digest}\n".encode()
    digest = hashlib.sha256(said + queries.pooled.tobytes()).hexdigest()[:16]
    run = TrainingRun(config.optimiser, config.seed, config.optimiser.total_steps, digest, folder)
    train_task(run, task, Processes(), resume, bars.stage("aligning concepts"))
    aligner, location = task.export()
    scores = aligner.outputs(queries[held_back].pooled)[1]
    return OrbitConcepts(aligner, location, fit_statements(scores, reader.holds(facts[held_back])))
