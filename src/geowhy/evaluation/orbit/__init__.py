"""Measures a model of pictures from above: on worlds that it never saw, and on real pictures."""
