"""The learning rate: it warms up, is whole for a moment, and goes down to nothing."""

import math

import pytest

from geowhy.training import loop
from geowhy.training.config import TrainingConfig
from geowhy.training.run import train

RATE, STEPS, WARM_UP = 0.004, 20, 0.25  # 5 steps of warm-up, 15 of descent


@pytest.fixture
def rates(small_earth, tiny_config, tmp_path, monkeypatch):
    """What the optimiser was given at each step of a small run."""
    text = tiny_config.replace("refit = true", "refit = false").replace(
        "steps = 24\nbatch = 64",
        f"steps = {STEPS}\nrate = {RATE}\nwarm_up = {WARM_UP}\nbatch = 64",
    )
    path = tmp_path / "tiny.toml"
    path.write_text(text.replace("patience = 4", "patience = 99"))
    assert TrainingConfig.load(path).optimiser.warm_up == WARM_UP
    taken, make = [], loop._optimiser

    def watched(*arguments):
        made = make(*arguments)
        made.register_step_pre_hook(
            lambda optimiser, *_: taken.append({group["lr"] for group in optimiser.param_groups})
        )
        return made

    monkeypatch.setattr(loop, "_optimiser", watched)
    train(path, tmp_path / "run", "cpu", resume=False)
    assert len(taken) == STEPS
    return [rate for (rate,) in taken]


def test_the_rate_rises_evenly_and_then_falls_along_half_a_cosine(rates):
    assert rates[0] == pytest.approx(RATE / 5)
    assert rates[4] == pytest.approx(RATE)
    assert rates[9] == pytest.approx(RATE * 0.5 * (1 + math.cos(math.pi / 3)))
    assert rates[19] == pytest.approx(0, abs=1e-12)
