"""From a source's changes to the catalog: read, chunk, embed, commit."""
