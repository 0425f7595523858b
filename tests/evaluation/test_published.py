"""Answers that others published are read, measured, and compared with ours."""

import numpy as np
import pytest

from geowhy.cli.main import main
from geowhy.errors import DataError
from geowhy.evaluation.comparison import compare
from geowhy.evaluation.published import read_published

# The first rows of results/im2gps3k/base_M-fstar.csv, with the sums as they stand below the last.
FILE = """img_id,gt_lat,predicted_lat,gt_long,predicted_long,great_circle_distance
1000269685_e60e9cdfb4_1125_78841376@N00.jpg,32.325436,26.193849,-64.764404,-77.825306,1437.19
1005977048_5ccf8b05d3_1201_91728102@N00.jpg,29.976052,35.522054,122.390356,126.824556,742.93
1023756068_20c3ffc329_1039_70323761@N00.jpg,40.807694,-35.311527,-73.962262,149.063375,16237.27
103442236_09c8d53dbc_37_73293249@N00.jpg,51.501821,51.505018,-0.140655,-0.078046,4.35
"""
SUMS = """
street acc (1km),city acc (25km),region acc (200km),country acc (750km),continent acc (2500km),mean
0.097431,0.27027,0.356356,0.491491,0.659993,3277.97
"""


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "base_M-fstar.csv"
    path.write_text((FILE + SUMS).replace("\n", "\r\n"))
    return path


def test_errors_are_those_that_they_published(published):
    table = read_published(published)
    assert table.ids[3] == "103442236_09c8d53dbc_37_73293249@N00.jpg"
    assert table.truth[0].tolist() == [32.325436, -64.764404]
    assert table.outcomes.error_km == pytest.approx([1437.19, 742.93, 16237.27, 4.35], abs=0.03)
    recall = table.measure().distances.recall
    assert [recall[km].value for km in (1, 25, 200, 750, 2500)] == [0, 0.25, 0.25, 0.5, 0.75]
    assert np.isnan(table.measure().radii.coverage_50.value)
    assert table.measure().selective.risk_area.value == pytest.approx(0.5)


def test_a_command_measures_and_compares_them(published, capsys):
    assert main(["evaluate", "--from", str(published)]) == 0
    said = capsys.readouterr().out
    assert "model     base_M-fstar" in said
    assert said.count("nothing to measure") > 4
    assert "0 answered of 4 expected" in said
    assert main(["evaluate", "--from", str(published), "--against", str(published)]) == 0
    assert capsys.readouterr().out == compare(*[read_published(published)] * 2).table() + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,lat,lon\n", "no column img_id"),
        (FILE.splitlines()[0] + SUMS, "no image"),
        (FILE + "a.jpg,1,x,3,4,5\n", r"line 6: 'a.jpg' has no two places"),
        (FILE + "a.jpg,1,2\n", r"line 6: 'a.jpg' has no two places"),
        (FILE + "a.jpg,91,2,3,4,5\n", r"line 6: 'a.jpg' has no two places"),
    ],
)
def test_other_files_are_refused(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_published(tmp_path / "a.csv")
    with pytest.raises(DataError, match="can't be read"):
        read_published(tmp_path / "none.csv")
