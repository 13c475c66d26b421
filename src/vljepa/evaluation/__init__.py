"""Benchmark folders, metrics and reports. An evaluator is given callables, never the model."""
