"""Speed, memory and size of a model of pictures from above. Run by hand on a quiet machine.

Pictures are JPEG files of 1,024 × 768 pixels, cut from the packaged reference at any heading, 150
to 2,500 km wide. Cold: from starting the interpreter to a printed answer. Warm: one picture after
another, model loaded. Stream: all of them, read ahead. Peak: of the process that located them.
Package: its files, and what a wheel of them has.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import geowhy
from geowhy.evaluation.orbit.queries import QueryRow, drawn_poses
from geowhy.geo.pose import Poses, apply_homography, picture_plane
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import reference_world

SHAPE = (768, 1024)
WIDTHS_KM = (150.0, 2_500.0)
PACKAGE = Path(geowhy.__file__).parent
SCRIPT = """
import resource, sys, time
from pathlib import Path
from geowhy.locator import Locator
files = [str(file) for file in sorted(Path(sys.argv[1]).glob('*.jpg'))]
locator = Locator.from_pretrained(sys.argv[2])
locator.locate(files[0])
single = []
for file in files[:40]:
    start = time.perf_counter()
    locator.locate(file)
    single.append(time.perf_counter() - start)
start = time.perf_counter()
found = sum(1 for _ in locator.locate_each(files))
elapsed = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(sorted(single)[len(single) // 2], max(single), found / elapsed, peak)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="embedded", help="name or folder")
    parser.add_argument("--runs", type=int, default=7, help="processes that are timed")
    parser.add_argument("--stream", type=int, default=200, help="pictures of the stream")
    given = parser.parse_args()
    model, runs = given.model, given.runs
    with tempfile.TemporaryDirectory() as folder:
        _write_pictures(Path(folder), given.stream)
        first = str(Path(folder) / "000.jpg")
        cold = _median_seconds(runs, "locate", first, "--model", model)
        explained = _median_seconds(runs, "locate", first, "--explain", "--model", model)
        command = [sys.executable, "-c", SCRIPT, folder, model]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        warm, slowest, rate, peak = (float(number) for number in done.stdout.split())
    files, wheel = _package_megabytes()
    width, height = SHAPE[1], SHAPE[0]
    print(f"model {model}, {os.cpu_count()} cores, JPEG files of {width:,} × {height} pixels")
    print(f"cold, shell to answer      {cold:8.2f} s     median of {runs} processes")
    print(f"cold, with --explain       {explained:8.2f} s     median of {runs} processes")
    print(f"warm, one picture          {warm * 1000:8.0f} ms    median of up to 40")
    print(f"slowest of these           {slowest * 1000:8.0f} ms")
    print(f"stream                     {rate:8.1f} /s    {given.stream} pictures")
    print(f"peak memory                {peak:8.0f} MB    of the process of the last three")
    print(f"package                    {files:8.1f} MB    {wheel:.1f} MB as a wheel")


def _write_pictures(folder: Path, count: int) -> None:
    reference = WorldPyramid(reference_world())
    poses = drawn_poses(QueryRow(WIDTHS_KM), count, 0)
    for number in range(count):
        picture = Image.fromarray(_picture(reference, poses[number : number + 1]))
        picture.save(folder / f"{number:03d}.jpg", quality=90)


def _picture(world: WorldPyramid, pose: Poses) -> np.ndarray:
    plane = picture_plane(SHAPE).reshape(-1, 2)
    east_north = apply_homography(pose.to_map, plane).astype(np.float32)
    spacing = (pose.width_km / max(SHAPE)).astype(np.float32)
    colours = world.look_up(pose.lat_lon.astype(np.float32), east_north, spacing)
    return np.rint(np.moveaxis(colours.reshape(3, *SHAPE), 0, -1)).astype(np.uint8)


def _median_seconds(runs: int, *arguments: str) -> float:
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        command = [sys.executable, "-m", "geowhy", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])  # the first one fills the disk cache


def _package_megabytes() -> tuple[float, float]:
    """Of the files of the package, and of a wheel with them."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in _files():
            wheel.write(file, file.relative_to(PACKAGE.parent))
    total = sum(file.stat().st_size for file in _files())
    return total / 1e6, content.tell() / 1e6


def _files() -> Iterator[Path]:
    for file in PACKAGE.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


if __name__ == "__main__":
    main()
