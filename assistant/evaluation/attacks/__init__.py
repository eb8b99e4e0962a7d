"""Attacks on the whole assistant: hostile documents, questions, file names, URLs and files."""
