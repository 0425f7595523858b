"""A picture of the ground from above, laid over the Earth: pose, retrieval and registration."""
