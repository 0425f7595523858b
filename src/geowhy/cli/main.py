"""The command ``geowhy``.

Only the standard library is imported until a verb runs, so ``--help`` answers at once. For the same
reason the arguments are read by argparse: typer takes 0.12 s and brings in pydantic and rich.
"""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol

from geowhy.cli import concepts, demo, evaluate, explain, locate, models, rules, train
from geowhy.errors import GeowhyError
from geowhy.render.wording import plainly

__all__ = ["main"]

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130  # as shells report SIGINT
PIPE_CLOSED = 141  # as shells report SIGPIPE


class Verb(Protocol):
    """What the module of a verb holds; its docstring is not for users, ``HELP`` is."""

    HELP: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what the verb takes."""

    def run(self, given: Namespace) -> int:
        """Do it, and return the exit status."""


VERBS: dict[str, Verb] = {
    "locate": locate,
    "explain": explain,
    "train": train,
    "evaluate": evaluate,
    "models": models,
    "concepts": concepts,
    "rules": rules,
    "demo": demo,
}

SIGNED = ("--what-if", "--against", "--region")  # their values may begin with a minus
FILE_LIKE_OPTION = re.compile(r"-[^=]*\.[A-Za-z]\w*")  # -dash.png; no option has a dot
SHIELD = "\0"  # no argument of a process can hold it
HAVE_SUBVERBS = {"models", "concepts"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, by default with the arguments of the process.

    Returns:
        the exit status: 0, 1 if something couldn't be done, 130 after Ctrl-C, 141 if the reader of
        the output went away. Wrong usage ends the process with status 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a sign shows a "?" instead of ending the program.
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    verb, given = _understood(words)
    return _guarded(verb, given)


def _understood(words: list[str]) -> tuple[Verb, Namespace]:
    """The verb and its arguments; ends the process if there is nothing to run."""
    if not words:
        _overview().print_help()
        raise SystemExit(WRONG_USAGE)
    if words[0] not in VERBS:
        _overview().parse_args(words)  # --help and --version, or an error that lists the verbs
    verb = VERBS[words[0]]
    parser = ArgumentParser(f"geowhy {words[0]}", description=verb.HELP, allow_abbrev=False)
    verb.add_arguments(parser)
    if words[0] in HAVE_SUBVERBS:  # argparse can't have both
        return verb, parser.parse_args(words[1:])
    joined = _joined(words[1:])
    options = joined[: joined.index("--")] if "--" in joined else joined
    for word in filter(FILE_LIKE_OPTION.fullmatch, options):
        parser.error(f"{word} is taken for an option: for the file, write ./{word} or -- {word}")
    given = parser.parse_intermixed_args(_shielded(joined))
    for name, value in vars(given).items():
        if isinstance(value, list):
            setattr(given, name, [_bare(each) for each in value])
        else:
            setattr(given, name, _bare(value))
    return verb, given


def _shielded(words: list[str]) -> list[str]:
    """Words with those after "--" marked as no options.

    Intermixed parsing drops the "--" on its first pass and takes "-dash.png" for an option on its
    second.
    """
    if "--" not in words:
        return words
    end = words.index("--")
    return [*words[:end], *(SHIELD + word for word in words[end + 1 :])]


def _bare(value: object) -> object:
    """What was parsed, without the mark."""
    if isinstance(value, Path):
        return Path(str(value).removeprefix(SHIELD))
    return value.removeprefix(SHIELD) if isinstance(value, str) else value


def _joined(words: list[str]) -> list[str]:
    """``--what-if -desert`` as one word, for argparse takes "-desert" for an option."""
    joined: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            return joined + words[at:]
        if joined and joined[-1] in SIGNED and word[:1] in "-−" and not word.startswith("--"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _overview() -> ArgumentParser:
    from importlib.metadata import version  # reads e-mail headers: slow to import

    parser = ArgumentParser(
        "geowhy",
        description="Where on Earth an image was taken, and why the model thinks so.",
        epilog="geowhy VERB --help says what a verb takes.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"geowhy {version('geowhy')}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        verbs.add_parser(name, help=verb.HELP.partition(";")[0].rstrip("."))
    return parser


def _guarded(verb: Verb, given: Namespace) -> int:
    """Run a verb; what goes wrong becomes a line and an exit status."""
    try:
        status = verb.run(given)
        sys.stdout.flush()  # a closed pipe shows here and not after the exit
    except GeowhyError as error:
        print(f"geowhy: {plainly(' '.join(str(error).split()))}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return PIPE_CLOSED
    except OSError as error:
        # A full disk, a folder that can't be written: files appear whole or not at all, so the
        # same command can be run again.
        where = f"{error.filename}: " if error.filename else ""
        reason = f"{where}{error.strerror or error}; free space or choose another folder"
        print(f"geowhy: {plainly(reason)}, then run the same command again", file=sys.stderr)
        return FAILED
    return status


def _forget_stdout() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, so the exit is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
