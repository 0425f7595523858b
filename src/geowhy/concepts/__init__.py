"""What may be said about a place: the vocabulary of concepts, and directions that measure them."""
