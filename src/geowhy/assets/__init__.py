"""Files that are not the model: downloads, hubs, the registry of models."""
