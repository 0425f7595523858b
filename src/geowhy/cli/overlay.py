"""``--overlay``: an answer's picture over the map, in the kind of file that its name says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geowhy.answer import Prediction
from geowhy.cli.pages import check_output, write_whole
from geowhy.cli.pictures import Picture
from geowhy.errors import ConfigError, DataError
from geowhy.images.reading import read_image
from geowhy.overlay.geotiff import write_geotiff
from geowhy.overlay.kmz import write_kmz
from geowhy.overlay.laid import MOST_PIXELS, LaidPicture
from geowhy.overlay.world_file import WORLD_FILES, write_with_world_file
from geowhy.render.overlay_page import overlay_page
from geowhy.render.wording import place_name, plainly, pose_sentence, verdict_sentence

__all__ = ["KINDS", "check_overlay", "write_overlay"]

PAGE, GEOTIFF, KMZ = (".html", ".htm"), (".tif", ".tiff"), (".kmz",)
KINDS = (*PAGE, *GEOTIFF, *KMZ, *WORLD_FILES)


def check_overlay(path: Path, pictures: Sequence[Picture]) -> None:
    """Refuses what can't be laid or written, before minutes of work.

    Raises:
        ConfigError: if there isn't just one picture.
        DataError: if the file has no folder or is of no such kind, or is the picture itself.
    """
    if len(pictures) != 1:
        raise ConfigError(
            f"--overlay lays one picture over the map, and these are {len(pictures)}: give one"
        )
    check_output(path, KINDS, "no file that a picture can be laid over the map in")
    source = pictures[0].source
    if isinstance(source, str) and path.exists() and path.samefile(source):
        raise DataError(f"{path}: --overlay would write over the picture: choose another name")


def write_overlay(prediction: Prediction, picture: Picture, path: Path) -> None:
    """Writes the whole picture, or as much of it as a page or a globe shows.

    Raises:
        ImageError: if the model doesn't say how it lies, or that wasn't verified.
        OSError: if a file can't be written.
    """
    suffix = path.suffix.lower()
    # Of what isn't written whole, no more is read than will be shown.
    least = MOST_PIXELS if suffix in (*PAGE, *KMZ) else None
    pixels = read_image(picture.source, name=picture.name, min_side=least).pixels
    laid = LaidPicture.of(prediction, pixels)
    if suffix in PAGE:
        write_whole(path, overlay_page(prediction, laid))
    elif suffix in GEOTIFF:
        write_geotiff(laid, path)
    elif suffix in KMZ:
        words = f"{verdict_sentence(prediction)} {pose_sentence(prediction)}"
        title = f"{plainly(prediction.image)}: {place_name(prediction)}"
        write_kmz(laid, path, title, words)
    else:
        write_with_world_file(laid, path)
