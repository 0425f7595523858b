"""The objectives that a configuration can ask for, one a file."""

from geowhy.training.objectives.concept import ConceptTask
from geowhy.training.objectives.contrastive import ContrastiveTask

__all__ = ["OBJECTIVES", "ConceptTask"]

OBJECTIVES = {"concept": ConceptTask, "geoclip": ContrastiveTask}
