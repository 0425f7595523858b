"""Whatever the bytes, an answer: a picture or one clean error. In a process of its own,
because a decoder that crashes or hangs must fail the test, not end it."""

from __future__ import annotations

import collections
import json
import subprocess
import sys

import pytest

from .makers import malformed

READER = """
import faulthandler, json, re, sys, time
from pathlib import Path
from geowhy.errors import ImageError
from geowhy.images.exif import read_position
from geowhy.images.reading import read_image

def outcome(read, path):
    faulthandler.dump_traceback_later(20, exit=True)
    try:
        read(path)
    except ImageError as error:
        return "refused", str(error)
    except BaseException as error:
        return "escaped", repr(error)
    return "read", ""

def peak_mb():  # not getrusage, which starts from what the parent used
    status = Path("/proc/self/status")
    text = status.read_text() if status.exists() else "VmHWM: 0"
    return int(re.search(r"VmHWM:\\s+(\\d+)", text)[1]) / 1024

for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.perf_counter()
    answer = [outcome(read_image, path), outcome(read_position, path)]
    seconds = time.perf_counter() - start
    print(json.dumps([path.name, *answer, seconds, peak_mb()]), flush=True)
"""


@pytest.fixture(scope="module")
def cases():
    return {case.name: case for case in malformed()}


@pytest.fixture(scope="module", params=["error", "ignore"])
def answers(request, cases, tmp_path_factory):
    """Name -> (outcome and message of the picture, of the position, seconds, peak MB so far).

    With warnings as errors and without: decoders go on where they only warned.
    """
    folder = tmp_path_factory.mktemp("malformed")
    for case in cases.values():
        (folder / case.name).write_bytes(case.data)
    command = [sys.executable, "-X", "faulthandler", "-W", request.param, "-c", READER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died after {rows[-1:]}: {done.stderr[-3000:]}"
    return {name: tuple(rest) for name, *rest in rows}


def test_there_are_enough_of_every_kind(cases):
    kinds = collections.Counter(case.expected for case in cases.values())
    assert kinds["refused"] >= 100
    assert kinds["read"] >= 40
    assert len({case.data for case in cases.values()}) > 280


def test_each_ends_as_expected(cases, answers):
    assert answers.keys() == cases.keys()
    wrong = {
        name: answers[name][0]
        for name, case in cases.items()
        if answers[name][0][0]
        not in ({"read", "refused"}, {case.expected})[case.expected != "either"]
    }
    assert not wrong


def test_no_position_raises_anything_else(answers):
    assert not {name: row[1] for name, row in answers.items() if row[1][0] == "escaped"}


def test_each_refusal_names_the_file_and_the_remedy(answers):
    for name, row in answers.items():
        for kind, message in row[:2]:
            if kind == "refused":
                assert f"{name}: " in message
                assert len(message.split(f"{name}: ")[1]) < 300
                assert "; " in message


def test_none_takes_long_or_much_memory(answers):
    assert max(row[2] for row in answers.values()) < 8.0  # seconds; 1 on an idle machine
    assert max(row[3] for row in answers.values()) < 300  # MB


@pytest.mark.parametrize("name", ["headers.jpg", "chunks.png", "blocks.gif", "million-strips.tif"])
def test_a_million_parts_are_refused_before_a_decoder_sees_them(answers, name):
    assert "save it anew" in answers[name][0][1]
