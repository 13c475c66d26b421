"""What the embeddings are good for: each task works on embeddings and callables and never sees the model."""
