"""Numbers are measured from a table of predictions, and measured again from its file."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geowhy.cli.main import main
from geowhy.errors import DataError, MissingExtraError
from geowhy.evaluation.accuracy import PredictionTable, predictions_of


@pytest.fixture(scope="module")
def table(trained):
    return predictions_of(str(trained))


def test_a_table_that_is_written_and_read_gives_the_very_same_report(table, tmp_path, capsys):
    file = tmp_path / "said.parquet"
    table.save(file)
    assert PredictionTable.load(file).report() == table.report()
    assert main(["evaluate", "--from", str(file)]) == 0
    assert capsys.readouterr().out == table.report().table() + "\n"


def test_every_image_has_its_row(table, tmp_path):
    table.save(tmp_path / "said.parquet")
    read = pq.read_table(tmp_path / "said.parquet").to_pylist()
    assert len(read) == len({row["id"] for row in read}) == 40
    for row in read:
        assert row["candidates"][0][:2] == [row["answer_lat"], row["answer_lon"]]
        assert row["seconds"] > 0
        assert row["radius_50_km"] <= row["radius_90_km"]


def test_what_is_no_table_of_predictions_is_refused(table, tmp_path):
    for name, broken in {"a": pa.table({"id": ["x"]}), "b": None}.items():
        file = tmp_path / name
        pq.write_table(broken, file) if broken else file.write_text("no parquet")
        with pytest.raises(DataError, match="isn't a table of predictions"):
            PredictionTable.load(file)
    with pytest.raises(DataError, match="can't be written"):
        table.save(tmp_path)


def test_without_pyarrow_the_extra_is_named(table, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"geowhy\[train\]"):
        table.save(tmp_path / "said.parquet")
    assert np.isfinite(table.report().metrics.median_km.value)
