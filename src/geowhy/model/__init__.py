"""From pixels and coordinates to embeddings, concept scores and places."""
