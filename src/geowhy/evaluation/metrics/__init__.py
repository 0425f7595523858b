"""How good answers are: pure functions of what was said of each image and of the truth."""
