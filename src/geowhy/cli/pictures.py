"""What an IMAGE on the command line means: a file, a folder of images, or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geowhy.answer import Prediction
from geowhy.errors import ImageError

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["STDIN", "Picture", "answers", "pictures_in"]

STDIN = "-"
SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".gif", ".bmp"]
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One image to locate.

    Attributes:
        name: as the user gave it; "-" for standard input.
        source: a path or the bytes; None if there is nothing to read.
    """

    name: str
    source: str | bytes | None


def pictures_in(arguments: Iterable[str]) -> Iterator[Picture]:
    """Every image that the arguments name, in order; files of a folder sorted by path."""
    for argument in arguments:
        if argument == STDIN:
            yield Picture(STDIN, sys.stdin.buffer.read())
        elif os.path.isdir(argument):
            inside = [Picture(path, path) for path in _images_under(argument)]
            yield from inside or [Picture(argument, None)]
        else:
            yield Picture(argument, argument)


def answers(
    locator: Locator, pictures: list[Picture], top_k: int
) -> Iterator[Prediction | ImageError]:
    """What the model says to each picture, in order and under its name, as soon as it is known."""
    sources = (picture.source for picture in pictures if picture.source is not None)
    located = locator.locate_each(sources, top_k=top_k)
    for picture in pictures:
        if picture.source is None:
            yield ImageError(picture.name, "this folder holds no images")
            continue
        answer = next(located)
        if isinstance(answer, ImageError):
            yield ImageError(picture.name, answer.reason)
        else:
            yield replace(answer, image=picture.name)


def _images_under(folder: str) -> list[str]:
    """Paths of all images in a folder and its subfolders; hidden files are left out."""
    found = []
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(path, name) for name in files if _is_image(name)]
    return sorted(found)


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")
