import hashlib
import io
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest

from geowhy.assets import packages
from geowhy.assets.fetch import PinnedWheel
from geowhy.assets.packages import PinnedArchive, PinnedPackages, fetch_packages, find_package
from geowhy.errors import ChecksumError, DownloadError

NPM_BYTES, DEBIAN_BYTES, WHEEL_BYTES = b"of npm", b"of Debian", b"a wheel"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


NPM = PinnedArchive(
    "npm", "@earth/tiles", "1.2.0", "https://npm.example/@earth/tiles/-/tiles-1.2.0.tgz",
    "*tiles-1.2.0.tgz", sha256(NPM_BYTES),
)  # fmt: skip
DEBIAN = PinnedArchive(
    "Debian", "earth-data", "4:1.0-1", "https://debian.example/pool/earth-data_1.0-1_all.deb",
    "earth-data_*1.0-1_all.deb", sha256(DEBIAN_BYTES),
)  # fmt: skip
WHEEL = PinnedWheel("earth", "2.0", sha256(WHEEL_BYTES))
BOTH = PinnedPackages((NPM, DEBIAN))
BY_CLIENT = {"npm": ("earth-tiles-1.2.0.tgz", NPM_BYTES),
             "apt-get": ("earth-data_4%3a1.0-1_all.deb", DEBIAN_BYTES)}  # fmt: skip
BY_ADDRESS = {NPM.url: NPM_BYTES, DEBIAN.url: DEBIAN_BYTES}


@pytest.fixture
def clients(monkeypatch):
    """npm and apt-get, those that are named in it; and what they were told."""
    there, told = {}, []

    def run(command, folder):
        told.append(command)
        if gives := there[Path(command[0]).name]:
            (folder / gives[0]).write_bytes(gives[1])

    monkeypatch.setattr(packages.shutil, "which", lambda n: f"/bin/{n}" if n in there else None)
    monkeypatch.setattr(packages, "_run", run)
    return there, told


@pytest.fixture
def net(monkeypatch):
    """What lies at which address, empty at first; and which were asked for."""
    there, asked = {}, []

    def urlopen(url, timeout):
        asked.append(url)
        if url not in there:
            raise URLError("no route")
        return io.BytesIO(there[url])

    monkeypatch.setattr(packages.urllib.request, "urlopen", urlopen)
    return there, asked


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_users_own_programs_are_asked_first(clients, net, tmp_path):
    clients[0].update(BY_CLIENT)
    steps = []
    assert fetch_packages(BOTH, tmp_path / "out", None, steps.append) == tmp_path / "out"
    assert names(tmp_path / "out") == ["earth-data_4%3a1.0-1_all.deb", "earth-tiles-1.2.0.tgz"]
    npm, apt = clients[1]
    assert npm[:2] == ["/bin/npm", "pack"]
    assert {"--ignore-scripts", "@earth/tiles@1.2.0"} <= set(npm)
    assert apt[:2] == ["/bin/apt-get", "download"]
    assert "earth-data=4:1.0-1" in apt
    assert steps == ["getting npm @earth/tiles@1.2.0", "getting Debian earth-data=4:1.0-1"]
    assert net[1] == []


@pytest.mark.parametrize("failing", [{}, {"npm": None, "apt-get": None}])
def test_without_them_files_come_from_their_addresses(clients, net, tmp_path, failing):
    clients[0].update(failing)
    net[0].update(BY_ADDRESS)
    folder = fetch_packages(BOTH, tmp_path / "out")
    assert find_package(NPM, folder).read_bytes() == NPM_BYTES
    assert find_package(DEBIAN, folder).read_bytes() == DEBIAN_BYTES
    assert len(clients[1]) == len(failing)


def test_what_has_come_waits_for_the_rest(clients, net, tmp_path):
    net[0][NPM.url] = NPM_BYTES
    with pytest.raises(DownloadError, match=r"earth-data=4:1\.0-1.*no route>\n.*--from DIR"):
        fetch_packages(BOTH, tmp_path / "out")
    assert names(tmp_path / "out") == ["tiles-1.2.0.tgz"]
    net[0][DEBIAN.url] = DEBIAN_BYTES
    fetch_packages(BOTH, tmp_path / "out")
    assert net[1].count(NPM.url) == 1


def test_a_file_that_was_spoilt_while_it_waited_is_fetched_anew(clients, net, tmp_path):
    net[0].update(BY_ADDRESS)
    fetch_packages(BOTH, tmp_path / "out")
    (tmp_path / "out" / "tiles-1.2.0.tgz").write_bytes(b"spoilt")
    fetch_packages(BOTH, tmp_path / "out")
    assert (tmp_path / "out" / "tiles-1.2.0.tgz").read_bytes() == NPM_BYTES


def test_another_content_is_refused_and_not_kept(clients, net, tmp_path):
    net[0].update({**BY_ADDRESS, NPM.url: b"forged"})
    with pytest.raises(ChecksumError, match=r"@earth/tiles@1\.2\.0.*expected"):
        fetch_packages(BOTH, tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_wheels_come_by_pip(clients, net, tmp_path, monkeypatch):
    def pip(*arguments):
        target = Path(arguments[arguments.index("--dest") + 1])
        (target / "earth-2.0-py3-none-any.whl").write_bytes(WHEEL_BYTES)
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr("geowhy.assets.fetch._pip", pip)
    folder = fetch_packages(PinnedPackages((WHEEL,)), tmp_path / "out")
    assert find_package(WHEEL, folder).read_bytes() == WHEEL_BYTES


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    for name, content in BY_CLIENT.values():
        (folder / name).write_bytes(content)
    (folder / "earth-2.0-py3-none-any.whl").write_bytes(WHEEL_BYTES)
    return folder


def test_given_files_are_checked_and_nothing_is_fetched(clients, net, given, tmp_path):
    clients[0].update(BY_CLIENT)
    steps, pinned = [], PinnedPackages((NPM, DEBIAN, WHEEL))
    assert fetch_packages(pinned, tmp_path / "out", given, steps.append) == given
    assert [step.split()[0] for step in steps] == ["checking"] * 3
    assert not (tmp_path / "out").exists()
    assert clients[1] == net[1] == []
    forged = PinnedPackages((replace(NPM, sha256="0" * 64),))
    with pytest.raises(ChecksumError, match=r"earth-tiles-1\.2\.0\.tgz is not the file of"):
        fetch_packages(forged, tmp_path / "out", given)


def test_a_given_folder_that_lacks_one_is_refused(given, tmp_path):
    (given / "earth-tiles-1.2.0.tgz").unlink()
    with pytest.raises(DownloadError, match=r"no file \*tiles-1\.2\.0\.tgz.*npm @earth/tiles"):
        fetch_packages(BOTH, tmp_path / "out", given)


def test_sources_are_said_in_words():
    pinned = PinnedPackages((WHEEL, NPM, DEBIAN))
    assert pinned.source == "PyPI earth==2.0, npm @earth/tiles@1.2.0, Debian earth-data=4:1.0-1"
