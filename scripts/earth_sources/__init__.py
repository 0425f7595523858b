"""How the packaged files about the Earth are made from public packages."""
