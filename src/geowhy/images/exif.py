"""Where a camera says that it was: the GPS position in an image's EXIF block."""

from __future__ import annotations

from geowhy.errors import ImageError
from geowhy.images.gps import CameraPosition, position_in
from geowhy.images.ifd import read_directory
from geowhy.images.reading import ImageSource, exif_block, name_of

__all__ = ["CameraPosition", "read_position"]


def read_position(source: ImageSource, *, name: str | None = None) -> CameraPosition | None:
    """The position in an image's metadata; None if there is none.

    A camera without a fix writes empty ratios or 0°, 0°: both count as none. A position that is
    there but can't be a place is an error, because silence would pass for "no position".

    Raises:
        ImageError: if the image can't be opened, or its position is broken.
    """
    name = name_of(source) if name is None else name
    with exif_block(source, name=name) as block:
        try:
            return position_in(read_directory(block))
        except ValueError as error:
            reason = f"its GPS position can't be used: {error}; correct or remove it"
            raise ImageError(name, reason) from None
