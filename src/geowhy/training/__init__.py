"""Everything that needs torch: features, losses, the loop, export. Extra: ``geowhy[train]``."""
