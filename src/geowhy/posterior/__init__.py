"""A posterior over places as a value, and what is decoded of it."""

from geowhy.posterior.calibration import Calibration
from geowhy.posterior.contest import Contest
from geowhy.posterior.density import CellDensity, Decoder, Estimate, Mode, radius_km, softmax
from geowhy.posterior.ledger import Posterior, Support, Term, summed
from geowhy.posterior.ood import NoveltyDetector

__all__ = [
    "Calibration",
    "CellDensity",
    "Contest",
    "Decoder",
    "Estimate",
    "Mode",
    "NoveltyDetector",
    "Posterior",
    "Support",
    "Term",
    "radius_km",
    "softmax",
    "summed",
]
