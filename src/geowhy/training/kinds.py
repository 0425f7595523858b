"""What ``geowhy train`` trains, by the ``kind`` that a configuration states."""

from __future__ import annotations

import tomllib
from pathlib import Path

from geowhy.errors import ConfigError
from geowhy.training.orbit.run import train_orbit
from geowhy.training.run import train as train_alignment

__all__ = ["train"]


def train(
    config_path: Path, output: Path | None = None, device: str = "cpu", resume: bool = False
) -> Path:
    """Trains what a configuration is of, and gives the folder of the model.

    Raises:
        ConfigError: if the configuration can't be read, or is of no kind that geowhy trains.
        GeowhyError: as the training of that kind raises.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint to resume from.
    """
    kinds = {"alignment": train_alignment, "orbit": train_orbit}
    kind = _kind(config_path)
    if kind not in kinds:
        raise ConfigError(f"{config_path}: kind {kind!r}: give one of {', '.join(kinds)}")
    return kinds[kind](config_path, output, device, resume)


def _kind(path: Path) -> str:
    """As the file states it; whatever else is wrong with a file, the training of its kind says."""
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("kind", "alignment"))
    except (OSError, ValueError):
        return "alignment"
