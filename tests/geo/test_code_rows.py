"""Rows of differences are summed once, when they are read."""

from threading import Thread

import numpy as np

from geowhy.geo.code_rows import CodeRows

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 256, (40, 900)).astype(np.uint8)
DIFFERENCES = np.diff(CODES, axis=1, prepend=np.uint8(0))


def test_only_rows_that_are_asked_for_are_summed():
    rows = CodeRows.of(DIFFERENCES.copy(), are_differences=True)
    found = rows.including(np.array([3, 3, 7]))
    assert np.array_equal(found[[3, 7]], CODES[[3, 7]])
    left = np.delete(np.arange(40), [3, 7])
    assert np.array_equal(found[left], DIFFERENCES[left])


def test_what_was_summed_stays():
    rows = CodeRows.of(DIFFERENCES.copy(), are_differences=True)
    for chosen in ([3, 7], [7, 8], [3]):
        assert np.array_equal(rows.including(np.array(chosen))[chosen], CODES[chosen])
    assert np.array_equal(rows.whole(), CODES)
    assert np.array_equal(rows.whole(), CODES)


def test_codes_are_taken_as_they_are():
    assert np.array_equal(CodeRows.of(CODES.copy(), are_differences=False).whole(), CODES)


def test_threads_do_not_sum_a_row_twice():
    for _ in range(20):
        rows = CodeRows.of(DIFFERENCES.copy(), are_differences=True)
        threads = [Thread(target=rows.whole) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert np.array_equal(rows.stored, CODES)
