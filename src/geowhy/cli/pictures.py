"""What an IMAGE on the command line means: a file, a folder of images, or standard input."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from geowhy.answer import Prediction
from geowhy.errors import ImageError

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["Found", "LeftOut", "Picture", "answers", "pictures_in"]

STDIN = "-"
SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".gif"),
        *(".heic", ".heif", ".hif", ".avif", ".bmp", ".jp2", ".j2k", ".jpx", ".j2c"),
    )
)
UNREAD_SUFFIXES = frozenset(
    (".jxl", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw")
)
UNREAD = "is of a kind of image that isn't read from folders; export it as JPEG, PNG or TIFF"
LITTER = frozenset(
    (
        *("@eadir", "__macosx", "#recycle", "$recycle.bin", "@recycle", "recycler", "lost+found"),
        *(
            "#snapshot",
            "@tmp",
            "@recently-snapshot",
            "system volume information",
            "network trash folder",
        ),
        *("temporary items", "thumbs.db", "ehthumbs.db", "desktop.ini"),
    )
)  # names that drives, archives and desktops leave behind; others of theirs begin with a dot
NAMED = 5  # files of a last line; more are only counted


@dataclass(frozen=True, slots=True)
class Picture:
    """One image to locate."""

    name: str  # as the user gave it; "-" for standard input
    source: str | bytes  # a path or the bytes
    problem: str = ""  # why there is nothing to read; empty if there is


@dataclass(slots=True)
class LeftOut:
    """The files of folders that were passed over."""

    strangers: list[str] = field(default_factory=list)  # no images, by their content
    litter: Counter[str] = field(default_factory=Counter)  # files by the name that gave them away

    def sentence(self) -> str:
        """All of them counted, the first of them named; empty if there are none."""
        names = [os.path.basename(path) for path in self.strangers]
        parts = []
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            parts.append(f"{', '.join(names[:NAMED])}{more} (no images)")
        parts += [_counted(name, count) for name, count in sorted(self.litter.items())]
        total = len(names) + self.litter.total()
        return f"{total} file{'s' * (total > 1)} left out: {'; '.join(parts)}" if total else ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the arguments of a verb name: images in order, and what folders hold beside them."""

    pictures: tuple[Picture, ...]
    left_out: LeftOut


def pictures_in(arguments: Iterable[str]) -> Found:
    """Every image that the arguments name, in order; files of a folder sorted by path.

    In folders, images are told by their content, whatever they are called. A file that is called
    an image and isn't one counts as one that can't be read.
    """
    pictures: list[Picture] = []
    left_out = LeftOut()
    for argument in arguments:
        if argument == STDIN:
            pictures.append(Picture(STDIN, sys.stdin.buffer.read()))
        elif not os.path.isdir(argument):
            pictures.append(Picture(argument, argument))
        elif inside := list(_pictures_under(argument, left_out)):
            pictures += inside
        else:
            pictures.append(Picture(argument, argument, "this folder holds no images"))
    return Found(tuple(pictures), left_out)


def answers(
    locator: Locator, pictures: Sequence[Picture], top_k: int
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


def _pictures_under(folder: str, left_out: LeftOut) -> Iterator[Picture]:
    for path in sorted(_files_under(folder, left_out)):
        suffix = os.path.splitext(path)[1].lower()
        if _is_image(path) or suffix in SUFFIXES:
            yield Picture(path, path)
        elif suffix in UNREAD_SUFFIXES:
            yield Picture(path, path, UNREAD)
        else:
            left_out.strangers.append(path)


def _files_under(folder: str, left_out: LeftOut) -> Iterator[str]:
    """Paths of all files in a folder and its subfolders, but hidden ones and litter."""
    for path, folders, files in os.walk(folder):
        for name in filter(_is_litter, [*folders]):
            folders.remove(name)
            within = sum(len(each) for _, _, each in os.walk(os.path.join(path, name)))
            left_out.litter.update({name: within} if within else {})
        for name in files:
            if not _is_litter(name):
                yield os.path.join(path, name)
            else:
                left_out.litter["" if name.startswith(".") else name] += 1


def _counted(name: str, count: int) -> str:
    if not name:
        return f"{count} hidden"
    is_file = name.lower().endswith((".db", ".ini"))
    return f"{count} {name}" if is_file else f"{count} in {name}"


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in LITTER


def _is_image(path: str) -> bool:
    """By the first bytes."""
    from geowhy.images.formats import format_of

    if not os.path.isfile(path):  # a pipe would be emptied by a look
        return False
    try:
        with open(path, "rb") as file:
            format_of(file.read(256), path)
    except (OSError, ImageError):
        return False
    return True
