"""The command ``geowhy``.

Nothing heavy is imported until a verb runs, so ``--help`` answers at once.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from io import TextIOWrapper
from typing import Annotated

import typer

from geowhy.cli import concepts, demo, evaluate, explain, locate, models, rules, train
from geowhy.cli.options import add_verb
from geowhy.errors import GeowhyError
from geowhy.render.wording import plainly

__all__ = ["main"]

FAILED = 1
WRONG_USAGE = 2
FILE_LIKE_OPTION = re.compile(r"-[^=]*\.[A-Za-z]\w*")  # -dash.png; no option has a dot
INTERRUPTED = 130  # as shells report SIGINT
PIPE_CLOSED = 141  # as shells report SIGPIPE


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
    try:
        _app()(args=words or ["--help"], prog_name="geowhy")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else FAILED
        if status == WRONG_USAGE:
            _explain_files_taken_for_options(words)
        return status if words else WRONG_USAGE
    return 0


def _explain_files_taken_for_options(words: list[str]) -> None:
    options = words[: words.index("--")] if "--" in words else words
    for word in filter(FILE_LIKE_OPTION.fullmatch, options):
        reason = f"{word} is taken for an option: for the file, write ./{word} or -- {word}"
        print(f"geowhy: {plainly(reason)}", file=sys.stderr)


def _app() -> typer.Typer:
    """The verbs; made anew each time, for models may have been registered."""
    app = _group("Where on Earth an image was taken, and why the model thinks so.")
    app.callback()(_overview)
    verb = partial(add_verb, guarded=_guarded)
    verb(app, "locate", locate.HELP, locate.LocateOptions, locate.run)
    verb(app, "explain", explain.HELP, explain.ExplainOptions, explain.run)
    verb(app, "train", train.HELP, train.TrainOptions, train.run)
    verb(app, "evaluate", evaluate.HELP, evaluate.EvaluateOptions, evaluate.run)
    of_models = _group(models.HELP)
    verb(of_models, "list", models.LIST_HELP, models.ListOptions, models.list_models)
    verb(of_models, "get", models.GET_HELP, models.GetOptions, models.get_model)
    app.add_typer(of_models, name="models")
    of_concepts = _group(concepts.HELP)
    for name, help_text, options, run in concepts.VERBS:
        verb(of_concepts, name, help_text, options, run)
    app.add_typer(of_concepts, name="concepts")
    verb(app, "rules", rules.HELP, rules.RulesOptions, rules.run)
    verb(app, "demo", demo.HELP, demo.DemoOptions, demo.run)
    return app


def _group(help_text: str) -> typer.Typer:
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode=None,  # rich would take 0.1 s for a help that looks no better here
        pretty_exceptions_enable=False,
    )


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


def _guarded(run: Callable[[], int]) -> int:
    """Run a verb; what goes wrong becomes a line and an exit status."""
    try:
        status = run()
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
