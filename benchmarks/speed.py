"""Speed and memory of the embedded model: prints a table. Run by hand on a quiet machine.

Cold: from starting the interpreter to a printed answer. Warm: one image, model loaded. Many: a
stream of images. Peak: of the process that located the stream.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = """
import resource, sys, time
from pathlib import Path
from geowhy.locator import Locator
files = sorted(Path(sys.argv[1]).glob('*.png'))
locator = Locator.from_pretrained(sys.argv[2])
locator.locate(str(files[0]))
single = []
for file in files[:40]:
    start = time.perf_counter()
    locator.locate(str(file))
    single.append(time.perf_counter() - start)
start = time.perf_counter()
found = sum(1 for _ in locator.locate_each([str(f) for f in files]))
elapsed = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(sorted(single)[len(single) // 2], found / elapsed, peak)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--runs", type=int, default=7, help="processes that are timed")
    parser.add_argument("--stream", type=int, default=400, help="images of the stream")
    given = parser.parse_args()
    model, runs = given.model, given.runs
    with tempfile.TemporaryDirectory() as folder:
        _write_images(Path(folder), given.stream)
        cold = _cold_seconds(Path(folder) / "000.png", model, runs)
        warm, rate, peak = _loaded(Path(folder), model)
    print(f"model {model}, {os.cpu_count()} cores, 64-pixel views as PNG files")
    print(f"cold, shell to answer      {cold:8.2f} s     median of {runs} processes")
    print(f"geowhy --help              {_help_seconds(runs):8.2f} s     median of {runs} processes")
    print(f"warm, one image            {warm * 1000:8.1f} ms    median of up to 40")
    print(f"many images                {rate:8.1f} /s    {given.stream} images in a stream")
    print(f"peak memory                {peak:8.0f} MB    of that process")


def _write_images(folder: Path, count: int) -> None:
    """Views of the reference that the tests use, turned, so that no two files are the same."""
    views = sorted((Path(__file__).parent.parent / "tests" / "data" / "views").glob("*.png"))
    rng = np.random.default_rng(0)
    for number in range(count):
        with Image.open(views[number % len(views)]) as image:
            pixels = np.rot90(np.asarray(image.convert("RGB")), number // len(views) % 4)
        noisy = np.clip(pixels + rng.normal(0, 1, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:03d}.png")


def _cold_seconds(image: Path, model: str, runs: int) -> float:
    return _median_seconds(runs, "locate", str(image), "--explain", "--model", model)


def _help_seconds(runs: int) -> float:
    return _median_seconds(runs, "--help")


def _median_seconds(runs: int, *arguments: str) -> float:
    program = Path(sys.executable).with_name("geowhy")
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run([program, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])  # the first one fills the disk cache


def _loaded(folder: Path, model: str) -> tuple[float, float, float]:
    command = [sys.executable, "-c", SCRIPT, str(folder), model]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    warm, rate, peak = (float(number) for number in done.stdout.split())
    return warm, rate, peak


if __name__ == "__main__":
    main()
