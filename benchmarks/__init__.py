"""Speed, memory and quality of search, measured: see docs/reference/search-benchmarks.md."""
