"""Readers of finance: statements, payments, filings."""
