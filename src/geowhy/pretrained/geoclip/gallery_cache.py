"""Embedded galleries on disk: a place is embedded once, not once an image or once a process.

A folder's name holds a digest of the location encoder's weights and of the coordinates, so other
weights or other places never meet an old one. Embeddings are read memory-mapped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.assets.files import folder_appearing_whole
from geowhy.errors import ModelFormatError
from geowhy.geo.cells import CellGrid
from geowhy.heads.gallery import Gallery
from geowhy.heads.quantized import CodedRows
from geowhy.model.location import LocationEncoder
from geowhy.pretrained.geoclip.aligner import GeoClipAligner

__all__ = ["cached_gallery", "gallery_folder"]

UNITS_FILE, CODES_FILE, REST_FILE = "embeddings.npy", "codes.npy", "places.npz"
CELL_RESOLUTION = 3  # H3 cells about 120 km wide: as fine as a radius is told
EMBEDDED_AT_ONCE = 8_192
LAYOUT = b"2"  # another one whenever the files mean something else

OnProgress = Callable[[str], None]


def gallery_folder(cache: Path, encoder_digest: str, lat_lon: Floats64) -> Path:
    """Where the gallery of places ``[M, 2]`` is, once embedded with weights of this digest."""
    digest = hashlib.sha256(LAYOUT + encoder_digest.encode())
    digest.update(np.ascontiguousarray(lat_lon, np.float64).tobytes())
    return cache / digest.hexdigest()[:16]


def cached_gallery(
    aligner: GeoClipAligner,
    encoder: LocationEncoder,
    lat_lon: Floats64,
    folder: Path,
    on_progress: OnProgress,
) -> Gallery:
    """The gallery of these places, degrees ``[M, 2]``; embedded if there is no ``folder`` yet.

    Takes 5 bytes a number on disk, 256 MB for 100,000 places, and is mapped from there. A search
    reads the 8-bit codes, a fifth of that, and a few of the other rows.

    Raises:
        CoordinateError: if a place isn't on Earth.
        ModelFormatError: if the cached files are damaged.
    """
    if not folder.is_dir():
        on_progress(f"embedding {len(lat_lon):,} places of the gallery, once")
        _write(aligner, encoder, lat_lon, folder)
    return _read(aligner, folder, len(lat_lon))


def _read(aligner: GeoClipAligner, folder: Path, count: int) -> Gallery:
    try:
        units = np.load(folder / UNITS_FILE, mmap_mode="r")
        with np.load(folder / REST_FILE) as rest:
            arrays = {name: rest[name] for name in rest.files}
        if len(units) != count or units.dtype != np.float32:
            raise ValueError(f"{units.dtype} embeddings of {len(units)} places, not of {count}")
        coded = CodedRows(
            np.load(folder / CODES_FILE, mmap_mode="r"), arrays.pop("step"), arrays.pop("error")
        )
        if coded.codes.shape != units.shape or coded.codes.dtype != np.uint8:
            raise ValueError(f"{coded.codes.dtype} codes {coded.codes.shape} of {units.shape}")
        average, lat_lon = aligner.placed(arrays.pop("average")), arrays.pop("lat_lon")
        side = aligner.placed(units)
        return Gallery(lat_lon, CellGrid.from_arrays(arrays), side, average, coded=coded)
    except (OSError, ValueError, KeyError) as error:
        raise ModelFormatError(
            f"{folder}: damaged ({error}): delete that folder, and the gallery is embedded anew"
        ) from error


def _write(
    aligner: GeoClipAligner, encoder: LocationEncoder, lat_lon: Floats64, folder: Path
) -> None:
    with folder_appearing_whole(folder, keep=True) as ready:
        average = _write_units(aligner, encoder, lat_lon, ready / UNITS_FILE)
        grid = CellGrid.build(lat_lon, CELL_RESOLUTION)
        coded = CodedRows.of(np.load(ready / UNITS_FILE, mmap_mode="r"))
        np.save(ready / CODES_FILE, coded.codes)
        rest: dict[str, Any] = {"lat_lon": lat_lon, "average": average, **grid.to_arrays()}
        np.savez(ready / REST_FILE, step=coded.step, error=coded.error, **rest)


def _write_units(
    aligner: GeoClipAligner, encoder: LocationEncoder, lat_lon: Floats64, file: Path
) -> Floats32:
    """Writes unit embeddings chunk by chunk, and gives their mean ``[1, d]``."""
    size = encoder.architecture.size
    header = {"descr": "<f4", "fortran_order": False, "shape": (len(lat_lon), size)}
    total = np.zeros(size)
    # Written, not mapped: on a full disk a mapped page would end the process.
    with file.open("wb") as out:
        np.lib.format.write_array_header_2_0(out, header)
        for start in range(0, len(lat_lon), EMBEDDED_AT_ONCE):
            rows = slice(start, start + EMBEDDED_AT_ONCE)
            units = aligner.centred(aligner.location_side(encoder.embed(lat_lon[rows])))
            out.write(units.astype("<f4").tobytes())
            total += units.sum(axis=0, dtype=np.float64)
    return (total / len(lat_lon)).astype(np.float32)[None]
