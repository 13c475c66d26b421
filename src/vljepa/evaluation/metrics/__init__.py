"""Pure functions on arrays and texts."""
