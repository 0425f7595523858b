"""Runs networks as torch exported them: graphs that take their weights by name, beside the inputs.

``scripts/build_networks.py`` makes the graphs from the very modules that are trained. They hold no
number of a model, and fit one of any size: its weights lie in its folder, and explanations, which
are linear, read them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from geowhy.arrays import Floats32
from geowhy.errors import ModelFormatError
from geowhy.model.backbone import open_session

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["GRAPHS", "NetworkName", "run_network"]

GRAPHS = Path(__file__).parent.parent / "data" / "graphs"
NetworkName = Literal["image_head", "place_reader"]


def run_network(
    name: NetworkName, tensors: Mapping[str, Floats32], **inputs: Floats32
) -> list[Floats32]:
    """What a network gives of N inputs ``[N, ...]``, each of its outputs ``[N, ...]``.

    Raises:
        ModelFormatError: if the weights don't fit each other, or the inputs.
    """
    session = _session(name)
    given = {**tensors, **inputs}
    fed = {i.name: np.ascontiguousarray(given[i.name], np.float32) for i in session.get_inputs()}
    try:
        found: list[Floats32] = session.run(None, fed)
    except Exception as error:  # onnxruntime's own classes share no other ancestor
        shapes = ", ".join(f"{n} {a.shape}" for n, a in fed.items())
        raise ModelFormatError(
            f"the network {name}: {shapes} don't belong together; get or train the model anew"
        ) from error
    return found


@cache
def _session(name: str) -> onnxruntime.InferenceSession:
    return open_session(GRAPHS / f"{name}.onnx")
