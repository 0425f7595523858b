"""What stands behind a page: the model, its places, its data, and how faithful it was measured."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from geowhy.assets.fetch import sha256_of
from geowhy.errors import DataError
from geowhy.heads.geoclip import CLIP, GEOCLIP
from geowhy.locator import Locator
from geowhy.registry import EMBEDDED, assets, require, resolve_model
from geowhy.render.provenance import Provenance

__all__ = ["FIGURES", "provenance_of"]

FIGURES = Path(__file__).parent.parent / "data" / "faithfulness"
SHOWN_DIGITS = 16
SOURCES = {
    EMBEDDED: ("blue-marble", "efficientnet-lite2"),
    GEOCLIP: (GEOCLIP, CLIP),
}
ATLAS = "Concepts: geowhy's atlas of open layers; each is named in NOTICE.md"


def provenance_of(locator: Locator, name_or_dir: str) -> Provenance:
    """Of a locator that was loaded by this name or from this folder."""
    digest = _digest(name_or_dir)
    scope = f"; {locator.engine.gallery.scope}" if locator.engine.gallery.scope else ""
    fitted = "fitted on held-out validation images" if locator.engine.calibration.is_fitted else ""
    return Provenance(
        model=locator.name,
        digest=f"sha256 {digest[:SHOWN_DIGITS]}…",
        version=version("geowhy"),
        gallery=f"places on land{scope}",
        places=len(locator.engine.gallery.lat_lon),
        calibration=fitted or "the model's own word; how often it holds was never measured",
        sources=(*map(_source, SOURCES.get(locator.name, ())), ATLAS),
        faithfulness=_figures(locator.name, digest),
    )


def _digest(name_or_dir: str) -> str:
    """Of a model's configuration, which names the digests of all its files; or of weights."""
    if name_or_dir == GEOCLIP:
        return sha256_of(require(GEOCLIP) / "location.safetensors")
    return sha256_of(resolve_model(name_or_dir) / "config.json")


def _source(name: str) -> str:
    asset = next(each for each in assets() if each.name == name)
    return f"{asset.description}: {asset.licence}, from {asset.source}"


def _figures(name: str, digest: str) -> tuple[tuple[str, str], ...]:
    """What was measured of just this model; nothing of another one with its name.

    Raises:
        DataError: if the packaged figures can't be read.
    """
    file = FIGURES / f"{name}.json"
    if not file.is_file():
        return ()
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        figures = tuple((str(title), str(value)) for title, value in said["figures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: can't be read ({error}): install geowhy again") from error
    return figures if said.get("config_sha256") == digest else ()
