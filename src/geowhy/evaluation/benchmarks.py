"""The benchmarks of photographs that the field reports, as data: what belongs to each number.

Nothing is downloaded, and no list is packaged: who has the photographs, or a part of them, gives
their folder and the official list. What wasn't looked up in a list or in released code says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.errors import ConfigError

__all__ = ["BENCHMARKS", "OWN", "Benchmark", "ListFormat", "benchmark_of"]


@dataclass(frozen=True, slots=True)
class ListFormat:
    """A CSV file with a header, a photograph a row."""

    file: str  # its usual name
    id: str  # the column that says which file
    lat: str
    lon: str
    suffix: str = ""  # of the files, where the column leaves it out


def places365(name: str) -> ListFormat:
    """As Müller-Budack et al. (ECCV 2018) published Im2GPS and Im2GPS3k, with scenes of Places."""
    return ListFormat(f"{name}_places365.csv", "IMG_ID", "LAT", "LON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A set of photographs, and how others measured on it.

    Attributes:
        name: what it is called on the command line.
        title: what papers call it.
        photos: how many it has.
        counted: whether that was counted in the official list; else it is only reported, and the
            rows of the list that is given are what is expected.
        list: the official list; None where none was seen.
        crops: of each photograph, in published numbers.
        gallery: what published numbers choose among.
        earth: on which Earth published errors are measured. Ours are on a sphere of 6371.0088 km;
            an ellipsoid differs by up to 0.6 %.
        source: papers.
        get: how to get photographs and list.
        unverified: what is only said, and by whom.
    """

    name: str
    title: str
    photos: int | None
    counted: bool
    list: ListFormat | None
    crops: str
    gallery: str
    earth: str
    source: str
    get: str
    unverified: tuple[str, ...] = ()


OF_GEOCLIP = (
    "GeoCLIP's paper means the scores of ten crops; its released code takes one, the centre",
    "GeoCLIP: 100,000 coordinates of MP-16, which it is released with; others: images or cells",
    "GeoCLIP's released code: the WGS 84 ellipsoid; the code of others wasn't looked at",
)

IM2GPS = Benchmark(
    name="im2gps",
    title="Im2GPS",
    photos=237,
    counted=True,
    list=places365("im2gps"),
    crops=OF_GEOCLIP[0],
    gallery=OF_GEOCLIP[1],
    earth=OF_GEOCLIP[2],
    source="Hays and Efros, CVPR 2008; list: Müller-Budack et al., ECCV 2018",
    get="list: meta/im2gps_places365.csv of github.com/TIBHannover/GeoEstimation, branch "
    "original_tf; photographs: graphics.cs.cmu.edu/projects/im2gps",
)
IM2GPS3K = Benchmark(
    name="im2gps3k",
    title="Im2GPS3k",
    photos=2_997,
    counted=True,
    list=places365("im2gps3k"),
    crops=OF_GEOCLIP[0],
    gallery=OF_GEOCLIP[1],
    earth=OF_GEOCLIP[2],
    source="Vo, Jacobs and Hays, ICCV 2017; list: Müller-Budack et al., ECCV 2018",
    get="list: meta/im2gps3k_places365.csv of github.com/TIBHannover/GeoEstimation, branch "
    "original_tf; photographs: linked from github.com/lugiavn/revisiting-im2gps",
)
YFCC4K = Benchmark(
    name="yfcc4k",
    title="YFCC4k",
    photos=4_536,
    counted=False,
    list=places365("yfcc4k"),
    crops=OF_GEOCLIP[0],
    gallery=OF_GEOCLIP[1],
    earth=OF_GEOCLIP[2],
    source="Vo, Jacobs and Hays, ICCV 2017",
    get="list: yfcc4k_places365.csv at huggingface.co/Jia-py/G3-checkpoint; photographs: linked "
    "from github.com/lugiavn/revisiting-im2gps",
    unverified=("the count, which others report", "that the list has the columns of Im2GPS3k's"),
)
YFCC26K = Benchmark(
    name="yfcc26k",
    title="YFCC26k",
    photos=25_600,
    counted=True,
    list=places365("yfcc25600"),
    crops=OF_GEOCLIP[0],
    gallery=OF_GEOCLIP[1],
    earth=OF_GEOCLIP[2],
    source="Theiner, Müller-Budack and Ewerth, WACV 2022",
    get="list, and addresses of the photographs at Flickr, some of which are gone: "
    "yfcc25600_places365.csv and yfcc25600_urls.csv of release pytorch of "
    "github.com/TIBHannover/GeoEstimation",
)
GWS15K = Benchmark(
    name="gws15k",
    title="GWS15k",
    photos=None,
    counted=False,
    list=None,
    crops=OF_GEOCLIP[0],
    gallery=OF_GEOCLIP[1],
    earth=OF_GEOCLIP[2],
    source="Clark et al., CVPR 2023",
    get="it isn't released: with a copy of your own, give its list as for your own photographs",
    unverified=("the count, some 15,000 by its name", "that any two copies are the same"),
)
OSV5M = Benchmark(
    name="osv5m",
    title="OSV-5M, test",
    photos=210_122,
    counted=False,
    list=ListFormat("test.csv", "id", "latitude", "longitude", ".jpg"),
    crops="not looked at",
    gallery="none: regression, cells, or retrieval among its training images",
    earth="its released code: a sphere of 6371 km",
    source="Astruc et al., CVPR 2024, arXiv 2404.18873",
    get="huggingface.co/datasets/osv5m/osv5m: test.csv, and images/test/00.zip to 04.zip, unpacked",
    unverified=(
        "the count, which is of its paper and wasn't looked up",
        "that test images are called by their ids",
    ),
)
OWN = Benchmark(
    name="own",
    title="own photographs",
    photos=None,
    counted=False,
    list=None,
    crops="yours to choose",
    gallery="yours to choose",
    earth="a sphere of 6371.0088 km",
    source="you",
    get="a folder of photographs with GPS positions in their metadata, or a CSV list beside them",
)
BENCHMARKS = (IM2GPS, IM2GPS3K, YFCC4K, YFCC26K, GWS15K, OSV5M, OWN)


def benchmark_of(name: str) -> Benchmark:
    """The benchmark of a name.

    Raises:
        ConfigError: if there is none.
    """
    for each in BENCHMARKS:
        if each.name == name.lower():
            return each
    known = ", ".join(each.name for each in BENCHMARKS)
    raise ConfigError(f"there is no benchmark {name!r}: choose one of {known}")
