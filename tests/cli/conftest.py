"""Runs verbs in this process, against fakes of what lies below the command line."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from geowhy.cli.main import main


def _load_fakes():
    spec = importlib.util.spec_from_file_location("cli_fakes", Path(__file__).with_name("fakes.py"))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="session")
def fakes():
    return _load_fakes()


@pytest.fixture
def geowhy(capsys):
    """Runs ``geowhy`` with these arguments."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return SimpleNamespace(exit_code=status, stdout=said.out, stderr=said.err)

    return run


@pytest.fixture
def put_module(monkeypatch, fakes):
    """Puts a fake in the place of a module."""

    def put(name, **content):
        monkeypatch.setitem(sys.modules, name, fakes.module(name, **content))

    return put


@pytest.fixture
def fake_model(put_module, fakes):
    put_module("geowhy.locator", Locator=fakes.FakeLocator)


@pytest.fixture
def folder(tmp_path):
    """Two pictures, one in a subfolder, a hidden one and a text."""
    (tmp_path / "b").mkdir()
    for name in ("cat.png", "b/savanna.PNG", ".hidden.png"):
        Image.new("RGB", (8, 8), "olive").save(tmp_path / name, "PNG")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path
