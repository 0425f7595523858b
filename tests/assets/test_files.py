"""Nothing is ever there by half, whatever breaks off."""

from pathlib import Path

import pytest

from geowhy.assets.files import appearing_whole, folder_appearing_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_ctrl_c_while_writing_keeps_the_old_file(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def interrupted_write():
        with appearing_whole(target) as partial:
            partial.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_no_folder_is_made_for_a_file(tmp_path):
    with pytest.raises(FileNotFoundError), appearing_whole(tmp_path / "nowhere" / "file"):
        pass
    assert names(tmp_path) == []


@pytest.fixture
def target(tmp_path):
    """A folder that stands there already."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    return tmp_path / "model"


def fill(target, name="new", then=lambda: None, **options):
    with folder_appearing_whole(target, **options) as ready:
        (ready / name).touch()
        then()


def test_a_folder_takes_the_place_of_another(target):
    fill(target)
    assert names(target) == ["new"]
    assert names(target.parent) == ["model"]


def test_ctrl_c_while_filling_keeps_the_old_folder(target):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(target, then=interrupted)
    assert names(target) == ["old"]
    assert names(target.parent) == ["model"]


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    failure, target, monkeypatch
):
    rename = Path.rename

    def failing(path, to):
        if path.name == "ready":
            raise failure
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(failure):
        fill(target)
    assert names(target) == ["old"]
    assert names(target.parent) == ["model"]


def test_the_folder_of_a_faster_process_is_as_good(tmp_path):
    target = tmp_path / "gallery"
    fill(target, "slower", lambda: fill(target, "faster"), keep=True)
    assert names(target) == ["faster"]
    assert names(tmp_path) == ["gallery"]
