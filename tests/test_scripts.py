"""Scripts that make packaged data make what is packaged."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from geowhy.assets.files import sha256_of
from geowhy.cli.pages import FIGURES
from geowhy.registry import EMBEDDED, resolve_model
from geowhy.render.world_map import COASTS

SCRIPTS = Path(__file__).parents[1] / "scripts"


def test_the_packaged_coasts_are_those_of_the_packaged_atlas(tmp_path):
    made = tmp_path / "coasts.npz"
    command = [sys.executable, SCRIPTS / "build_coasts.py", "--output", made]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    with np.load(made) as ours, np.load(COASTS) as packaged:
        assert set(ours) == set(packaged)
        for name in packaged:
            np.testing.assert_array_equal(ours[name], packaged[name])


def test_the_packaged_figures_are_of_the_packaged_model():
    """Who changes the model runs ``scripts/build_faithfulness.py``, or pages show no figures."""
    kept = json.loads((FIGURES / f"{EMBEDDED}.json").read_text(encoding="utf-8"))
    assert kept["config_sha256"] == sha256_of(resolve_model(EMBEDDED) / "config.json")
