"""Several processes learn together what one learns from all their samples."""

import json
import os
import subprocess
import sys

import pytest
import torch

from geowhy.training.processes import Processes

SCRIPT = """
import json, sys
from pathlib import Path
import torch
from torch import nn
from geowhy.training.config import OptimiserConfig
from geowhy.training.loop import TrainingRun, train_task
from geowhy.training.processes import joined_processes

class Line:
    def __init__(self, rank):
        torch.manual_seed(rank)  # begins elsewhere in each process
        self.module = nn.ModuleDict({"used": nn.Linear(1, 1), "spare": nn.Linear(1, 1)})
        self.x = torch.linspace(-1, 1, 64)[:, None]
        self.samples = len(self.x)

    def losses(self, batch):
        x = self.x[batch.rows]
        squared = nn.functional.mse_loss(self.module["used"](x), 2 * x + 1)
        return {"size": self.module["spare"].weight.sum(), "total": squared}

    def validation(self):
        return {}

folder = Path(sys.argv[1])
with joined_processes("cpu") as processes:
    task = Line(processes.rank)
    optimiser = OptimiserConfig(steps=20, batch=16 // processes.count, validate_every=10)
    run = TrainingRun(optimiser, 0, 20, "line", folder)
    train_task(run, task, processes, False, lambda done, total: None)
    weights = {name: t.tolist() for name, t in task.module.state_dict().items()}
    processes.wait()
    (folder / f"{processes.count}-{processes.rank}.json").write_text(json.dumps(weights))
"""


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Weights by number of processes and rank."""
    folder = tmp_path_factory.mktemp("line")
    (folder / "go.py").write_text(SCRIPT)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for launcher in ([], torchrun):
        done = subprocess.run(
            [sys.executable, *launcher, str(folder / "go.py"), str(folder)],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*-*.json")}


def test_two_processes_learn_what_one_learns_from_the_same_samples(learnt):
    alone, both = learnt["1-0"], learnt["2-0"]
    for name in ("used.weight", "used.bias"):
        assert torch.allclose(torch.tensor(both[name]), torch.tensor(alone[name]), atol=1e-6)


def test_they_agree_to_the_bit_wherever_each_began(learnt):
    assert learnt["2-0"] == learnt["2-1"]


def test_what_no_minimised_loss_depends_on_stays_as_it_began(learnt):
    torch.manual_seed(0)
    _, spare = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    assert learnt["1-0"]["spare.weight"] == learnt["2-0"]["spare.weight"] == spare.weight.tolist()


def test_a_process_alone_trains_the_module_itself():
    module = torch.nn.Linear(1, 1)
    assert Processes().sharing_gradients(module) is module
