"""Open implementation of VL-JEPA (arXiv 2512.10942)."""
