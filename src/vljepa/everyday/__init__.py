"""Everyday captions, made up: what is shown, the same in other words, and almost the same, which is something else."""
