"""A posterior over places: density, modes, calibrated radii and abstention."""
