"""Calls that fail, or are left half-way, leave no thread for the collector to end."""

import subprocess
import sys

import pytest

CALLS = """
import gc, io, random, sys, threading
from types import SimpleNamespace as Stub
from unittest import mock
from PIL import Image
from geowhy import locator as module
from geowhy.errors import ImageError

file = io.BytesIO()
Image.new("RGB", (8, 8)).save(file, "PNG")
GOOD = file.getvalue()
BAD = ("https://example.org/a.png", None, (x for x in ()), "/")
inputs = Stub(min_side=256, images_at_once=32)
engine = Stub(inputs=inputs, decode=lambda pixels, top_k: [None] * len(pixels))
locator = module.Locator(engine)
module.Locator._prediction = lambda self, image, *rest: image.name
gc.freeze()
gc.set_threshold(50)

def call(count, seed):
    chance = random.Random(seed)
    for number in range(count):
        if chance.random() < 0.02:
            gc.collect()
        if number % 50 == 0:  # left half-way, in a circle that only the collector sees
            left = [locator.locate_each([GOOD, None, GOOD])]
            left.append(left)
            next(left[0])
            del left
        if number % 2:
            assert locator.locate(GOOD) == "<bytes>"
            continue
        try:
            locator.locate(chance.choice(BAD))
        except ImageError as error:
            error.itself = error
        else:
            raise AssertionError("a bad image was located")

threads = int(sys.argv[1])
callers = [threading.Thread(target=call, args=(10_000 // threads, n)) for n in range(threads)]
if threads == 1:
    call(10_000, 0)
else:
    [caller.start() for caller in callers]
    [caller.join() for caller in callers]
print("done")
"""


@pytest.mark.parametrize("threads", [1, 8])
def test_ten_thousand_calls_half_of_them_bad_never_stand_still(threads):
    command = [sys.executable, "-c", CALLS, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.stdout == "done\n", done.stderr


def test_one_image_is_read_in_the_thread_that_asks():
    code = CALLS.split("gc.freeze()")[0] + (
        "with mock.patch.object(module, 'ThreadPoolExecutor', side_effect=AssertionError):\n"
        "    print(locator.locate(GOOD))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "<bytes>\n", done.stderr
