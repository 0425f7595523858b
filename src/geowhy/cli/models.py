"""``geowhy models``: what there is, and how to get it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowhy.cli.options import option, say

__all__ = ["HELP", "VERBS"]

HELP = "List models and data, and get them; nothing is downloaded unless this command is asked to."


def _list() -> None:
    """Sizes, licences and sources, and what is here."""
    from geowhy.registry import ASSETS, EMBEDDED, is_installed, resolve_model

    size_mb = sum(file.stat().st_size for file in resolve_model(EMBEDDED).iterdir()) / 1e6
    print(f"{EMBEDDED}: the default, for views from above; see MODEL_CARD.md")
    print(f"  {size_mb:,.0f} MB, MIT, part of geowhy; here")
    for asset in ASSETS:
        get = "here" if is_installed(asset.name) else f"geowhy models get {asset.name}"
        print(f"{asset.name}: {asset.description}")
        print(f"  {asset.size_mb:,.0f} MB, {asset.licence}, from {asset.source}; {get}")


def _get(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of the models that the list names.")
    ],
    source: Annotated[
        Path | None,
        option(
            "--from",
            help="A file or folder that you already have, instead of a download.",
            metavar="PATH",
        ),
    ] = None,
) -> None:
    """Download a model, check its SHA-256 and convert it."""
    from geowhy.registry import install

    print(f"{name} is in {install(name, source, say)}")


VERBS = (_list, _get)
