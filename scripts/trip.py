"""Counts the trip of a command through the package's modules: how far a reader has to turn pages.

A stay is an unbroken run of calls within one module, a room a module that is entered at all, and a
return an entry to a module that was left before. As run, every call counts, also of loops. As read,
each function counts once, when it is first called: one who follows the code reads it then. By
default the trip is that of ``geowhy explain`` for a demo view::

    python scripts/trip.py
    python scripts/trip.py locate view.png --explain

Calls are counted, and not imports: what a module does as it is loaded is no part of the trip.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType

import geowhy
from geowhy.cli.main import main as geowhy_command

SOURCE = Path(geowhy.__file__).parent
VIEW = Path(__file__).parent.parent / "tests" / "data" / "views" / "view-africa.png"


def main() -> None:
    """Runs the command once, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="of geowhy (default: explain)")
    words = parser.parse_args().command or ["explain", str(VIEW)]
    run, read = trip(words)
    shown = " ".join(Path(word).name if word == str(VIEW) else word for word in words)
    print(f"geowhy {shown}")
    print(f"{'':<32}{'as read':>10}{'as run':>10}")
    print(f"{'stays':<32}{len(read):>10,}{len(run):>10,}")
    print(f"{'rooms':<32}{rooms(read):>10,}{rooms(run):>10,}")
    print(f"{'returns':<32}{returns(read):>10,}{returns(run):>10,}")
    entries, entered = Counter(read), Counter(run)
    print("entries to each room")
    for room, count in entered.most_common():
        print(f"{room:<32}{entries[room]:>10,}{count:>10,}")


def trip(words: list[str]) -> tuple[list[str], list[str]]:
    """The modules of the package through which a command goes, stay by stay: as run, as read.

    Only the main thread is followed: others read images ahead, in no fixed order.
    """
    run: list[str] = []
    read: list[str] = []
    known: set[CodeType] = set()

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if event not in ("call", "return") or _is_import(frame):
            return
        here = frame if event == "call" else frame.f_back
        while here is not None and not _room(here):
            here = here.f_back  # what other packages do belongs to the module that asked them
        if here is None or _is_import(here):
            return
        run.append(_room(here))
        if here is frame and frame.f_code not in known:
            known.add(frame.f_code)
            read.append(_room(frame))

    with contextlib.redirect_stdout(io.StringIO()):
        sys.setprofile(watch)
        try:
            geowhy_command(words)
        finally:
            sys.setprofile(None)
    return _stays(run), _stays(read)


def _stays(visits: list[str]) -> list[str]:
    return [room for room, _ in groupby(visits)]


def rooms(stays: list[str]) -> int:
    """Modules that are entered at all."""
    return len(set(stays))


def returns(stays: list[str]) -> int:
    """Entries to a module that was left before."""
    return len(stays) - len(set(stays))


def _is_import(frame: FrameType) -> bool:
    """Whether it is the body of a module or of a class."""
    return not frame.f_code.co_flags & inspect.CO_OPTIMIZED


def _room(frame: FrameType) -> str:
    """The module of the package that a frame is in; empty elsewhere."""
    file = frame.f_code.co_filename
    if not file.startswith(str(SOURCE)):
        return ""
    return ".".join(Path(file).relative_to(SOURCE).with_suffix("").parts)


if __name__ == "__main__":
    main()
