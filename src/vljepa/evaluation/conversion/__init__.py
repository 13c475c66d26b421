"""What converters of official benchmark files share; the data sets are in ``vljepa.evaluation.benchmarks``."""
