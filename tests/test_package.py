"""The package as a whole: what it exports, and who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import geowhy

SOURCE = Path(geowhy.__file__).parent

# A folder may import itself and those before it. Training comes after inference, because a run ends
# by calibrating what it made with the very code that will use it.
ORDER = [
    "geo",
    "images",
    "concepts",
    "model",
    "inference",
    "training",
    "explain",
    "evaluation",
    "cli",
]
BELOW_ALL = {"geowhy.errors", "geowhy.explanation", "geowhy.types"}
NEEDS_TRAIN = {"torch", "onnx", "pyarrow", "pydantic", "rich"}


def imports(file, top_level_only=False):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


FILES = sorted(file for folder in ORDER for file in (SOURCE / folder).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_point_upward_only(file):
    folder = file.relative_to(SOURCE).parts[0]
    for module in imports(file):
        if not module.startswith("geowhy.") or module in BELOW_ALL:
            continue
        other = module.split(".")[1]
        assert ORDER.index(other) <= ORDER.index(folder), f"{file.name} imports {module}"


def test_locating_needs_nothing_of_the_train_extra():
    code = (
        "import sys; import geowhy.cli.main, geowhy.inference.locator, geowhy.evaluation.report;"
        f"print(sorted({NEEDS_TRAIN!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_exported_names_exist():
    assert all(getattr(geowhy, name).__name__ == name for name in geowhy.__all__)
    assert set(geowhy.__all__) <= set(dir(geowhy))
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = geowhy.nothing_of_this_name


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys; import geowhy; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
