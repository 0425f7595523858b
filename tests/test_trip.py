"""The trip of a command: it is counted the same each time, and by the stated rules."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "trip.py"


def test_the_trip_of_a_command_is_counted_and_adds_up():
    if not SCRIPT.is_file():
        pytest.skip("scripts are only in a checkout")
    command = [sys.executable, SCRIPT, "models", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    table = [words for words in lines if len(words) == 3 and words[0] != "geowhy"]
    counts = {name: [int(n.replace(",", "")) for n in numbers] for name, *numbers in table}
    for column in (0, 1):
        stays, rooms, returns = (counts[name][column] for name in ("stays", "rooms", "returns"))
        assert stays == rooms + returns
        entered = [n[column] for room, n in counts.items() if "." in room or room == "errors"]
        assert sum(entered) <= stays
    assert counts["cli.main"][0] >= 1
    assert counts["stays"][0] <= counts["stays"][1]
