"""GeoCLIP by name: how it is put to work. Light, so that options list at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from geowhy.pretrained.entry import ModelOptions
from geowhy.pretrained.geoclip.options import CLIP, GEOCLIP, GeoClipOptions

if TYPE_CHECKING:
    from geowhy.arrays import Points
    from geowhy.engine import Engine

__all__ = ["GEOCLIP_ENTRY"]

PHOTOGRAPHS_AT_ONCE = 4  # they come in full size, 36 MB for 12 megapixels


@dataclass(frozen=True, slots=True)
class GeoClipEntry:
    """How GeoCLIP is loaded; see `geowhy.pretrained.entry.ModelEntry`."""

    name: str = GEOCLIP
    options: type[ModelOptions] = GeoClipOptions
    sources: tuple[str, ...] = (GEOCLIP, CLIP)

    def load(
        self,
        name_or_dir: str,
        places: Points | None,
        options: ModelOptions,
        tell: Callable[[str], None],
    ) -> Engine:
        """With its own gallery, or with ``places`` ``[M, 2]``, which are embedded once."""
        from geowhy.engine import Engine, InputPolicy
        from geowhy.heads.retrieval import RetrievalHead
        from geowhy.pretrained.geoclip.released import (
            UNCALIBRATED,
            ReleasedGeoClip,
            check_installed,
        )

        wanted = cast("GeoClipOptions", options)
        check_installed()
        released = ReleasedGeoClip.load(wanted.concepts)
        gallery = released.gallery(places, tell)
        model = released.with_clip(wanted.precision)
        # GeoCLIP's numbers are those of the whole picture, shrunk once.
        policy = InputPolicy(None, PHOTOGRAPHS_AT_ONCE, wanted.crops)
        return Engine(model, gallery, UNCALIBRATED, None, head=RetrievalHead, inputs=policy)

    def digest(self, name_or_dir: str) -> str:
        """Of the location encoder's weights."""
        from geowhy.assets.files import sha256_of
        from geowhy.registry import require

        return sha256_of(require(GEOCLIP) / "location.safetensors")


GEOCLIP_ENTRY = GeoClipEntry()
