"""Models: embedders, generators, and quote mode, which needs none."""
