"""``geowhy models``: which models and data there are, and how they come to this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from geowhy.cli.options import option, say

__all__ = [
    "GET_HELP",
    "HELP",
    "LIST_HELP",
    "GetOptions",
    "ListOptions",
    "get_model",
    "list_models",
]

HELP = "List models and data, and get them; nothing is downloaded unless this command is asked to."
LIST_HELP = "Sizes, licences and sources, and what is here."
GET_HELP = "Download a model, check its SHA-256 and convert it."


@dataclass(frozen=True)
class ListOptions:
    """``geowhy models list`` takes nothing."""


@dataclass(frozen=True, kw_only=True)
class GetOptions:
    """What ``geowhy models get`` takes."""

    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of the models that the list names.")
    ]
    source: Annotated[
        Path | None,
        option(
            "--from",
            help="A file or folder that you already have, instead of a download.",
            metavar="PATH",
        ),
    ] = None


def list_models(given: ListOptions) -> int:
    """List them."""
    from geowhy.registry import ASSETS, EMBEDDED, is_installed, resolve_model

    size_mb = sum(file.stat().st_size for file in resolve_model(EMBEDDED).iterdir()) / 1e6
    print(f"{EMBEDDED}: the default, for views from above; see MODEL_CARD.md")
    print(f"  {size_mb:,.0f} MB, MIT, part of geowhy; here")
    for asset in ASSETS:
        get = "here" if is_installed(asset.name) else f"geowhy models get {asset.name}"
        print(f"{asset.name}: {asset.description}")
        print(f"  {asset.size_mb:,.0f} MB, {asset.licence}, from {asset.source}; {get}")
    return 0


def get_model(given: GetOptions) -> int:
    """Get one."""
    from geowhy.registry import install

    folder = install(given.name, given.source, say)
    print(f"{given.name} is in {folder}")
    return 0
