"""A posterior over places as a value, and what is decoded of it."""

from geowhy.posterior.calibration import Calibration, NoveltyDetector
from geowhy.posterior.density import CellDensity, Decoder, Estimate, Mode, radius_km, softmax
from geowhy.posterior.ledger import Contest, Posterior, Support, Term, summed

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
