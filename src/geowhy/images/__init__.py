"""Pixels in: images of any format, and overhead views cut from a world image."""
