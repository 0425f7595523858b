"""The package as a whole: what it exports, and who may import whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import geowhy
import geowhy.arrays

SOURCE = Path(geowhy.__file__).parent

# A part may import itself and those before it. Training comes after the locator, because a run ends
# by calibrating what it made with the very code that will use it.
ORDER = [
    "arrays",
    "errors",
    "types",
    "hints",
    "explanation",
    "answer",
    "geo",
    "assets",
    "images",
    "concepts",
    "model",
    "export",
    "posterior",
    "evidence",
    "registry",
    "orbit",
    "overlay",
    "heads",
    "engine",
    "pretrained",
    "explain",
    "locator",
    "training",
    "evaluation",
    "records",
    "render",
    "cli",
]
FREE = {"", "__main__"}  # the package itself, which loads names lazily, and its start
NEEDS_TRAIN = {"torch", "onnx", "pyarrow", "pydantic", "rich"}


def modules():
    """Every module of the package by its dotted name within it."""
    files = sorted(SOURCE.rglob("*.py"))
    names = [".".join(f.relative_to(SOURCE).with_suffix("").parts) for f in files]
    return {
        name.removesuffix("__init__").rstrip("."): f for name, f in zip(names, files, strict=True)
    }


def imports(file, known):
    """What a file imports of the package, wherever in it, also for type checkers alone."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name[7:] for a in node.names if a.name.startswith("geowhy."))
            yield from ("" for a in node.names if a.name == "geowhy")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "geowhy":
            module = node.module[7:]
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                yield inner if inner in known else module


MODULES = modules()
ARROWS = {name: set(imports(file, MODULES)) - {name} for name, file in MODULES.items()}


def circles(arrows):
    """Modules that can be reached from themselves, each with all that it reaches."""
    reached = {name: set(ends) for name, ends in arrows.items()}
    for middle in arrows:
        for name in arrows:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    return sorted(name for name in arrows if name in reached[name])


def test_no_module_imports_itself_by_way_of_others():
    assert circles({name: ends for name, ends in ARROWS.items() if name not in FREE}) == []
    assert circles({"types": {"explanation"}, "explanation": {"types"}}) == ["explanation", "types"]


@pytest.mark.parametrize("name", sorted(MODULES.keys() - FREE))
def test_imports_point_upward_only(name):
    mine = ORDER.index(name.split(".")[0])
    for other in ARROWS[name]:
        assert other, f"{name} imports the package's root"
        assert ORDER.index(other.split(".")[0]) <= mine, f"{name} imports {other}"


def test_no_module_needs_more_than_a_dozen_others():
    """Who reads one can know them all."""
    assert {name: len(ends) for name, ends in ARROWS.items() if len(ends) > 12} == {}


def test_locating_needs_nothing_of_the_train_extra():
    code = (
        "import sys; import geowhy.cli.main, geowhy.locator, geowhy.evaluation.accuracy;"
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


def public_functions(node, of_class="", private=False):
    """Functions that users may call, with the docstring of the class that `__init__` belongs to."""
    for child in node.body:
        hidden = (
            private or (child.name.startswith("_") and not child.name.startswith("__"))
            if isinstance(child, ast.ClassDef | ast.FunctionDef)
            else private
        )
        if isinstance(child, ast.ClassDef):
            yield from public_functions(child, ast.get_docstring(child) or "", hidden)
        elif isinstance(child, ast.FunctionDef) and not hidden:
            yield child, (ast.get_docstring(child) or "") + of_class * (child.name == "__init__")


def test_every_public_function_says_the_shapes_of_its_arrays():
    aliases = {*geowhy.arrays.__all__, "NDArray", "ArrayLike", "Tensor"}
    silent, asked = [], 0
    for path in SOURCE.rglob("*.py"):
        for function, docstring in public_functions(ast.parse(path.read_text())):
            arguments = [*function.args.args, *function.args.kwonlyargs]
            types = [ast.unparse(a.annotation) for a in arguments if a.annotation is not None]
            # Tensors by name have a shape each, which the network says that they belong to.
            takes_arrays = any(
                aliases & set(re.findall(r"\w+", kind))
                and not re.search(r"(?i)(dict|mapping)\[", kind)
                for kind in types
            )
            asked += takes_arrays
            if takes_arrays and not re.search(r"\[[^\]]*\]", docstring):
                silent.append(f"{path.relative_to(SOURCE)}:{function.lineno} {function.name}")
    assert asked > 150
    assert not silent


def test_a_type_of_array_has_one_name_and_says_its_numbers():
    """No module has an alias of its own, such as `Floats` for whatever it means there."""
    named = [
        f"{path.relative_to(SOURCE)}: {line}"
        for path in SOURCE.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.match(r"\w+ = NDArray\b", line) and path.name != "arrays.py"
    ]
    assert not named
