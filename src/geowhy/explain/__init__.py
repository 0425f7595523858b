"""Why the model names a place: shares of concepts, maps and reports."""
