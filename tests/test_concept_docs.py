"""docs/concepts.md is what its script makes of the vocabulary, and what it shows works."""

import importlib.util
import re
from pathlib import Path

import pytest

from geowhy.concepts.vocabulary import Vocabulary

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "concepts.md"


@pytest.fixture(scope="module")
def build():
    path = ROOT / "scripts" / "build_concept_docs.py"
    spec = importlib.util.spec_from_file_location("build_concept_docs", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S).group(1)


def test_the_page_is_in_step_with_the_vocabulary(build):
    made = build.concept_docs(Vocabulary.load())
    assert PAGE.read_text(encoding="utf-8") == made, "run python scripts/build_concept_docs.py"
    assert "<<" not in made


def test_every_concept_has_a_row(build):
    vocabulary = Vocabulary.load()
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "<br>`" in line]
    assert len(rows) == len(vocabulary.concepts)
    for row, concept in zip(rows, vocabulary.concepts, strict=True):
        assert f"`{concept.id}`" in row
        assert concept.grounding is None or f"`{concept.grounding.text}`" in row
        assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_the_example_of_a_file_is_a_vocabulary(tmp_path):
    (tmp_path / "example.toml").write_text(block("toml"), encoding="utf-8")
    (concept,) = Vocabulary.load(tmp_path).concepts
    assert concept.grounding.kind == "class"


def test_the_example_of_python_gives_what_it_says():
    lines = block("python").splitlines()
    known = {}
    exec("\n".join(lines[:-1]), known)
    expression, said = lines[-1].split("  # ")
    assert eval(expression, known) == float(said.split(":")[0])
