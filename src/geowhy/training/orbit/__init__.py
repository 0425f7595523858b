"""Trains the network that recognises pictures of the ground from above."""
