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

from geowhy.arrays import Floats64
from geowhy.assets.files import folder_appearing_whole
from geowhy.errors import ModelFormatError
from geowhy.geo.cells import CellGrid
from geowhy.heads.gallery import Gallery
from geowhy.heads.quantized import CodedRows
from geowhy.model.location import LocationEncoder
from geowhy.pretrained.geoclip.aligner import GeoClipAligner

__all__ = ["cached_gallery"]

UNITS_FILE, CODES_FILE, REST_FILE = "embeddings.npy", "codes.npy", "places.npz"
CELL_RESOLUTION = 3  # H3 cells about 120 km wide: as fine as a radius is told
EMBEDDED_AT_ONCE = 8_192
LAYOUT = b"2"  # another one whenever the files mean something else


def cached_gallery(
    aligner: GeoClipAligner,
    encoder: LocationEncoder,
    encoder_digest: str,
    lat_lon: Floats64,
    cache: Path,
    on_progress: Callable[[str], None],
) -> Gallery:
    """The gallery of these places, degrees ``[M, 2]``; embedded if it isn't in the ``cache`` yet.

    Takes 5 bytes a number on disk, 256 MB for 100,000 places, and is mapped from there. A search
    reads the 8-bit codes, a fifth of that, and a few of the other rows.

    Raises:
        CoordinateError: if a place isn't on Earth.
        ModelFormatError: if the cached files are damaged.
    """
    digest = hashlib.sha256(LAYOUT + encoder_digest.encode())
    digest.update(np.ascontiguousarray(lat_lon, np.float64).tobytes())
    folder = cache / digest.hexdigest()[:16]
    if not folder.is_dir():
        on_progress(f"embedding a gallery of {len(lat_lon):,}, once")
        _write(aligner, encoder, lat_lon, folder)
    try:
        units = np.load(folder / UNITS_FILE, mmap_mode="r")
        codes = np.load(folder / CODES_FILE, mmap_mode="r")
        with np.load(folder / REST_FILE) as rest:
            arrays = {name: rest[name] for name in rest.files}
        if (len(units), units.dtype) != (len(lat_lon), np.float32):
            raise ValueError(f"{units.dtype} embeddings of {len(units)} places")
        if (codes.shape, codes.dtype) != (units.shape, np.uint8):
            raise ValueError(f"{codes.dtype} codes {codes.shape} of {units.shape}")
        coded = CodedRows(codes, arrays.pop("step"), arrays.pop("error"))
        average, lat_lon = aligner.placed(arrays.pop("average")), arrays.pop("lat_lon")
        grid = CellGrid.from_arrays(arrays)
    except (OSError, ValueError, KeyError) as error:
        raise ModelFormatError(
            f"{folder}: damaged ({error}): delete that folder, and the gallery is embedded anew"
        ) from error
    return Gallery(lat_lon, grid, aligner.placed(units), average, coded=coded)


def _write(
    aligner: GeoClipAligner, encoder: LocationEncoder, lat_lon: Floats64, folder: Path
) -> None:
    with folder_appearing_whole(folder, keep=True) as ready:
        size = encoder.architecture.size
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(lat_lon), size)}
        total = np.zeros(size)
        # Written, not mapped: on a full disk a mapped page would end the process.
        with (ready / UNITS_FILE).open("wb") as out:
            np.lib.format.write_array_header_2_0(out, header)
            for start in range(0, len(lat_lon), EMBEDDED_AT_ONCE):
                rows = slice(start, start + EMBEDDED_AT_ONCE)
                units = aligner.centred(aligner.location_side(encoder.embed(lat_lon[rows])))
                out.write(units.astype("<f4").tobytes())
                total += units.sum(axis=0, dtype=np.float64)
        coded = CodedRows.of(np.load(ready / UNITS_FILE, mmap_mode="r"))
        np.save(ready / CODES_FILE, coded.codes)
        rest: dict[str, Any] = CellGrid.build(lat_lon, CELL_RESOLUTION).to_arrays()
        rest |= {"lat_lon": lat_lon, "average": (total / len(lat_lon)).astype(np.float32)[None]}
        np.savez(ready / REST_FILE, step=coded.step, error=coded.error, **rest)
