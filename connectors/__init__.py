"""Connectors (where documents are, what changed, who may read them) and readers (formats)."""
