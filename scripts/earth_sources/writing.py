"""Layers to codes, and codes to one reproducible file."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowhy.geo.atlas import (
    Country,
    LayerInfo,
    Packing,
    Source,
    Storage,
    Transform,
    layer_digest,
)

__all__ = [
    "BuiltLayer",
    "atlas_arrays",
    "class_layer",
    "continuous_layer",
    "decoded_layer",
    "flag_layer",
    "tabled_layer",
    "write_npz",
]


@dataclass(frozen=True)
class BuiltLayer:
    """One layer, ready to be written; ``stored`` is None if it shares another's array."""

    info: LayerInfo
    storage: Storage
    stored: NDArray[Any] | None


def continuous_layer(
    name: str,
    description: str,
    unit: str,
    values: NDArray[np.float32],
    sources: tuple[Source, ...],
    *,
    step: float,
    bits: int,
    transform: Transform = "linear",
    missing: str = "at sea",
) -> BuiltLayer:
    """A layer of numbers, NaN where missing, rounded to ``step`` (after the transform)."""
    scaled = np.log1p(values) if transform == "log1p" else values
    offset = float(np.nanmin(scaled))
    steps = np.round((scaled - offset) / step)
    limit = 2**bits - 2
    assert np.nanmax(steps) <= limit, f"{name}: {np.nanmax(steps)} steps don't fit {bits} bits"
    codes = np.where(np.isnan(steps), 0, steps + 1).astype(np.dtype(f"uint{bits}"))
    resolution = 180.0 / values.shape[0]
    info = LayerInfo(name, description, unit, "continuous", resolution, missing, (), sources)
    return BuiltLayer(info, Storage(name, "delta", transform, step, offset), _differences(codes))


def class_layer(
    name: str,
    description: str,
    codes: NDArray[np.uint8] | NDArray[np.uint16],
    labels: tuple[str, ...],
    sources: tuple[Source, ...],
    *,
    missing: str = "at sea",
    packing: Packing = "plain",
) -> BuiltLayer:
    """A layer of classes; code 0 is missing, code n is the class n - 1."""
    resolution = 180.0 / codes.shape[0]
    info = LayerInfo(name, description, "", "class", resolution, missing, labels, sources)
    return BuiltLayer(info, Storage(name, packing), codes)


def decoded_layer(
    name: str,
    description: str,
    labels: tuple[str, ...],
    sources: tuple[Source, ...],
    *,
    array: str,
    classes: tuple[int, ...],
    resolution_deg: float,
    missing: str,
) -> BuiltLayer:
    """A layer of classes that follow from the codes of another layer's array."""
    info = LayerInfo(name, description, "", "class", resolution_deg, missing, labels, sources)
    return BuiltLayer(info, Storage(array, "plain", classes=classes), None)


def tabled_layer(
    name: str,
    description: str,
    unit: str,
    values: Sequence[float | None],
    sources: tuple[Source, ...],
    *,
    array: str,
    resolution_deg: float,
    missing: str,
    transform: Transform = "linear",
) -> BuiltLayer:
    """A layer of numbers, or None, that follow from the codes 1, 2, … of another layer's array."""
    scaled = [v if v is None or transform == "linear" else math.log1p(v) for v in values]
    numbers = (None, *(None if v is None else round(v, 6) for v in scaled))
    info = LayerInfo(name, description, unit, "continuous", resolution_deg, missing, (), sources)
    return BuiltLayer(info, Storage(array, "plain", transform, numbers=numbers), None)


def flag_layer(
    name: str, description: str, flags: NDArray[np.bool_], sources: tuple[Source, ...]
) -> BuiltLayer:
    """A layer of yes or no, one bit a cell; the number of columns is a multiple of 8."""
    resolution = 180.0 / flags.shape[0]
    info = LayerInfo(name, description, "", "flag", resolution, "nowhere", (), sources)
    return BuiltLayer(info, Storage(name, "bits"), np.packbits(flags, axis=1))


def atlas_arrays(
    layers: list[BuiltLayer], countries: tuple[Country, ...]
) -> dict[str, NDArray[Any]]:
    """All arrays of the atlas file."""
    stored = {b.storage.array: b.stored for b in layers if b.stored is not None}
    meta = {
        "layers": [_entry(built, stored[built.storage.array]) for built in layers],
        "countries": [asdict(country) for country in countries],
    }
    text = json.dumps(meta, ensure_ascii=False, separators=(",", ":"))
    arrays: dict[str, NDArray[Any]] = {"meta": np.frombuffer(text.encode(), np.uint8)}
    return arrays | stored


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Arrays to a compressed npz whose bytes depend on nothing but the arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            # A fixed date: zip files record one, and ours shall not differ from run to run.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue())
    # Whoever reads the old file meanwhile never meets half a new one.
    os.replace(unfinished, path)


def _entry(built: BuiltLayer, stored: NDArray[Any]) -> dict[str, Any]:
    info = replace(built.info, sha256=layer_digest(built.info, built.storage, stored))
    return {"info": asdict(info), "storage": asdict(built.storage)}


def _differences(codes: NDArray[Any]) -> NDArray[Any]:
    """Differences along each row, modulo the range of the type; the first column stays."""
    differences = codes.copy()
    differences[:, 1:] -= codes[:, :-1]
    return differences
