"""What a model says of every image is a table; numbers are measured from it, or from its file."""

from dataclasses import replace
from types import SimpleNamespace

import h3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geowhy.cli.main import main
from geowhy.errors import DataError, MissingExtraError
from geowhy.evaluation.accuracy import predictions_of, predictions_on
from geowhy.evaluation.estimates import block_draws, block_mean, block_statistic
from geowhy.evaluation.predictions import PredictionTable
from geowhy.evaluation.protocol import Protocol
from geowhy.geo.cells import cell_of
from geowhy.geo.sphere import destination, uniform_on_sphere
from geowhy.posterior.density import CellDensity, Estimate, Mode


def table_of(truth, answer, radius_50, radius_90, abstained):
    count = len(truth)
    columns = (truth, answer, radius_50, radius_90, abstained)
    rest = (np.ones(count, bool), ((),) * count, np.zeros(count), *(np.full(count, np.nan),) * 2)
    return PredictionTable({}, tuple(map(str, range(count))), *columns, *rest)


def answers(errors_km, radius_50=500.0, radius_90=1500.0, abstained=None):
    rng = np.random.default_rng(0)
    count = len(errors_km)
    truth = uniform_on_sphere(count, rng)
    return table_of(
        truth,
        destination(truth, rng.uniform(0, 360, count), np.asarray(errors_km)),
        np.full(count, radius_50),
        np.full(count, radius_90),
        np.zeros(count, bool) if abstained is None else abstained,
    )


def test_shares_and_the_median_are_exact():
    metrics = answers([10, 100, 600, 1000, 3000] * 40).measure()
    recall = metrics.distances.recall
    assert recall[25].value == pytest.approx(0.2)
    assert recall[750].value == pytest.approx(0.6)
    assert recall[2500].value == pytest.approx(0.8)
    assert metrics.distances.median_km.value == pytest.approx(600, abs=0.01)
    assert metrics.radii.coverage_50.value == pytest.approx(0.4)
    assert metrics.radii.coverage_90.value == pytest.approx(0.8)


def test_intervals_hold_the_value_and_shrink_with_more_blocks():
    few, many = (answers([100, 5000] * n).measure().distances.recall[750] for n in (30, 1500))
    for estimate in (few, many):
        assert estimate.low <= estimate.value <= estimate.high
    assert many.high - many.low < few.high - few.low


def test_intervals_resample_blocks_not_views():
    one_block = answers([0.0] * 200)
    repeated = table_of(
        np.repeat([[5.0, 5.0], [45.0, 45.0], [-25.0, 25.0]], 100, axis=0),
        np.repeat([[5.0, 5.0], [-45.0, -45.0], [-25.0, 25.0]], 100, axis=0),
        np.full(300, 1.0),
        np.full(300, 2.0),
        np.zeros(300, bool),
    )
    estimate = repeated.measure().distances.recall[750]
    assert estimate.high - estimate.low > 0.5
    assert one_block.measure().distances.recall[25].low == 1.0


def test_abstentions_are_counted_and_left_out_of_the_answered():
    abstained = np.array([True, False] * 50)
    metrics = answers([5000.0, 100.0] * 50, abstained=abstained).measure()
    assert metrics.answered == 50
    assert metrics.distances.recall[750].value == pytest.approx(0.5)
    assert metrics.answered_recall.value == pytest.approx(1.0)
    assert metrics.radii.coverage_50.value == 1.0


def test_all_intervals_are_of_the_same_draws_of_blocks():
    rng = np.random.default_rng(1)
    blocks, values = rng.integers(20, size=300), rng.random(300)
    mean, same = block_mean(values, blocks), block_statistic(np.mean, values, blocks)
    assert (mean.low, mean.high) == pytest.approx((same.low, same.high))
    draws, block = block_draws(blocks, 1000)
    weights = np.stack([np.bincount(draw, minlength=20) for draw in draws])[:, block]
    means = weights @ values / weights.sum(axis=1)
    assert (mean.low, mean.high) == pytest.approx(np.percentile(means, [2.5, 97.5]))


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


def test_a_table_says_how_probable_the_truth_was():
    places = np.array([[0.0, 0.0], [0.0, 90.0], [0.0, 180.0]])
    density = CellDensity(cell_of(places, 2), places, np.array([0.7, 0.3, 0.0]))
    modes = (Mode((0.0, 1.0), 0.7), Mode((0.0, 91.0), 0.3))
    estimate = Estimate(modes, density, np.arange(3) == 0, np.arange(3), 100.0)
    said = SimpleNamespace(
        estimate=estimate, radius_50_km=200.0, radius_90_km=500.0, abstention=None
    )
    engine = SimpleNamespace(decode=lambda images, top_k: [said] * len(images))
    truth = np.array([[0.0, 2.0], [1.0, 88.0], [5.0, 5.0], [0.0, -179.0]])
    read = [{0: None, 1: None}, {}, {3: None}]  # the third couldn't be
    protocol = Protocol(
        "p", "photos", 5, tuple("abcd"), truth, np.ones(4, bool), lambda: iter(read)
    )
    found = predictions_on(SimpleNamespace(engine=engine, name="m"), protocol, "test", "g")
    np.testing.assert_array_equal(found.holds, [1, 0, np.nan, 0])
    said.estimate = replace(estimate, is_point=True)
    point = predictions_on(SimpleNamespace(engine=engine, name="m"), protocol, "test", "g")
    assert np.isnan(point.holds).all()
    np.testing.assert_array_equal(point.log_density, found.log_density)
    areas = [h3.cell_area(h3.latlng_to_cell(*place, 2), "rads^2") for place in places]
    shares = np.array([0.7, 0.3, np.nan, 0.0]) / np.array(areas)[[0, 1, 1, 2]]
    expected = np.log(0.999 * shares + 0.001 / (4 * np.pi))
    assert found.log_density == pytest.approx(expected, rel=1e-6, nan_ok=True)
    assert np.isnan(found.answer[2]).all()
    assert found.expected == 5
    assert (found.measure().scored, found.measure().expected) == (3, 5)
    assert found.outcomes.probability == pytest.approx([0.7, 0.7, np.nan, 0.7], nan_ok=True)


def test_a_table_that_lacks_the_later_columns_is_read(table, tmp_path):
    file = tmp_path / "said.parquet"
    table.save(file)
    older = pq.read_table(file).drop_columns(["holds", "log_density"])
    pq.write_table(older, file)
    metrics = PredictionTable.load(file).report().metrics
    assert metrics.distances == table.report().metrics.distances
    assert (metrics.certainty.with_density, metrics.certainty.with_probability) == (0, 0)
    assert table.report().metrics.certainty.with_density == table.report().metrics.answered > 0


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
    assert np.isfinite(table.report().metrics.distances.median_km.value)


@pytest.mark.parametrize("verb", ["evaluate", "rules", "concepts score"])
def test_a_model_that_knows_all_places_says_what_else_to_measure(tiny_orbit, verb, capsys):
    assert main([*verb.split(), str(tiny_orbit)]) == 1
    said = capsys.readouterr().err
    assert "geowhy train configs/views.toml" in said
    assert f"geowhy evaluate {tiny_orbit} --world NAME" in said
