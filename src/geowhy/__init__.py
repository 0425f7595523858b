"""geowhy tells where on Earth an image was taken, and why it thinks so."""
