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

__all__ = ["Picture", "answers", "pictures_in"]

STDIN = "-"
SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff"),
        *(".heic", ".heif", ".hif", ".avif", ".gif", ".bmp"),
    )
)
UNREAD_SUFFIXES = frozenset(
    [".jp2", ".j2k", ".jxl", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"]
)
UNREAD = "is of a kind of image that isn't read from folders; export it as JPEG, PNG or TIFF"


@dataclass(frozen=True, slots=True)
class Picture:
    """One image to locate."""

    name: str  # as the user gave it; "-" for standard input
    source: str | bytes  # a path or the bytes
    problem: str = ""  # why there is nothing to read; empty if there is


def pictures_in(arguments: Iterable[str]) -> Iterator[Picture]:
    """Every image that the arguments name, in order; files of a folder sorted by path."""
    for argument in arguments:
        if argument == STDIN:
            yield Picture(STDIN, sys.stdin.buffer.read())
        elif not os.path.isdir(argument):
            yield Picture(argument, argument)
        elif paths := sorted(filter(_is_image, _files_under(argument))):
            for path in paths:
                yield Picture(path, path, UNREAD if _suffix(path) in UNREAD_SUFFIXES else "")
        else:
            yield Picture(argument, argument, "this folder holds no images")


def answers(
    locator: Locator, pictures: list[Picture], top_k: int
) -> Iterator[Prediction | ImageError]:
    """What the model says to each picture, in order and under its name, as soon as it is known."""
    sources = (picture.source for picture in pictures if not picture.problem)
    located = locator.locate_each(sources, top_k=top_k)
    for picture in pictures:
        if picture.problem:
            yield ImageError(picture.name, picture.problem)
            continue
        answer = next(located)
        if isinstance(answer, ImageError):
            yield ImageError(picture.name, answer.reason)
        else:
            yield replace(answer, image=picture.name)


def _files_under(folder: str) -> Iterator[str]:
    """Paths of all files in a folder and its subfolders; hidden ones are left out."""
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(path, name) for name in files if not name.startswith("."))


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _is_image(path: str) -> bool:
    """By the suffix, also of kinds that can't be read; without one by the first bytes."""
    from geowhy.images.formats import format_of

    suffix = _suffix(path)
    if suffix or not os.path.isfile(path):  # a pipe would be emptied by a look
        return suffix in SUFFIXES | UNREAD_SUFFIXES
    try:
        with open(path, "rb") as file:
            format_of(file.read(256), path)
    except (OSError, ImageError):
        return False
    return True
