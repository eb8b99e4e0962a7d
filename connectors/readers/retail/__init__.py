"""Readers of retail: catalogs, feeds, invoices, events of a supply chain."""
