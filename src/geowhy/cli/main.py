"""The command ``geowhy``.

Nothing heavy is imported until a verb runs, so ``--help`` answers at once.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from io import TextIOWrapper
from typing import Annotated, Any

import typer

from geowhy.cli import concepts, demo, evaluate, explain, locate, models, rules, train
from geowhy.cli.options import Verb, option
from geowhy.errors import GeowhyError
from geowhy.pretrained.catalogue import choices, entries
from geowhy.render.wording import plainly

__all__ = ["main"]

FAILED = 1
WRONG_USAGE = 2
FILE_LIKE_OPTION = re.compile(r"-[^=]*\.[A-Za-z]\w*")  # -dash.png; no option has a dot


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, by default with the arguments of the process.

    Returns:
        the exit status: 0, 1 if something couldn't be done, 2 after wrong usage, 130 after Ctrl-C,
        141 if the reader of the output went away.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a sign shows a "?" instead of ending the program.
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Made anew each time, for models may have been registered.
    files = (locate, explain, train, evaluate, rules, demo)
    verbs = [verb for file in files for verb in file.VERBS]
    app = _app(_overview.__doc__, verbs)
    app.callback()(_overview)
    app.add_typer(_app(models.HELP, models.VERBS), name="models")
    app.add_typer(_app(concepts.HELP, concepts.VERBS), name="concepts")
    try:
        app(args=words or ["--help"], prog_name="geowhy")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else FAILED
        if status == WRONG_USAGE:
            options = words[: words.index("--")] if "--" in words else words
            for word in map(plainly, filter(FILE_LIKE_OPTION.fullmatch, options)):
                reason = f"{word} is taken for an option: for the file, write ./{word} or -- {word}"
                print(f"geowhy: {reason}", file=sys.stderr)
        return status if words else WRONG_USAGE
    return 0


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # reads e-mail headers: slow to import

        print(f"geowhy {version('geowhy')}")
        raise typer.Exit


def _overview(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Where on Earth an image was taken, and why the model thinks so."""


def _app(help_text: str | None, verbs: Iterable[Verb]) -> typer.Typer:
    app = typer.Typer(
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode=None,  # rich would take 0.1 s for a help that looks no better here
        pretty_exceptions_enable=False,
    )
    for run in verbs:
        told = inspect.getdoc(run) or ""
        short = told.partition("\n")[0].rstrip(".")
        app.command(run.__name__[1:], help=" ".join(told.split()), short_help=short)(_guarded(run))
    return app


def _guarded(run: Verb) -> Callable[..., None]:
    """A verb as typer takes it; what goes wrong becomes a line and an exit status.

    One that takes ``**of_model`` has the options of all models.
    """

    def call(**given: object) -> None:
        try:
            status = run(**given) or 0
            sys.stdout.flush()  # a closed pipe shows here and not after the exit
        except GeowhyError as error:
            print(f"geowhy: {plainly(' '.join(str(error).split()))}", file=sys.stderr)
            status = FAILED
        except KeyboardInterrupt:
            status = 130  # as shells report SIGINT
        except BrokenPipeError:
            # Nobody reads any more: what is still buffered goes nowhere, so the exit is quiet.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 141  # as shells report SIGPIPE
        except OSError as error:
            # A full disk, a folder that can't be written: files appear whole or not at all, so the
            # same command can be run again.
            where = f"{error.filename}: " if error.filename else ""
            reason = f"{where}{error.strerror or error}; free space or choose another folder"
            print(f"geowhy: {plainly(reason)}, then run the same command again", file=sys.stderr)
            status = FAILED
        raise typer.Exit(status)

    parameters = list(inspect.signature(run, eval_str=True).parameters.values())
    if parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD:
        parameters[-1:] = _options_of_models()
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call


def _options_of_models() -> Iterator[inspect.Parameter]:
    """What single models let one choose; None for what isn't chosen.

    Models may share an option's name: all their words are read, and the model says what it takes.
    """
    words: dict[str, dict[str, object]] = {}
    helps: dict[str, list[str]] = {}
    for entry in entries():
        help_of = {each.name: each.metadata["help"] for each in fields(entry.options)}
        for name, allowed in choices(entry.options).items():
            words.setdefault(name, {}).update({str(each): each for each in allowed})
            helps.setdefault(name, []).append(f"{entry.name}: {help_of[name]}")
    for name, known in words.items():
        shown = "; ".join(helps[name])
        choice: Any = option(help=f"{shown}.", parser=_one_of(known), metavar="|".join(known))
        annotation = Annotated[str | None, choice]
        kind = inspect.Parameter.KEYWORD_ONLY
        yield inspect.Parameter(name, kind, default=None, annotation=annotation)


def _one_of(words: dict[str, object]) -> Callable[[str], object]:
    def read(word: str) -> object:
        if word not in words:
            raise typer.BadParameter(f"{word!r} is none of {', '.join(words)}")
        return words[word]

    return read
