"""The `assistant` command: noun then verb, data on stdout, progress on stderr."""
