import numpy as np
import pytest

from geowhy.assets import archives
from geowhy.assets.archives import read_members
from geowhy.errors import DataError

from .archive_makers import deb_of, tar_of

LAND = np.random.default_rng(0).bytes(4000)  # can't be compressed
FILES = {"usr/share/map.jpg": LAND, "usr/share/other.jpg": b"sea"}


@pytest.fixture(params=["tgz", "deb", "deb.gz"])
def package(request, tmp_path):
    path = tmp_path / f"package.{request.param}"
    path.write_bytes(
        {
            "tgz": lambda: tar_of(FILES, "gz"),
            "deb": lambda: deb_of(FILES),
            "deb.gz": lambda: deb_of(FILES, "gz"),
        }[request.param]()
    )
    return path


def test_files_come_out_by_their_paths(package):
    assert read_members(package, ["usr/share/map.jpg"]) == {"usr/share/map.jpg": LAND}
    assert read_members(package, list(FILES)) == FILES


def test_a_missing_file_is_named(package):
    with pytest.raises(DataError, match="no file usr/share/gone"):
        read_members(package, ["usr/share/map.jpg", "usr/share/gone.jpg"])


def test_a_folder_is_no_file(package):
    with pytest.raises(DataError, match="no file a-folder"):
        read_members(package, ["a-folder"])


def test_an_absurd_file_is_refused(package, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 100)
    assert read_members(package, ["usr/share/other.jpg"])
    with pytest.raises(DataError, match=r"map\.jpg claims 4000 bytes"):
        read_members(package, ["usr/share/map.jpg"])


def test_damage_is_said(package):
    package.write_bytes(package.read_bytes()[:2000])
    with pytest.raises(DataError, match="can't be unpacked"):
        read_members(package, list(FILES))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no archive at all", "can't be unpacked"),
        (b"!<arch>\n", r"no data\.tar"),
        (b"!<arch>\n" + b"x" * 80, r"no data\.tar"),
        (deb_of({}, "zst", b"\x28\xb5\x2f\xfd"), "can't be unpacked"),
    ],
)
def test_what_is_no_package_is_refused(tmp_path, content, complaint):
    path = tmp_path / "package.deb"
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        read_members(path, ["a"])
