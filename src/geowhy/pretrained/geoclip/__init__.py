"""GeoCLIP as released (arXiv 2309.16020): photographs against 100,000 places."""
