"""The learning rate: it warms up, is whole for a moment, and goes down to nothing."""

import math

import pytest

from geowhy.training import loop
from geowhy.training.config import OptimiserConfig, TrainingConfig
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


def test_each_cycle_is_twice_as_long_and_falls_to_nothing():
    config = OptimiserConfig(steps=STEPS, warm_up=WARM_UP, cycles=3)
    assert config.total_steps == (1 + 2 + 4) * STEPS
    shares = [loop.share_of_rate(config, step) for step in range(config.total_steps)]
    ends = [STEPS - 1, 3 * STEPS - 1, 7 * STEPS - 1]
    assert [shares[end] for end in ends] == pytest.approx([0, 0, 0], abs=1e-12)
    assert min(shares[end + 1] for end in ends[:-1]) > 0.02  # the next one warms up
    tops = [step for step, share in enumerate(shares) if share == pytest.approx(1)]
    assert tops == [4, STEPS + 9, 3 * STEPS + 19]


def test_a_run_of_one_cycle_is_the_beginning_of_a_longer_one():
    one = OptimiserConfig(steps=STEPS, warm_up=WARM_UP)
    more = OptimiserConfig(steps=STEPS, warm_up=WARM_UP, cycles=4)
    assert one.total_steps == STEPS
    of_both = [[loop.share_of_rate(c, step) for step in range(STEPS)] for c in (one, more)]
    assert of_both[0] == of_both[1]
