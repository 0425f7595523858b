"""Models by name: one entry each, with its loader, its options and what it wants of images."""
