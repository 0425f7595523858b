"""From scores of places to an answer: posterior, radius, abstention."""
