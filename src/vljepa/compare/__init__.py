"""The controlled comparison (paper, section 4.5, figure 3): VL-JEPA, the token-space VLM and the dual encoder."""
