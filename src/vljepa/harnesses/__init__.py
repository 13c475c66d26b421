"""The model inside other evaluation harnesses, one file each. See docs/harnesses.md."""
