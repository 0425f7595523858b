"""geowhy beside the package ``geoclip`` 1.3.0, on the same photographs: prints a table.

Both run with the released head, location encoder and gallery and with one and the same ViT-L/14 of
random weights (or with ``--clip DIR``, a folder as published), each in a process of its own. Needs
the package with its dependencies::

    pip install --no-deps geoclip==1.3.0 && pip install transformers geopy tqdm pandas
    python benchmarks/beside_geoclip.py --photos FOLDER

Run by hand on a quiet machine, with Linux, which tells the peak of a process. The package embeds
its gallery for every photograph, so its times are taken on ``--theirs`` of them; answers are
compared on ``--compared``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geowhy.export.clip import convert_clip
from geowhy.heads.quantized import CodedRows, RetrievalGallery, nearest_places
from geowhy.registry import CLIP, require

THEIRS = """
import json, sys, time
from pathlib import Path
start = time.perf_counter()
import torch
from PIL import Image
from geoclip import GeoCLIP
from transformers import CLIPImageProcessor, CLIPModel
clip, timed, compared = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
files = sys.argv[4:]
model = GeoCLIP(from_pretrained=True, clip_pretrained=False)
model.image_encoder.CLIP = CLIPModel.from_pretrained(clip)
model = model.eval()
model.predict(files[0], top_k=5)
first = time.perf_counter() - start
warm = []
for file in files[:timed]:
    begin = time.perf_counter()
    model.predict(file, top_k=5)
    warm.append(time.perf_counter() - begin)
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
normalised = torch.nn.functional.normalize
top, tower, features = [], [], []
with torch.no_grad():
    begin = time.perf_counter()
    places = normalised(model.location_encoder(model.gps_gallery), dim=1)
    gallery = time.perf_counter() - begin
    for file in files[:compared]:
        pixels = model.image_encoder.preprocess_image(Image.open(file).convert("RGB"))
        begin = time.perf_counter()
        found = model.image_encoder.CLIP.get_image_features(pixel_values=pixels)
        tower.append(time.perf_counter() - begin)
        found = found if isinstance(found, torch.Tensor) else found.pooler_output
        image = normalised(model.image_encoder.mlp(found), dim=1)
        best = (image @ places.T).topk(5).indices[0]
        top.append(model.gps_gallery[best].tolist())
        features.append(found[0].tolist())
print(json.dumps(dict(first=first, warm=warm, peak=peak, top=top, tower=tower, features=features,
                      gallery=gallery)))
"""

OURS = """
import json, sys, time
from pathlib import Path
start = time.perf_counter()
from geowhy import Locator
precision, compared = sys.argv[1], int(sys.argv[3])
files = sys.argv[4:]
locator = Locator.from_pretrained("geoclip", precision=precision)
locator.locate(files[0])
first = time.perf_counter() - start
warm = []
for file in files[:compared]:
    begin = time.perf_counter()
    locator.locate(file)
    warm.append(time.perf_counter() - begin)
begin = time.perf_counter()
answers = list(locator.locate_each(files))
stream = (time.perf_counter() - begin) / len(files)
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
from geowhy.images.reading import read_image
tower, features = [], []
for file in files[:compared]:
    pixels = locator.engine.model.backbone.preprocessing([read_image(file).pixels])
    begin = time.perf_counter()
    found = locator.engine.model.backbone._session.run(["features"], {"pixels": pixels})[0]
    tower.append(time.perf_counter() - begin)
    features.append(found[0].tolist())
begin = time.perf_counter()
locator.engine.model.location.embed(locator.engine.gallery.lat_lon)
gallery = time.perf_counter() - begin
top = [[(c.position.lat, c.position.lon) for c in a.candidates] for a in answers[:compared]]
print(json.dumps(dict(first=first, warm=warm, peak=peak, top=top, tower=tower, stream=stream,
                      features=features, gallery=gallery)))
"""

Measured = dict[str, Any]
MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--clip", type=Path, help="CLIP as published; random weights if not given")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--theirs", type=int, default=3)
    parser.add_argument("--compared", type=int, default=40)
    given = parser.parse_args()
    files = [str(file) for file in sorted(given.photos.rglob("*.jpg"))][: given.count]
    with tempfile.TemporaryDirectory() as scratch:
        clip = given.clip or _random_clip(Path(scratch) / "clip")
        os.environ["GEOWHY_HOME"] = str(_home(clip, Path(scratch) / "home"))
        counts = [str(given.theirs), str(given.compared)]
        _run(OURS, "fp32", "1", "1", files[0])  # embeds the gallery, once
        ours = {p: _run(OURS, p, *counts, *files) for p in ("fp32", "int8")}
        theirs = _run(THEIRS, str(clip), *counts, *files)
    kind = f"in {given.clip}" if given.clip else "of random weights, seed 0"
    print(f"ViT-L/14 {kind}; {len(files)} photographs, {os.cpu_count()} cores")
    _print_times(theirs, ours)
    _print_answers(theirs, ours)
    _print_million()


def _random_clip(folder: Path) -> Path:
    """A ViT-L/14 of the true architecture with the weights that transformers starts from."""
    import torch
    from tokenizers import Tokenizer, models
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    vision = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    vision |= {"num_attention_heads": 16, "patch_size": 14, "projection_dim": 768}
    text = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
    config: Any = CLIPConfig  # transformers leaves its types out here and there
    model: Any = CLIPModel(config(vision_config=vision, text_config=text, projection_dim=768))
    model.save_pretrained(folder)
    words = {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    Tokenizer(models.WordLevel(words, "<|endoftext|>")).save(str(folder / "tokenizer.json"))
    return folder


def _home(clip: Path, home: Path) -> Path:
    """The released weights beside this CLIP."""
    (home / CLIP).mkdir(parents=True)
    convert_clip(clip, home / CLIP)
    (home / "geoclip").symlink_to(require("geoclip"))
    return home


def _run(script: str, *arguments: str) -> Measured:
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Measured = json.loads(done.stdout.splitlines()[-1])
    return found


def _print_times(theirs: Measured, ours: dict[str, Measured]) -> None:
    print(f"{'':<34}{'package':>10}" + "".join(f"{f'geowhy {p}':>22}" for p in ours))
    rows: dict[str, Callable[[Measured], float]] = {
        "first answer of a process, s": lambda m: m["first"],
        "one photograph, warm, s": lambda m: float(np.median(m["warm"])),
        "many photographs, s each": lambda m: m.get("stream") or float(np.median(m["warm"])),
        "peak memory, MB": lambda m: m["peak"],
        "embedding the gallery, s": lambda m: m["gallery"],
        "tower alone, s": lambda m: float(np.median(m["tower"])),
    }
    for name, value in rows.items():
        base = value(theirs)
        cells = "".join(f"{value(m):12.2f} (÷{base / value(m):5.1f})" for m in ours.values())
        print(f"{name:<34}{base:10.2f}{cells}")
    for name, m in ours.items():
        share = np.median(m["warm"]) / np.median(m["tower"])
        print(f"one photograph / tower alone, {name}: {share:.3f}")


def _print_answers(theirs: Measured, ours: dict[str, Measured]) -> None:
    expected = np.array(theirs["top"])
    for name, m in ours.items():
        same = np.isclose(np.array(m["top"]), expected).all(axis=2)
        a, b = np.array(m["features"]), np.array(theirs["features"])
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        print(
            f"{name}: same best place on {same[:, 0].sum()} of {len(same)}, same five on "
            f"{same.all(axis=1).sum()}; cosine of features at least {cosine.min():.6f}"
        )


def _print_million() -> None:
    rng = np.random.default_rng(0)
    units = rng.standard_normal((MILLION, 512), np.float32)
    units /= np.sqrt(np.float32(512))
    cells = rng.integers(0, 12_000, MILLION).astype(np.int32)
    gallery = RetrievalGallery(units, CodedRows.of(units), None, cells, 12_000)
    for images in (1, 8, 32):
        queries = units[:images] * np.float32(39.7)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            nearest_places(queries, gallery, 5)
            times.append((time.perf_counter() - start) / images)
        print(f"gallery of 1,000,000, {images:>2} at a time: {1000 * np.median(times):.0f} ms each")


if __name__ == "__main__":
    main()
