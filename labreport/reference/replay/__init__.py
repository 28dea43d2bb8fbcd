"""Stored runs computed a second time by hand."""
