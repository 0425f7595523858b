"""From image features to posteriors: galleries, retrieval and decoding."""
