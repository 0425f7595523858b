"""Files that verbs write, and what stands behind a page: model, places, data, faithfulness."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from geowhy.assets.files import appearing_whole
from geowhy.errors import DataError
from geowhy.locator import Examined, Locator
from geowhy.pretrained.catalogue import entry_of
from geowhy.registry import ASSETS
from geowhy.render.report import Provenance, ReportEntry, html_report
from geowhy.render.wording import scope_sentence

__all__ = ["FIGURES", "check_output", "provenance_of", "write_explained", "write_whole"]

FIGURES = Path(__file__).parent.parent / "data" / "faithfulness"
ATLAS = "Concepts: geowhy's atlas of open layers; each is named in NOTICE.md"


def check_output(path: Path, kinds: tuple[str, ...] = (), wrong: str = "") -> None:
    """Refuses a file that can't be written, before minutes of work.

    Raises:
        DataError: if its name ends in none of ``kinds``, said as ``wrong``, or it has no folder.
    """
    if kinds and path.suffix.lower() not in kinds:
        raise DataError(f"{path}: {wrong}: end the name in {', '.join(kinds)}")
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}: make it or choose another")


def write_whole(path: Path, content: str | bytes, what: str = "") -> None:
    """Writes a file whole or not at all: an older one stays until then.

    Raises:
        DataError: if it, or ``what`` it is, can't be written.
    """
    try:
        with appearing_whole(path) as partial:
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise DataError(
            f"{path}: {what}can't be written ({error.strerror}); choose another --output"
        ) from error


def write_explained(
    path: Path, explained: Sequence[Examined], locator: Locator, name_or_dir: str
) -> None:
    """A page of everything about some pictures, with maps.

    Raises:
        DataError: if it can't be written.
    """
    entries = [ReportEntry(each.prediction, each.pixels, each.density) for each in explained]
    write_whole(path, html_report(entries, provenance=provenance_of(locator, name_or_dir)))


def provenance_of(locator: Locator, name_or_dir: str) -> Provenance:
    """Of a locator that was loaded by this name or from this folder.

    Raises:
        DataError: if the packaged figures of its faithfulness can't be read.
    """
    entry = entry_of(name_or_dir)
    digest = entry.digest(name_or_dir)
    scope = locator.engine.scope
    narrowed = scope_sentence(scope).rstrip(".")
    chosen = f"; {narrowed[:1].lower()}{narrowed[1:]}" if narrowed else ""
    fitted = "fitted on held-out validation images" if locator.engine.calibration.is_fitted else ""
    by_name = {asset.name: asset for asset in ASSETS}
    used = [by_name[name] for name in entry.sources if name_or_dir == entry.name]
    return Provenance(
        model=locator.name,
        digest=f"sha256 {digest[:16]}…",
        version=version("geowhy"),
        gallery=f"{'given places' if scope.is_own else 'places on land'}{chosen}",
        places=scope.places,
        calibration=fitted or "the model's own word; how often it holds was never measured",
        sources=(*(f"{a.description}: {a.licence}, from {a.source}" for a in used), ATLAS),
        faithfulness=_figures(entry.name, digest),
    )


def _figures(name: str, digest: str) -> tuple[tuple[str, str], ...]:
    """What was measured of just this model; nothing of another one with its name."""
    file = FIGURES / f"{name}.json"
    if not file.is_file():
        return ()
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        figures = tuple((str(title), str(value)) for title, value in said["figures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: can't be read ({error}): install geowhy again") from error
    return figures if said.get("config_sha256") == digest else ()
