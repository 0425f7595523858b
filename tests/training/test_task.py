"""Another objective is one file: the loop fits a line as it trains an alignment."""

import json

import pytest
import torch
from torch import nn

from geowhy.errors import DataError
from geowhy.training.config import OptimiserConfig
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.processes import Processes

OPTIMISER = OptimiserConfig(steps=120, batch=16, rate=0.1, validate_every=30, patience=9)


class Line:
    """Learns ``y = 2 x + 1``."""

    def __init__(self, measured=True):
        self.module: nn.Module = nn.Linear(1, 1)
        nn.init.zeros_(self.module.weight)
        nn.init.zeros_(self.module.bias)
        self.x = torch.linspace(-1, 1, 64)[:, None]
        self.y = 2 * self.x + 1
        self.samples = len(self.x)
        self.measured = measured

    def losses(self, batch):
        squared = nn.functional.mse_loss(self.module(self.x[batch.rows]), self.y[batch.rows])
        return {"squared": squared, "total": squared}

    @torch.no_grad()
    def validation(self):
        loss = float((self.module(self.x) - self.y).square().mean())
        return {"validation": loss} if self.measured else {}

    def export(self):
        return self.module.weight.item(), self.module.bias.item()


def learnt(task, folder, steps=120, resume=False, digest="line"):
    run = TrainingRun(OPTIMISER, 0, steps, digest, folder)
    return train_task(run, task, Processes(), resume, lambda done, total: None)


def test_the_loop_learns_it_and_logs_its_losses_by_name(tmp_path):
    task = Line()
    best = learnt(task, tmp_path)
    assert task.export() == pytest.approx((2, 1), abs=0.05)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [{"step", "squared", "total", "validation"}] * 4
    assert best == min(lines, key=lambda line: line["validation"])["step"]


def test_without_a_validation_the_last_weights_are_the_best(tmp_path):
    assert learnt(Line(measured=False), tmp_path) == 120


def test_it_resumes_to_the_same_weights(tmp_path):
    whole, half, rest = Line(), Line(), Line()
    (tmp_path / "whole").mkdir()
    learnt(whole, tmp_path / "whole")
    learnt(half, tmp_path, steps=60)
    learnt(rest, tmp_path, resume=True)
    assert rest.export() == whole.export()
    with pytest.raises(DataError, match="another configuration or other data"):
        learnt(Line(), tmp_path, resume=True, digest="curve")
