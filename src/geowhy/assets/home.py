"""The folder on this machine in which whatever geowhy was asked to get is kept."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["home_folder"]


def home_folder() -> Path:
    """``$GEOWHY_HOME``, else ``geowhy`` in the user's cache folder."""
    if chosen := os.environ.get("GEOWHY_HOME"):
        return Path(chosen).expanduser()
    return user_cache_path("geowhy", appauthor=False, opinion=False)
