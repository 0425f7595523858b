"""Answers on disk: written as they come, and gone on with."""

from dataclasses import replace

import pytest

from geowhy.errors import DataError
from geowhy.evaluation.orbit.log import AnswerLog, Asked
from geowhy.evaluation.orbit.queries import QueryRow

from .answering import answer

ASKED = Asked("tiny", "d" * 64, "marble", "plain", 0, ("forest",))
NARROW, WIDE = QueryRow((150.0, 300.0)), QueryRow((150.0, 300.0), "up to 45°")


@pytest.fixture
def file(tmp_path):
    """One with three answers."""
    path = tmp_path / "answers.jsonl"
    log = AnswerLog.begin(ASKED, path)
    log.add(NARROW, [answer(1.0), answer(2.0)])
    log.add(WIDE, [answer(3.0)])
    return path


def lats(log, row):
    return [said.truth.lat_lon.lat for said in log.of(row)]


def test_a_file_is_gone_on_with(file):
    log = AnswerLog.begin(ASKED, file)
    assert (lats(log, NARROW), lats(log, WIDE)) == ([1.0, 2.0], [3.0])
    log.add(NARROW, [answer(4.0)])
    again = AnswerLog.load(file)
    assert again.asked == ASKED
    assert again.rows == (NARROW, WIDE)
    assert lats(again, NARROW) == [1.0, 2.0, 4.0]


def test_files_can_be_joined(file, tmp_path):
    other, joined = tmp_path / "other.jsonl", tmp_path / "joined.jsonl"
    AnswerLog.begin(ASKED, other).add(QueryRow((300.0, 600.0)), [answer(9.0)])
    joined.write_bytes(file.read_bytes() + other.read_bytes())
    log = AnswerLog.load(joined)
    assert [lats(log, row) for row in log.rows] == [[1.0, 2.0], [3.0], [9.0]]
    other.write_text(other.read_text().replace("marble", "bmng"))
    joined.write_bytes(file.read_bytes() + other.read_bytes())
    with pytest.raises(DataError, match="isn't a file of answers"):
        AnswerLog.load(joined)


def test_a_line_that_was_being_written_is_cut_off(file):
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    log = AnswerLog.begin(ASKED, file)
    assert (lats(log, NARROW), lats(log, WIDE)) == ([1.0, 2.0], [])
    log.add(WIDE, [answer(3.0)])
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "other", [{"digest": "e" * 64}, {"world": "bmng"}, {"look": "hard"}, {"seed": 1}]
)
def test_answers_to_something_else_are_left_alone(file, other):
    before = file.read_bytes()
    with pytest.raises(DataError, match=r"answers.jsonl: has answers of tiny.*another file"):
        AnswerLog.begin(replace(ASKED, **other), file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{}\n", "[1]\n", "not JSON\n", '{"asked": {}}\n'])
def test_what_is_no_such_file_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=r"notes.txt: isn't a file of answers"):
        AnswerLog.begin(ASKED, path)
    assert path.read_text() == content


def test_a_damaged_answer_is_refused(file):
    file.write_text(file.read_text().replace('"rank"', '"tank"'))
    with pytest.raises(DataError, match="rank"):
        AnswerLog.load(file)


def test_without_a_file_nothing_is_written():
    log = AnswerLog.begin(ASKED, None)
    log.add(NARROW, [answer(1.0)])
    assert lats(log, NARROW) == [1.0]
