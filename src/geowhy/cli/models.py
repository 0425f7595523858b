"""``geowhy models``: which models and data there are, and how they come to this machine."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

__all__ = ["HELP", "add_arguments", "run"]

HELP = "List models and data, and get them; nothing is downloaded unless this command is asked to."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the verb takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|get")
    actions.add_parser("list", help="sizes, licences and sources, and what is here")
    get = actions.add_parser("get", help="download a model, check its SHA-256 and convert it")
    get.add_argument("name", metavar="NAME", help="one of the models that the list names")
    own = "a file or folder that you already have, instead of a download"
    get.add_argument("--from", dest="source", type=Path, metavar="PATH", help=own)


def run(given: Namespace) -> int:
    """List the models, or get one."""
    if given.action == "list":
        _list_models()
    else:
        _get_model(given.name, given.source)
    return 0


def _list_models() -> None:
    from geowhy.registry import EMBEDDED, assets, is_installed, resolve_model

    size_mb = sum(file.stat().st_size for file in resolve_model(EMBEDDED).iterdir()) / 1e6
    print(f"{EMBEDDED}: the default, for views from above; see MODEL_CARD.md")
    print(f"  {size_mb:,.0f} MB, MIT, part of geowhy; here")
    for asset in assets():
        get = "here" if is_installed(asset.name) else f"geowhy models get {asset.name}"
        print(f"{asset.name}: {asset.description}")
        print(f"  {asset.size_mb:,.0f} MB, {asset.licence}, from {asset.source}; {get}")


def _get_model(name: str, source: Path | None) -> None:
    from geowhy.registry import install

    folder = install(name, source, _say)
    print(f"{name} is in {folder}")


def _say(step: str) -> None:
    print(step, file=sys.stderr, flush=True)
