"""Whether explanations are true to the model, and to the Earth: measured, not asserted."""
