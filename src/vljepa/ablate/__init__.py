"""The ablations (paper, table 7), and what the paper leaves to future work."""
