"""Measures a model: protocols say on what, metrics say how well."""
