"""Records what a locator answers, and tells how two records differ: nothing but what was meant.

Answers are those to the demo pictures, to some views of the packaged reference, and with
``--photos`` to photographs, for which GeoCLIP as released gets a random, seeded image tower. Only
the public interface is asked, so that another version of the package can be recorded::

    PYTHONPATH=OLD/src python scripts/record_answers.py old.npz --photos FOLDER
    python scripts/record_answers.py new.npz --photos FOLDER --against old.npz

``--photos`` needs ``geowhy models get geoclip``.
Ends with 1 if anything differs by more than the tolerance.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import geowhy
from geowhy import Explanation, Locator, Prediction

Arrays = dict[str, NDArray[np.generic]]

PHOTOS, SEED = 20, 0
KM_PER_PIXEL, PIXELS = 5.0, 64  # of views
TOP_K = 5
TOLERANCE = 1e-4  # absolute up to 1, relative above: of degrees, km, probabilities and log-odds
SIDE, FIELD, FEATURES = 224, 28, 768  # pixels, pixels, numbers that CLIP's tower gives
TOWER = "clip-vit-l-14"
TOWER_FILES = ("image.data", "image-int8.data", "text.onnx", "text.data", "tokenizer.json")
LISTED = 12  # of the differences of one array


def main() -> int:
    """Records, and compares if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the record, .npz")
    parser.add_argument("--views", type=int, default=200, help="of the reference (default: 200)")
    parser.add_argument("--photos", type=Path, help=f"folder; {PHOTOS} of its JPEGs are located")
    parser.add_argument("--against", type=Path, help="an older record to compare with")
    given = parser.parse_args()
    arrays = recorded(given.views, given.photos)
    np.savez_compressed(given.output, **arrays)  # type: ignore[arg-type]  # its stubs want a bool
    print(f"{given.output}: {len(arrays)} arrays, {sum(a.size for a in arrays.values()):,} values")
    if given.against is None:
        return 0
    with np.load(given.against) as older:
        found = differences({name: older[name] for name in older.files}, arrays)
    print("\n".join(found) if found else f"the same as {given.against} within {TOLERANCE:g}")
    return int(bool(found))


def recorded(views: int, photos: Path | None) -> Arrays:
    """The answers by kind of image, field by field."""
    demo = sorted((Path(geowhy.__file__).parent / "data" / "demo").glob("*.jpg"))
    locator = Locator.from_pretrained()
    arrays = answers("demo", locator, demo)
    if views:
        arrays |= answers("views", locator, list(_views(views)))
    if photos is not None:
        files = sorted(photos.rglob("*.jpg"))[:PHOTOS]
        if not files:
            sys.exit(f"{photos}: holds no .jpg: give a folder of photographs")
        arrays |= _answers_to_photos(files)
    return arrays


def answers(kind: str, locator: Locator, images: Sequence[Path | Image.Image]) -> Arrays:
    """What a locator says of images, short and long form; rows are images."""
    short = [locator.locate(image, top_k=TOP_K) for image in images]
    long = [locator.explain(image) for image in images]
    fields: dict[str, Sequence[object]] = {
        "position": [[p.position.lat, p.position.lon] for p in short],
        "radius_km": [[p.radius_50_km, p.radius_90_km] for p in short],
        "abstained": [float(p.abstained) for p in short],
        "candidate_position": [_candidates(p) for p in short],
        "candidate_probability": [_probabilities(p) for p in short],
        "candidate_place": [" | ".join(c.place for c in p.candidates) for p in short],
        "reason": [p.abstention.kind if p.abstention else "" for p in short],
    }
    for form, explained in (("short", [p.explanation for p in short]), ("long", long)):
        fields |= {
            f"{form}_score": [[e.score, e.unexplained] for e in explained],
            f"{form}_contribution": [_by_name(e) for e in explained],
            f"{form}_against": [f"{e.against.kind} {e.against.place}" for e in explained],
        }
    fields["concept"] = sorted(c.name for c in long[0].contributions)
    fields["sparse"] = [
        [e.sparse.reproduced, e.sparse.cosine, e.sparse.score] if e.sparse else [np.nan] * 3
        for e in long
    ]
    return {f"{kind}/{name}": np.array(values) for name, values in fields.items()}


def differences(older: Arrays, newer: Arrays) -> list[str]:
    """What two records don't agree on, a line a difference."""
    found = [f"{name}: only in the older record" for name in sorted(older.keys() - newer.keys())]
    found += [f"{name}: only in the newer record" for name in sorted(newer.keys() - older.keys())]
    for name in sorted(older.keys() & newer.keys()):
        found += _differences_of(name, older[name], newer[name])
    return found


def _differences_of(
    name: str, older: NDArray[np.generic], newer: NDArray[np.generic]
) -> Iterator[str]:
    if older.shape != newer.shape:
        yield f"{name}: was {older.shape}, is {newer.shape}"
        return
    if older.dtype.kind in "US":
        off = older != newer
        size = ""
    else:
        was, now = older.astype(np.float64), newer.astype(np.float64)
        allowed = TOLERANCE * np.maximum(1.0, np.abs(was))
        away = np.abs(was - now)
        off = ~((away <= allowed) | (np.isnan(was) & np.isnan(now)))
        size = f", the largest by {np.nanmax(away):.3g}" if off.any() else ""
    if not off.any():
        return
    rows = np.unique(np.argwhere(off)[:, 0]) if off.ndim else np.array([0])
    yield f"{name}: {off.sum():,} of {off.size:,} values differ in {len(rows):,} rows{size}"
    for place in np.argwhere(off)[:LISTED]:
        spot = tuple(place.tolist())
        yield f"  {name}{list(spot)}: was {older[spot]}, is {newer[spot]}"


def _candidates(prediction: Prediction) -> list[list[float]]:
    """Positions ``[TOP_K, 2]``, degrees; NaN where there are fewer."""
    places = [[c.position.lat, c.position.lon] for c in prediction.candidates]
    return places + [[np.nan, np.nan]] * (TOP_K - len(places))


def _probabilities(prediction: Prediction) -> list[float]:
    found = [c.probability for c in prediction.candidates]
    return found + [np.nan] * (TOP_K - len(found))


def _by_name(explanation: Explanation) -> list[float]:
    """Contributions in the order of the concepts' names: by size, near ties would change places."""
    return [c.contribution for c in sorted(explanation.contributions, key=lambda c: c.name)]


def _views(count: int) -> Iterator[Image.Image]:
    """Of places uniform on land."""
    from geowhy.geo.atlas import Atlas, uniform_on_land
    from geowhy.images.overhead import cut_views
    from geowhy.images.worlds import reference_world

    centres = uniform_on_land(Atlas.load(), count, np.random.default_rng(SEED))
    yield from map(Image.fromarray, cut_views(reference_world(), centres, KM_PER_PIXEL, PIXELS))


def _answers_to_photos(files: Sequence[Path]) -> Arrays:
    """Of GeoCLIP with a random image tower, in a home of its own."""
    default = Path.home() / ".cache" / "geowhy"
    installed = Path(os.environ.get("GEOWHY_HOME") or default) / "geoclip"
    if not installed.is_dir():
        sys.exit(f"{installed}: isn't there: get it with: geowhy models get geoclip")
    before = os.environ.get("GEOWHY_HOME")
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "geoclip").symlink_to(installed)
        _write_tower(Path(home) / TOWER)
        os.environ["GEOWHY_HOME"] = home
        try:
            return answers("photos", Locator.from_pretrained("geoclip"), files)
        finally:
            os.environ.pop("GEOWHY_HOME")
            if before is not None:
                os.environ["GEOWHY_HOME"] = before


def _write_tower(folder: Path) -> None:
    """Means of 8 × 8 fields of a photograph, spread at random over CLIP's features."""
    from geowhy.model.preprocessing import CLIP_PREPROCESSING

    folder.mkdir()
    fields = 3 * (SIDE // FIELD) ** 2
    spread = np.random.default_rng(SEED).normal(0, 0.3, (fields, FEATURES)).astype(np.float32)
    size: dict[str, Any] = {"kernel_shape": [FIELD] * 2, "strides": [FIELD] * 2}
    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["fields"], **size),
        helper.make_node("Flatten", ["fields"], ["flat"]),
        helper.make_node("MatMul", ["flat", "spread"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "random",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", FEATURES])],
        [numpy_helper.from_array(spread, "spread")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for name in ("image.onnx", "image-int8.onnx"):
        onnx.save(model, folder / name)
    for name in TOWER_FILES:
        (folder / name).touch()
    config = {"kind": "clip", "preprocessing": CLIP_PREPROCESSING.to_json()}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
