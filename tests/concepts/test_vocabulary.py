"""The packaged vocabulary is sound, and a user's mistakes are named with file, line and remedy."""

import re

import numpy as np
import pytest

from geowhy.concepts.vocabulary import PACKAGED_VOCABULARY, Vocabulary
from geowhy.errors import VocabularyError
from geowhy.geo.atlas import Atlas, uniform_on_land

GOOD = """category = "climate"

[[concept]]
id = "hot"
name = "hot"
definition = "Hot."
prompts = [
    "a hot place",
    "heat over a road",
    "sweat",
]
grounding = "temperature_mean > 25"
from_above = true

[[concept]]
id = "cold"
name = "cold"
definition = "Cold."
prompts = ["frost", "breath in the air", "a frozen lake"]
"""

KNOWN_PLACES = {
    "tropical rainforest climate": (-3.1, -60.0),  # Manaus
    "hot desert climate": (26.0, 10.0),  # the Sahara
    "ice cap climate": (75.0, -40.0),  # Greenland
    "high mountains or high plateau": (31.0, 88.0),  # Tibet
    "deep inland": (46.0, 86.0),  # Dzungaria
    "cropland": (41.6, -93.6),  # Iowa
    "left-hand traffic": (-25.0, 135.0),  # Australia
    "densely settled": (23.8, 90.4),  # Dhaka
}

# All that arXiv 2509.01910 names in its text and figures.
NAMED_IN_THE_PAPER = """
tropical climate; mountain; cathedral; skyscraper; esplanade; advertisement; typhoon; historical
civilization; tuk-tuk; incense; tea ceremony; monorail; forest; windmill; theater; factory;
scaffolding; promenade; drizzle; mangrove; sombrero; eucalyptus; cairn; prayer flags; grapevine;
favela; temperate; sari; underpass; power line; crater; vending; chimney; dune; gondola; island;
uniform; tea; brickwork; reflection; gate; lorry; bus; motorcycle; fortress; townhouse; hedge;
hairstyle; succulent; sand dune; plantation; cobblestone; souk; woodland; oak tree; shanty town;
summit; pennant; demonstration; coastal; mountainous terrain
"""


@pytest.fixture(scope="module")
def packaged():
    return Vocabulary.load()


def written(tmp_path, text, name="mine.toml"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_packaged_vocabulary_is_as_large_as_it_says(packaged):
    assert len(packaged.concepts) >= 400
    assert len(packaged.categories) >= 14
    assert len(packaged.grounded.concepts) >= 150


def test_every_concept_that_the_paper_names_is_in(packaged):
    wanted = [" ".join(name.split()) for name in NAMED_IN_THE_PAPER.split(";")]
    missing = [
        name
        for name in wanted
        if not any(re.search(rf"\b{name}s?\b", known, re.IGNORECASE) for known in packaged.names)
    ]
    assert len(wanted) > 50
    assert not missing


@pytest.mark.parametrize("name", KNOWN_PLACES)
def test_concepts_hold_at_well_known_places(packaged, name):
    truth = packaged.truth(Atlas.load(), np.array([KNOWN_PLACES[name]]))
    assert truth[0, packaged.names.index(name)] == 1.0


def test_what_a_view_from_above_shows_is_no_matter_of_countries(packaged):
    of_people = {"country", "un_region", "driving_side", "language", "script", "currency"}
    for concept in packaged.concepts:
        if concept.from_above:
            assert not of_people & set(concept.grounding.layers), concept.id


def test_a_users_own_file_works(tmp_path):
    vocabulary = Vocabulary.load(written(tmp_path, GOOD))
    truth = vocabulary.truth(Atlas.load(), np.array([[15.0, 0.0], [70.0, 100.0]]))
    assert truth[:, 0].tolist() == [1.0, 0.0]
    assert np.isnan(truth[:, 1]).all()
    assert vocabulary.grounded.names == ("hot",)


def test_the_digest_tells_content_and_not_place(tmp_path):
    digests = []
    for folder, text in (("a", GOOD), ("b", "\n\n" + GOOD), ("c", GOOD.replace("25", "24"))):
        (tmp_path / folder).mkdir()
        digests.append(Vocabulary.load(written(tmp_path / folder, text)).digest)
    assert digests[0] == digests[1] != digests[2]


def test_degrees_are_told_in_their_unit(tmp_path):
    text = GOOD.replace("temperature_mean > 25", "temperature_mean")
    vocabulary = Vocabulary.load(written(tmp_path, text))
    places = uniform_on_land(Atlas.load(), 100, np.random.default_rng(0))
    expected = Atlas.load().layer("temperature_mean").at(places)
    np.testing.assert_array_equal(vocabulary.truth(Atlas.load(), places)[:, 0], expected)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("temperature_mean >", "temprature_mean >", 12, "did you mean temperature_mean"),
        ("temperature_mean > 25", "temperature_mean >", 12, "isn't an expression"),
        ("temperature_mean > 25", "koppen_5 == 'hot'", 12, "no class of koppen_5"),
        ("temperature_mean > 25", "temperature_mean > 80", 4, "0.00% of the land.*widen it"),
        ("temperature_mean > 25", "temperature_mean > -90", 4, "nearly everywhere: narrow it"),
        ("temperature_mean > 25", "temperature_mean * 0", 4, "the same everywhere"),
        ('"temperature_mean > 25"', "3", 12, "isn't a text"),
        ("from_above = true", 'from_above = "yes"', 13, "write true or false"),
        ("definition", "defintion", 6, "unknown key 'defintion'"),
        ('name = "hot"\n', "", 4, "no name: add it"),
        ('id = "cold"\n', "", 15, "no id: add it"),
        ('    "sweat",\n', "", 7, "2 different prompts: list 3 or more"),
        ("sweat", "a hot place", 7, "2 different prompts"),
        ('"sweat"', "4", 7, "different prompts"),
        ('id = "cold"', 'id = "hot"', 16, "the id 'hot' is taken .*mine.toml:4"),
        ('id = "cold"', 'id = "Cold one"', 16, "is no id"),
        ('name = "cold"', 'name = "Hots"', 16, "nearly 'hot'.*mine.toml:4"),
        ('name = "cold"', 'name = ""', 17, "isn't a text"),
        ('"a frozen lake"]', '"a frozen lake"]\nfrom_above = true', 20, "without a grounding"),
        (
            '"a frozen lake"]',
            '"a frozen lake"]\ngrounding = "temperature_mean > 25.1"',
            16,
            "nearly that of 'hot' .*mine.toml:4",
        ),
        ('category = "climate"', "", 1, "no category"),
        ('category = "climate"', 'category = "climate"\nauthor = "me"', 2, "unknown key 'author'"),
    ],
)
def test_mistakes_are_named_with_file_line_and_remedy(tmp_path, old, new, line, message):
    assert old in GOOD
    with pytest.raises(VocabularyError, match=message) as caught:
        Vocabulary.load(written(tmp_path, GOOD.replace(old, new)))
    assert f"mine.toml:{line}: " in str(caught.value)


def test_broken_toml_is_named_with_its_line(tmp_path):
    with pytest.raises(VocabularyError, match=r"mine.toml: not valid TOML.*line 4"):
        Vocabulary.load(written(tmp_path, GOOD.replace('id = "hot"', 'id = "hot')))


def test_bytes_that_arent_utf_8_are_named(tmp_path):
    (tmp_path / "mine.toml").write_bytes(GOOD.replace("Hot.", "Heiß.").encode("latin-1"))
    with pytest.raises(VocabularyError, match=r"mine.toml: not UTF-8.*save it as UTF-8"):
        Vocabulary.load(tmp_path)


def test_clashes_are_found_across_files(tmp_path):
    written(tmp_path, GOOD, "a.toml")
    written(tmp_path, GOOD.replace('"hot"', '"heat"').replace('"cold"', '"colds"'), "b.toml")
    with pytest.raises(VocabularyError, match=r"b.toml:\d+.*nearly 'cold'.*a.toml:16"):
        Vocabulary.load(tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("savanna woodland", "savannah woodland"),
        ("rain forest", "rainforest"),
        ("mosques", "mosque"),
        ("church of stone", "a stone church"),
    ],
)
def test_names_that_are_nearly_the_same_clash(tmp_path, one, other):
    text = GOOD.replace('name = "hot"', f'name = "{one}"')
    text = text.replace('name = "cold"', f'name = "{other}"')
    with pytest.raises(VocabularyError, match="nearly"):
        Vocabulary.load(written(tmp_path, text))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Western Africa", "Eastern Africa"), ("rice", "rye"), ("stone church", "wooden church")],
)
def test_names_that_differ_dont_clash(tmp_path, one, other):
    text = GOOD.replace('name = "hot"', f'name = "{one}"')
    text = text.replace('name = "cold"', f'name = "{other}"')
    assert Vocabulary.load(written(tmp_path, text)).names == (one, other)


def test_a_folder_without_concepts_is_an_error(tmp_path):
    with pytest.raises(VocabularyError, match=r"no \.toml"):
        Vocabulary.load(tmp_path)
    with pytest.raises(VocabularyError, match=r"empty.toml:1: no concept"):
        Vocabulary.load(written(tmp_path, 'category = "x"', "empty.toml"))


def test_concepts_that_are_no_tables_are_an_error(tmp_path):
    with pytest.raises(VocabularyError, match=r"texts.toml:1: no concept"):
        Vocabulary.load(written(tmp_path, 'category = "x"\nconcept = ["y"]', "texts.toml"))


def test_a_vocabulary_that_was_compared_once_needn_t_be_again(tmp_path):
    one = (PACKAGED_VOCABULARY / "water.toml").read_text()
    (tmp_path / "a.toml").write_text(one)
    (tmp_path / "b.toml").write_text(one)
    with pytest.raises(VocabularyError, match="is taken"):
        Vocabulary.load(tmp_path)
    twice = Vocabulary.load(tmp_path, compared=False)
    assert len(set(twice.names)) == len(twice.names) / 2
