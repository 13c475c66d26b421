"""Models of others, read through transformers and measured by the same protocols: baselines measured, not quoted."""
