"""Every format, way in, orientation and kind of pixel comes out as the same upright sRGB."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from geowhy.errors import ImageError
from geowhy.images.reading import Limits, read_image

from .makers import ENCODINGS, STORED_AS, encoded, exif, heic, picture, png_of_size, short

LOSSLESS = {"png", "jp2", "j2k", "lossless-webp", "tiff", "deflate-tiff", "lzw-tiff", "gif", "bmp"}
TURNED = [name for name in ENCODINGS if name not in {"gif", "bmp", "heic", "jp2", "j2k"}]
TRUTH = np.asarray(picture())


def assert_is_the_picture(pixels, tolerance):
    assert pixels.shape == TRUTH.shape
    assert pixels.dtype == np.uint8
    inner = np.abs(pixels.astype(int) - TRUTH)[2:-2, 2:-2]
    edges = np.zeros(inner.shape[:2], bool)
    edges[18:26], edges[:, 34:42] = True, True  # codecs blur where the quarters meet
    assert inner[~edges].max() <= tolerance
    if tolerance == 0:
        np.testing.assert_array_equal(pixels, TRUTH)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_format(encoding, tmp_path):
    path = tmp_path / "wrong-suffix.txt"
    path.write_bytes(encoded(picture(), encoding))
    assert_is_the_picture(read_image(path).pixels, 0 if encoding in LOSSLESS else 10)


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("encoding", TURNED)
def test_every_orientation_is_upright(encoding, orientation):
    turn = STORED_AS[orientation]
    stored = picture() if turn is None else picture().transpose(turn)
    tag = Image.Exif()
    tag[274] = orientation
    pixels = read_image(encoded(stored, encoding, exif=tag)).pixels
    assert_is_the_picture(pixels, 0 if encoding in LOSSLESS else 10)


@pytest.mark.parametrize("orientation", STORED_AS)
def test_a_heic_is_turned_once(orientation):
    turn = STORED_AS[orientation]
    stored = picture() if turn is None else picture().transpose(turn)
    tag = Image.Exif()
    tag[274] = orientation
    data = heic(stored, quality=95, exif=tag.tobytes())
    assert_is_the_picture(read_image(data).pixels, 10)


def test_every_way_in(tmp_path):
    data = encoded(picture(), "png")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as file, Image.open(path) as lazy:
        ways = [path, str(path), data, io.BytesIO(data), file, lazy, picture()]
        images = [read_image(way) for way in ways]
    for image in images:
        np.testing.assert_array_equal(image.pixels, TRUTH)
    named = [str(path), str(path), "<bytes>", "<file object>", str(path), str(path), "<PIL image>"]
    assert [image.name for image in images] == named
    assert read_image(data, name="mine").name == "mine"


def test_a_file_object_that_gives_a_little_at_a_time():
    class Trickle(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    np.testing.assert_array_equal(read_image(Trickle(encoded(picture(), "png"))).pixels, TRUTH)


def test_pixels_cannot_be_changed_and_the_source_is_not():
    source = picture()
    image = read_image(source)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    np.testing.assert_array_equal(np.asarray(source), TRUTH)


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "LA", "PA", "La", "RGBA", "RGBa", "RGBX", "HSV", "YCbCr", "CMYK", "LAB"]
)
def test_every_mode(mode):
    grey = Image.fromarray(np.full((6, 9, 3), 128, np.uint8))
    if mode == "1":
        expected, image = 255, Image.new("1", (9, 6), 1)
    elif mode == "LAB":
        expected, image = 119, Image.fromarray(np.full((6, 9, 3), (128, 0, 0), np.uint8), "RGB")
        image = Image.frombytes("LAB", (9, 6), image.tobytes())
    else:
        via = {"La": "LA", "RGBa": "RGBA"}.get(mode)
        expected, image = 128, (grey.convert(via) if via else grey)
        image = image.quantize() if "P" in mode else image
        image = image.convert(mode)
    pixels = read_image(image).pixels
    assert pixels.shape == (6, 9, 3)
    assert np.abs(pixels.astype(int) - expected).max() <= 3


def test_a_cmyk_jpeg_of_photoshop_is_not_inverted():
    stored = picture().convert("CMYK")
    pixels = read_image(encoded(stored, "jpeg")).pixels
    assert b"Adobe" in encoded(stored, "jpeg")
    assert_is_the_picture(pixels, 10)


@pytest.mark.parametrize("encoding", ["png", "tiff", "lossless-webp", "heic", "avif"])
def test_transparency_is_laid_over_white(encoding):
    layer = picture().convert("RGBA")
    layer.putalpha(Image.new("L", layer.size, 0))
    layer.paste((0, 0, 0, 255), (0, 0, 40, 48))
    pixels = read_image(encoded(layer, encoding)).pixels
    assert pixels[:, :36].max() < 12
    assert pixels[:, 44:].min() > 243


def test_a_transparent_palette_colour_is_white():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 9, 9, 9])
    assert read_image(encoded(image, "png", transparency=1)).pixels.min() == 255


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("encoding", ["png", "tiff", "deflate-tiff"])
def test_16_bit_is_scaled_not_clipped(encoding, order):
    ramp = np.linspace(0, 65535, 80).round().astype(order + "u2")
    image = Image.fromarray(np.tile(ramp, (4, 1)))
    if order == ">" and encoding == "png":
        image = Image.fromarray(np.tile(ramp.astype("<u2"), (4, 1)))
    pixels = read_image(encoded(image, encoding)).pixels
    np.testing.assert_array_equal(pixels[0, :, 1], np.rint(ramp / 257.0).astype(np.uint8))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([0, 0.5, 1]), [0, 128, 255]),
        (np.float32([0, 51, 255]), [0, 51, 255]),
        (np.float32([0, 257, 65535]), [0, 1, 255]),
        (np.float32([-100, 0, 100]), [0, 128, 255]),
        (np.float32([np.nan, 1, np.inf]), [0, 255, 255]),
        (np.float32([np.nan, np.nan, np.nan]), [0, 0, 0]),
        (np.int32([0, 51, 255]), [0, 51, 255]),
        (np.int32([0, 257, 65535]), [0, 1, 255]),
        (np.int32([-(2**31), 0, 2**31 - 1]), [0, 128, 255]),
    ],
)
def test_32_bit_takes_the_smallest_usual_range(values, expected):
    pixels = read_image(encoded(Image.fromarray(values[None]), "tiff")).pixels
    assert pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize("encoding", ["gif", "lossless-webp", "png", "tiff", "avif"])
def test_the_first_frame_of_an_animation(encoding):
    frames = [picture().rotate(180), Image.new("RGB", (80, 48))]
    data = encoded(picture(), encoding, save_all=True, append_images=frames)
    assert_is_the_picture(read_image(data).pixels, 0 if encoding in LOSSLESS else 10)


class TestColourProfiles:
    def swapped(self):
        """A profile whose red is blue: XYZ columns of sRGB in another order."""
        srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        for name in (b"sRGB", b"s\0R\0G\0B"):
            srgb = srgb.replace(name, bytes(len(name)))
        entries = srgb.count(b"rXYZ"), srgb.count(b"bXYZ")
        assert entries == (1, 1)
        red, blue = srgb.index(b"rXYZ"), srgb.index(b"bXYZ")
        srgb[red : red + 4], srgb[blue : blue + 4] = b"bXYZ", b"rXYZ"
        return bytes(srgb)

    @pytest.mark.parametrize("encoding", ["jpeg", "png", "lossless-webp", "tiff", "avif"])
    def test_one_is_applied(self, encoding):
        data = encoded(picture(), encoding, icc_profile=self.swapped())
        red_and_blue_swapped = read_image(data).pixels[..., ::-1]
        assert_is_the_picture(red_and_blue_swapped, 10)

    def test_srgb_changes_nothing(self):
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        data = encoded(picture(), "png", icc_profile=srgb)
        np.testing.assert_array_equal(read_image(data).pixels, TRUTH)

    @pytest.mark.parametrize("profile", [b"rubbish" * 30, bytes(5 * 2**20)])
    def test_a_broken_one_is_ignored_and_logged(self, profile, caplog):
        image = picture()
        image.info["icc_profile"] = profile
        with caplog.at_level(logging.INFO, logger="geowhy"):
            np.testing.assert_array_equal(read_image(image, name="x").pixels, TRUTH)
        assert "x: colours taken as they are" in caplog.text

    def test_one_for_other_pixels_is_ignored(self, caplog):
        image = picture().convert("L")
        image.info["icc_profile"] = self.swapped()
        with caplog.at_level(logging.INFO, logger="geowhy"):
            np.testing.assert_array_equal(read_image(image).pixels[..., 0], np.asarray(image))
        assert "for RGB, not GRAY" in caplog.text


class TestMinSide:
    def test_a_large_jpeg_comes_back_smaller_but_not_too_small(self):
        data = encoded(picture(1200, 1600), "jpeg")
        assert read_image(data, min_side=224).pixels.shape == (300, 400, 3)
        assert read_image(data, min_side=700).pixels.shape == (1200, 1600, 3)
        assert read_image(data).pixels.shape == (1200, 1600, 3)

    def test_shorter_side_counts_also_when_turned(self):
        data = encoded(picture(1200, 1600), "jpeg", exif=b"Exif\0\0" + exif({274: short(6)}))
        assert read_image(data, min_side=224).pixels.shape == (400, 300, 3)

    def test_what_comes_back_counts_for_the_limit_unless_all_must_be_decoded(self):
        limits = Limits(max_pixels=400 * 300)
        data = encoded(picture(1200, 1600), "jpeg")
        assert read_image(data, min_side=224, limits=limits).pixels.shape == (300, 400, 3)
        progressive = encoded(picture(1200, 1600), "progressive")
        for source, settings in ((data, {}), (progressive, {"min_side": 224})):
            assert "1600 × 1200 pixels" in refusal(source, limits=limits, **settings)

    def test_a_cut_jpeg_is_refused_also_at_an_eighth(self):
        data = encoded(picture(1200, 1600), "jpeg")
        for cut in (1, 2, 100, len(data) // 2):
            with pytest.raises(ImageError, match="cut short"):
                read_image(data[:-cut], min_side=100)

    def test_the_image_of_a_caller_keeps_its_size(self):
        lazy = Image.open(io.BytesIO(encoded(picture(1200, 1600), "jpeg")))
        assert read_image(lazy, min_side=10).pixels.shape == (1200, 1600, 3)


class TestJpeg2000:
    def test_a_large_one_comes_back_halved_as_often_as_it_allows(self):
        data = encoded(picture(1200, 1600), "jp2")
        assert read_image(data, min_side=224).pixels.shape == (300, 400, 3)
        assert read_image(data, min_side=1).pixels.shape[0] >= 1
        once = encoded(picture(1200, 1600), "jp2", num_resolutions=2)
        assert read_image(once, min_side=224).pixels.shape == (600, 800, 3)

    def test_halving_counts_for_the_limit(self):
        data, limits = encoded(picture(1200, 1600), "jp2"), Limits(max_pixels=300 * 400 * 2)
        assert read_image(data, min_side=224, limits=limits).pixels.shape == (300, 400, 3)
        assert "more than" in refusal(data, limits=limits)

    def test_sixteen_bits_are_stretched(self):
        deep = Image.fromarray(TRUTH[..., 0].astype("<u2") * 11)
        pixels = read_image(encoded(deep, "jp2")).pixels
        assert pixels[0, 0, 0] > 200 > 30 > pixels[0, -1, 0]

    def test_a_fourth_band_is_no_transparency_unless_the_file_says_so(self):
        layer = picture().convert("RGBA")
        layer.putalpha(Image.new("L", layer.size, 30))
        image = read_image(encoded(layer, "j2k"))
        np.testing.assert_array_equal(image.pixels, TRUTH)
        assert image.notes == ("1 more band, such as near infrared, left out",)


def refusal(source, **settings):
    with pytest.raises(ImageError) as caught:
        read_image(source, **settings)
    assert str(caught.value).startswith(caught.value.image + ": ")
    return caught.value.reason


class TestRefusals:
    def test_paths(self, tmp_path):
        assert "no such file" in refusal(tmp_path / "gone.jpg")
        assert "is a folder" in refusal(tmp_path)
        (tmp_path / "empty.jpg").touch()
        assert "is empty" in refusal(tmp_path / "empty.jpg")
        assert "can't be opened" in refusal(tmp_path / ("x" * 5000))
        assert "no path" in refusal("nul\0byte.jpg")
        assert refusal("")

    @pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
    def test_pipes_and_devices_do_not_hang(self, tmp_path):
        pipe = tmp_path / "pipe.jpg"
        os.mkfifo(pipe)
        code = f"from geowhy.images.reading import read_image; read_image({str(pipe)!r})"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert "pipe or a device" in done.stderr
        assert "pipe or a device" in refusal("/dev/zero")

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read all")
    def test_forbidden(self, tmp_path):
        path = tmp_path / "secret.jpg"
        path.write_bytes(b"x")
        path.chmod(0)
        assert "may not be read" in refusal(path)

    def test_forbidden_for_root_too(self, tmp_path, monkeypatch):
        def deny(*_):
            raise PermissionError(13, "Permission denied")

        (tmp_path / "a.jpg").touch()
        monkeypatch.setattr(os, "open", deny)
        assert "may not be read" in refusal(tmp_path / "a.jpg")

    def test_objects(self):
        assert "seek(0)" in refusal(io.BytesIO())
        assert "'rb'" in refusal(io.StringIO("text"))
        assert "fromarray" in refusal(np.zeros((3, 3, 3), np.uint8))
        assert "is of type NoneType" in refusal(None)
        closed = io.BytesIO(b"x")
        closed.close()
        assert "can't be read" in refusal(closed)

    def test_limits(self, tmp_path):
        data = encoded(picture(), "png")
        path = tmp_path / "a.png"
        path.write_bytes(data)
        for source in (data, path, io.BytesIO(data)):
            assert "larger than" in refusal(source, limits=Limits(max_bytes=len(data) - 1))
            read_image(path, limits=Limits(max_bytes=len(data)))
        few = Limits(max_pixels=80 * 48 - 1)
        for source in (data, path, picture()):
            assert "80 × 48 pixels" in refusal(source, limits=few)
        assert read_image(data, limits=Limits(max_pixels=80 * 48)).pixels.shape == TRUTH.shape

    def test_bombs_and_nothing(self):
        assert "50000 × 50000 pixels" in refusal(png_of_size(50_000, 50_000))
        assert "no pixels" in refusal(Image.new("RGB", (0, 5)))

    def test_a_damaged_pillow_image(self):
        cut = encoded(Image.effect_noise((60, 60), 50), "jpeg")[:-200]
        assert "cut short" in refusal(Image.open(io.BytesIO(cut)), name="cut")


def test_nothing_process_wide_changes():
    before = Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN)
    read_image(heic(picture()))
    assert (Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN)) == before


def test_threads_read_at_the_same_time():
    files = [encoded(picture(), encoding) for encoding in ENCODINGS] * 4
    with ThreadPoolExecutor(8) as pool:
        assert {image.pixels.shape for image in pool.map(read_image, files)} == {TRUTH.shape}


def test_importing_is_light():
    code = (
        "import sys, geowhy.images.reading\n"
        "heavy = {'pillow_heif', 'PIL.ImageCms', 'PIL.TiffImagePlugin', 'PIL.EpsImagePlugin'}\n"
        "sys.exit(str(heavy & sys.modules.keys() or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_paths_as_they_come(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ü 1.png").write_bytes(encoded(picture(), "png"))
    assert read_image("ü 1.png").name == "ü 1.png"
