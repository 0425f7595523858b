"""Answers that miss the truth by as much as a test wants."""

import numpy as np

from geowhy.evaluation.orbit.answers import SEARCHED, PoseAnswer
from geowhy.geo.pose import Pose
from geowhy.geo.sphere import destination
from geowhy.types import LatLon


def answer(lat=45.0, lon=10.0, off=0.0, turn=0.0, wider=1.0, *, width_km=500.0, **others):
    """One that is ``off`` by so many widths, turned and wider."""
    truth = Pose(LatLon(lat, lon), width_km, 350.0)
    there = destination(np.array([lat, lon]), 60.0, off * width_km).tolist()
    said = Pose(LatLon(*there), width_km * wider, (350.0 + turn) % 360)
    usual = {
        "radius_50_km": 50.0, "radius_90_km": 200.0, "verified": True, "abstained": False,
        "rank": SEARCHED,
    }  # fmt: skip
    return PoseAnswer(truth, said, **usual | others)
