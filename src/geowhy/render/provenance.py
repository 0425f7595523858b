"""What is behind the answers of a page: model, gallery, calibration, data, and how faithful."""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.render.page_html import text

__all__ = ["Provenance", "provenance_section"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made the answers; what is empty is left out.

    Attributes:
        model: its name.
        digest: of its weights or of its folder, such as "sha256 1f2e…".
        version: of geowhy.
        gallery: the places it chooses among, in words.
        places: how many they are; 0 if unknown.
        calibration: what its radii and probabilities were fitted on, in words.
        sources: data that it was made of, and their licences, a line each.
        faithfulness: how far explanations agree with what the model does: what was measured, and
            the figure, ready to be shown.
    """

    model: str
    digest: str = ""
    version: str = ""
    gallery: str = ""
    places: int = 0
    calibration: str = ""
    sources: tuple[str, ...] = ()
    faithfulness: tuple[tuple[str, str], ...] = ()


def provenance_section(provenance: Provenance) -> str:
    """The section of a page."""
    return (
        '<section class="behind" aria-labelledby="behind"><h2 id="behind">Behind these answers</h2>'
        f'<div class="halves"><div>{_facts(provenance)}{_sources(provenance.sources)}</div>'
        f"{_faithfulness(provenance.faithfulness)}</div></section>"
    )


def _facts(provenance: Provenance) -> str:
    gallery = provenance.gallery
    if provenance.places:
        counted = f"{provenance.places:,} places"
        gallery = f"{gallery}, {counted}" if gallery else counted
    facts = (
        ("Model", provenance.model),
        ("Digest", provenance.digest),
        ("geowhy", provenance.version),
        ("Places it chooses among", gallery),
        ("Radii and probabilities", provenance.calibration),
    )
    items = "".join(
        f"<div><dt>{title}</dt><dd>{text(value)}</dd></div>" for title, value in facts if value
    )
    return f'<h3>Model</h3><dl class="lines">{items}</dl>'


def _sources(sources: tuple[str, ...]) -> str:
    items = "".join(f"<li>{text(line)}</li>" for line in sources)
    return f"<h3>Data</h3><ul>{items}</ul>" if items else ""


def _faithfulness(figures: tuple[tuple[str, str], ...]) -> str:
    if not figures:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{text(title)}</th><td class="number">{text(value)}</td></tr>'
        for title, value in figures
    )
    return (
        "<div><h3>How faithful the explanations are</h3><table><thead class='unseen'><tr>"
        "<th scope='col'>Measured</th><th scope='col'>Figure</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
