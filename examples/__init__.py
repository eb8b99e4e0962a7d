"""Four fictional companies: their documents, people and golden questions."""
