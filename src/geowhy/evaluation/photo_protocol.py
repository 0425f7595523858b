"""``geowhy evaluate MODEL --photos DIR``: a model on photographs of a benchmark, or of one's own.

Runs on the part that is there; how many were expected is part of every number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from geowhy.engine import InputPolicy
from geowhy.errors import ConfigError, DataError, ImageError
from geowhy.evaluation.accuracy import predictions_on
from geowhy.evaluation.benchmarks import OWN, Benchmark, benchmark_of
from geowhy.evaluation.photo_list import PhotoList
from geowhy.evaluation.predictions import PredictionTable
from geowhy.evaluation.protocol import Batch, Protocol
from geowhy.images.reading import NamedImage, read_image
from geowhy.locator import Locator

__all__ = ["photo_protocol", "predictions_of_photos"]

Progress = Callable[[int, int], None]


def predictions_of_photos(
    model: str,
    folder: Path,
    benchmark_name: str,
    list_file: Path | None,
    of_model: Mapping[str, object],
    show: Progress,
) -> PredictionTable:
    """What a model says of the photographs of a folder; those missing have rows without an answer.

    Args:
        model: its name or folder.
        folder: where the photographs lie, in it or anywhere below.
        benchmark_name: of which benchmark they are; "own" for one's own.
        list_file: says which photographs, and where they were taken. By default the benchmark's
            list in the folder; of one's own photographs, their metadata.
        of_model: options of that model alone, such as ``crops``.
        show: is told how many are done, and of how many.

    Raises:
        ModelNotFoundError: if the model isn't installed.
        ConfigError: if there is no such benchmark, or the model has no such option.
        DataError: if the folder or the list is missing, or the list isn't the benchmark's, or not
            one photograph can be read.
    """
    benchmark = benchmark_of(benchmark_name)
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder: give that of the photographs")
    listed = _list_of(folder, benchmark, list_file)
    locator = Locator.from_pretrained(model, gallery=None, on_progress=None, **of_model)
    protocol = photo_protocol(folder, listed, benchmark, locator.engine.inputs, show)
    places = len(locator.engine.gallery.lat_lon)
    return predictions_on(locator, protocol, benchmark.name, f"{places:,} places, the model's own")


def photo_protocol(
    folder: Path, listed: PhotoList, benchmark: Benchmark, inputs: InputPolicy, show: Progress
) -> Protocol:
    """The photographs of a list that lie in a folder, read as a model wants them.

    Raises:
        DataError: if several files have the name of one photograph.
    """
    files = listed.files(folder, benchmark.list.suffix if benchmark.list else "")
    there = [(row, file) for row, file in enumerate(files) if file is not None]

    def batches() -> Iterator[Batch]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(there), inputs.images_at_once):
                some = there[start : start + inputs.images_at_once]
                read = pool.map(lambda one: (one[0], _read(one[1], inputs)), some)
                yield {row: found.pixels for row, found in read if found is not None}
                show(start + len(some), len(there))

    expected = benchmark.photos if benchmark.counted and benchmark.photos else len(listed.ids)
    crops = "1 crop" if inputs.crops == 1 else f"mean score of {inputs.crops} crops"
    words = [f"{benchmark.title}, {listed.name}", crops, "errors on a sphere of 6371.0088 km"]
    if benchmark.photos and not benchmark.counted:
        words.append(
            f"{len(listed.ids):,} listed, {benchmark.photos:,} reported by others and not verified"
        )
    everyone = np.ones(len(listed.ids), np.bool_)
    return Protocol(
        "; ".join(words), "photos", expected, listed.ids, listed.truth, everyone, batches
    )


def _list_of(folder: Path, benchmark: Benchmark, list_file: Path | None) -> PhotoList:
    if list_file is not None:
        return PhotoList.read(list_file, benchmark)
    if benchmark is OWN:
        return PhotoList.of_metadata(folder)
    if benchmark.list and (folder / benchmark.list.file).is_file():
        return PhotoList.read(folder / benchmark.list.file, benchmark)
    raise ConfigError(
        f"{benchmark.title}: which photographs it has, and where they were taken, stands in its "
        f"list: give it as --list FILE ({benchmark.get})"
    )


def _read(file: Path, inputs: InputPolicy) -> NamedImage | None:
    try:
        return read_image(file, min_side=inputs.min_side)
    except ImageError:
        return None
