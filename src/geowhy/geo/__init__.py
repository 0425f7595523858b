"""The Earth, without any model: geometry, projections, cells, places and layers."""
