"""A tiny CLIP as published, and as converted."""

import pytest

from geowhy.export.clip import convert_clip


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    from .clip_maker import make_clip  # brings torch and transformers

    folder = tmp_path_factory.mktemp("published") / "tiny-clip"
    return folder, make_clip(folder)


@pytest.fixture(scope="module")
def converted(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")
    convert_clip(published[0], folder)
    return folder
