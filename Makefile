# Each target does its own set-up on a fresh machine; they share one environment, .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench clean

demo: .venv/ready
	$(BIN)/geowhy demo --output demo.html

# Two workers of one thread each: more threads than cores wait for each other, ten times as long.
test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/ready
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

# geoclip is only read by a test, file by file: its dependencies would bring a hub along.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,atlas,plots,rivals,dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps geoclip
	touch $@
