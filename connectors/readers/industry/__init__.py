"""Formats of factories: asset shells, machine models and data, work orders, parts."""
