"""Media files and manifests to frames, cached features and batches."""
