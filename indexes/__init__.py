"""Search that stays exact under permissions: dense (FAISS), lexical (BM25) and both together."""
