import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from geowhy.assets import fetch
from geowhy.assets.fetch import PinnedFile, PinnedSnapshot, fetch_snapshot
from geowhy.errors import ChecksumError, DownloadError, MissingExtraError

REVISION = "32bd64288804d66eefd0ccbe215aa642df71cc41"
CONTENTS = {"model.safetensors": bytes(range(256)) * 40, "config.json": b'{"a": 1}'}


def digest(content):
    return hashlib.sha256(content).hexdigest()


def pinned(contents=CONTENTS):
    big = "model.safetensors"
    files = tuple(
        PinnedFile(name, digest(content), len(content) if name == big else None)
        for name, content in contents.items()
    )
    return PinnedSnapshot("someone/clip", REVISION, files)


class Hub(BaseHTTPRequestHandler):
    """Plays the hub: ETag, commit, ranges; may break off after some bytes."""

    def do_GET(self):
        server, name = self.server, self.path.rsplit("/", 1)[1]
        server.seen.append((self.path, self.headers.get("Range"), self.headers["Authorization"]))
        if server.broken:
            self.send_error(503)
            return
        content = server.contents[name]
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{digest(content)}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            total = len(content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        end = start + server.break_after if server.break_after else None
        server.broken = server.break_after is not None
        self.wfile.write(content[start:end])

    def log_message(self, *_):
        pass


def point_to(monkeypatch, port):
    template = f"http://127.0.0.1:{port}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setenv("HF_TOKEN", "secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.contents, server.seen = dict(CONTENTS), []
        server.broken, server.break_after = False, None
        point_to(monkeypatch, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_pinned_files_are_downloaded_without_a_token(server, tmp_path):
    steps = []
    folder = fetch_snapshot(pinned(), tmp_path / "d", None, steps.append)
    assert {name: (folder / name).read_bytes() for name in names(folder)} == CONTENTS
    root = f"/someone/clip/resolve/{REVISION}"
    assert server.seen == [(f"{root}/{name}", None, None) for name in CONTENTS]
    assert steps == ["getting model.safetensors", "getting config.json"]


def test_a_broken_off_download_is_gone_on_with_by_the_next_call(server, tmp_path):
    server.break_after = 5000
    with pytest.raises(DownloadError, match=r"goes on from here[\s\S]*--from PATH"):
        fetch_snapshot(pinned(), tmp_path / "d")
    assert names(tmp_path / "d") == ["model.safetensors.part"]
    server.broken, server.break_after = False, None
    server.seen.clear()
    folder = fetch_snapshot(pinned(), tmp_path / "d")
    assert server.seen[0][1] == "bytes=5000-"
    assert {name: (folder / name).read_bytes() for name in names(folder)} == CONTENTS


def test_what_is_whole_is_not_downloaded_again(server, tmp_path):
    for _ in range(2):
        fetch_snapshot(pinned(), tmp_path / "d")
    assert len(server.seen) == len(CONTENTS)


@pytest.mark.parametrize("length", [10240, 20000])
def test_a_leftover_of_full_length_or_more_does_not_stop_the_download(server, tmp_path, length):
    (tmp_path / "model.safetensors.part").write_bytes(b"x" * length)
    if length == 10240:
        with pytest.raises(ChecksumError):
            fetch_snapshot(pinned(), tmp_path)
    folder = fetch_snapshot(pinned(), tmp_path)
    assert (folder / "model.safetensors").read_bytes() == CONTENTS["model.safetensors"]


@pytest.mark.parametrize("name", CONTENTS)
def test_a_finished_file_of_another_content_is_deleted(server, tmp_path, name):
    server.contents[name] = CONTENTS[name][:-1] + b"!"
    with pytest.raises(ChecksumError, match=rf"{name} of someone/clip@32bd64288804: .*expected"):
        fetch_snapshot(pinned(), tmp_path)
    assert f"{name}.part" not in names(tmp_path)
    assert name not in names(tmp_path)


def test_no_hub_at_all_is_an_error_with_a_remedy(tmp_path, server, monkeypatch):
    point_to(monkeypatch, 9)
    with pytest.raises(DownloadError, match="Check the connection"):
        fetch_snapshot(pinned(), tmp_path)


def test_ctrl_c_keeps_what_came(tmp_path, monkeypatch):
    def interrupted(_, out, **__):
        out.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("huggingface_hub.file_download.http_get", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch_snapshot(pinned(), tmp_path)
    assert (tmp_path / "model.safetensors.part").read_bytes() == b"half"


def given(folder, contents=CONTENTS):
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_given_folder_needs_no_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "find_spec", lambda _: None)
    assert fetch_snapshot(pinned(), tmp_path / "d", given(tmp_path)) == tmp_path
    assert not (tmp_path / "d").exists()


def test_a_given_folder_with_another_file_is_refused_and_left_alone(tmp_path):
    changed = given(tmp_path, CONTENTS | {"config.json": b"{}"})
    with pytest.raises(ChecksumError, match=r"config\.json is not the file"):
        fetch_snapshot(pinned(), tmp_path / "d", changed)
    assert names(tmp_path) == ["config.json", "model.safetensors"]


def test_a_given_folder_without_a_file_says_which(tmp_path):
    given(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(DownloadError, match=r"config\.json: no such file; give a folder with mod"):
        fetch_snapshot(pinned(), tmp_path / "d", tmp_path)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"geowhy\[clip\]"):
        fetch_snapshot(pinned(), tmp_path)
