"""A posterior over places as a value, and what is decoded of it."""

from geowhy.posterior.calibration import Calibration, NoveltyDetector, stated_km
from geowhy.posterior.density import CellDensity, Estimate, Mode
from geowhy.posterior.ledger import Contest, Posterior, Term

__all__ = [
    "Calibration", "CellDensity", "Contest", "Estimate", "Mode", "NoveltyDetector", "Posterior",
    "Term", "stated_km",
]  # fmt: skip
