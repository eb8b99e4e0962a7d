"""Formats of hospitals, laboratories and medical literature."""
